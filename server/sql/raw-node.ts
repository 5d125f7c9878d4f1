import type { Node } from 'libpg-query'

/**
 * A node of PostgreSQL's raw parse tree as libpg-query gives it: one wrapper object with the node's name as its only key
 * (`{ SelectStmt: {...} }`). Fields that hold their default (0, false, '') are absent. Narrow with `'SelectStmt' in node`.
 * `location` is a byte offset (UTF-8) into the text of the statement, absent for 0, -1 where unknown.
 */
export type RawNode = Node

/** Every node name of the grammar. */
export type RawNodeName = Node extends infer N
  ? N extends unknown
    ? keyof N & string
    : never
  : never

/** The nodes that can stand for a statement: in PostgreSQL all of them are called `...Stmt`. */
export type StatementNodeName = Extract<RawNodeName, `${string}Stmt`>

/** The fields of a node by its name. */
export type RawBody<K extends RawNodeName> =
  Extract<Node, Record<K, unknown>> extends infer N
    ? N extends Record<K, infer B>
      ? B
      : never
    : never

/** The node's name: the only key of the wrapper. */
export function rawNodeName(node: RawNode): RawNodeName {
  return Object.keys(node)[0] as RawNodeName
}

/** The text of a String node, '' for anything else. */
export function stringOf(node: RawNode | undefined): string {
  return node !== undefined && 'String' in node ? (node.String.sval ?? '') : ''
}

/** The option list of a statement: DefElem nodes by lower-case name, in the order written. */
export function* optionsOf(
  nodes: readonly RawNode[] | undefined,
): Generator<RawBody<'DefElem'>, void, undefined> {
  for (const node of nodes ?? []) {
    if ('DefElem' in node) yield node.DefElem
  }
}

/**
 * The value of a DefElem as defGetString would give it (src/backend/commands/define.c): undefined where the option was written without one.
 */
export function optionText(option: RawBody<'DefElem'>): string | undefined {
  const arg = option.arg
  if (arg === undefined) return undefined
  if ('String' in arg) return arg.String.sval ?? ''
  if ('Integer' in arg) return String(arg.Integer.ival ?? 0)
  if ('Float' in arg) return arg.Float.fval ?? '0'
  if ('Boolean' in arg) return arg.Boolean.boolval === true ? 'true' : 'false'
  if ('TypeName' in arg) return stringOf(arg.TypeName.names?.at(-1))
  if ('A_Const' in arg) return constText(arg.A_Const)
  return undefined
}

/** The text of a constant as written, without quotes; NULL is ''. */
export function constText(value: RawBody<'A_Const'>): string {
  if (value.sval !== undefined) return value.sval.sval ?? ''
  if (value.fval !== undefined) return value.fval.fval ?? '0'
  if (value.boolval !== undefined) return value.boolval.boolval === true ? 'true' : 'false'
  if (value.bsval !== undefined) return value.bsval.bsval ?? ''
  if (value.ival !== undefined) return String(value.ival.ival ?? 0)
  return ''
}

/** An option that is on or off (defGetBoolean): without a value it is on. */
export function optionIsOn(option: RawBody<'DefElem'>): boolean {
  const text = optionText(option)?.toLowerCase()
  return text === undefined || text === 'true' || text === 'on' || text === '1'
}
