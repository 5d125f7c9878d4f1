import { hasNamedArguments } from './call-sites.ts'
import { type RawBody, type RawNode, stringOf } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** A function call in a select list. */
export interface SelectedCall {
  /** Lower case unless quoted: `['pg_catalog', 'nextval']`, `['nextval']`. */
  readonly name: readonly string[]
  /** The argument expressions, as written. */
  readonly argumentTexts: readonly string[]
  /** The function's name, which the column has where nothing else names it. */
  readonly columnName: string
  /** The whole call in the statement's text, in characters (UTF-16 units): for putting something in its place. */
  readonly start: number
  readonly end: number
}

/** A function call that is itself an entry of the select list: `SELECT set_config('a', 'b', false) AS x`. */
export interface TargetListFunction extends SelectedCall {
  /** Index in the select list, from 0; an entry `*` before it counts as one. */
  readonly position: number
  /** `AS name` stands behind it. */
  readonly isNamed: boolean
  /** A cast around the call (`nextval('s')::int`): the type as written; the caller applies it. */
  readonly castTo: string | undefined
}

/**
 * The functions that stand as entries of the select list of a plain SELECT, in order; calls inside larger expressions, aggregates and window
 * functions are not among them. `isWanted` is told the name's parts; where it wants none, the text is not looked at. Empty for everything but SELECT.
 */
export function referencedFunctionsInTargetList(
  text: string,
  node: RawNode,
  isWanted: (name: readonly string[]) => boolean,
): readonly TargetListFunction[] {
  if (!('SelectStmt' in node)) return []
  const targets = node.SelectStmt.targetList ?? []
  const source = new StatementTokens(text)
  return targets.flatMap((target, position) => {
    if (!('ResTarget' in target) || target.ResTarget.val === undefined) return []
    const call = callOf(target.ResTarget)
    return call !== undefined && isWanted(nameOf(call))
      ? entry(source, position, target.ResTarget, call)
      : []
  })
}

/**
 * The column of the result (from 0) that entry `position` of the select list of a SELECT is; undefined where an entry `*` before it and another behind
 * it leave that open.
 */
export function columnOfEntry(
  node: RawNode,
  position: number,
  columnCount: number,
): number | undefined {
  const targets = 'SelectStmt' in node ? (node.SelectStmt.targetList ?? []) : []
  if (!targets.slice(0, position).some(isStar)) return position
  if (targets.slice(position).some(isStar)) return undefined
  return columnCount - (targets.length - position)
}

/** Where the select list of a plain SELECT ends in its text, in characters; undefined where something else than FROM comes next. */
export function endOfTargetList(text: string, node: RawNode): number | undefined {
  if (!('SelectStmt' in node)) return undefined
  const {
    fromClause,
    withClause: _with,
    targetList: _list,
    limitOption: _limit,
    op: _op,
    ...others
  } = node.SelectStmt
  if (fromClause === undefined) return Object.keys(others).length === 0 ? text.length : undefined
  const source = new StatementTokens(text)
  for (let at = source.find('from', 1); at > 0; at = source.find('from', at + 1)) {
    // IS DISTINCT FROM is no end.
    if (source.tokens[at - 1]?.text.toLowerCase() === 'distinct') continue
    return source.slice(0, source.tokens[at]?.start ?? 0).trimEnd().length
  }
  return undefined
}

function isStar(target: RawNode): boolean {
  const value = 'ResTarget' in target ? target.ResTarget.val : undefined
  if (value === undefined || !('ColumnRef' in value)) return false
  return (value.ColumnRef.fields ?? []).some((field) => 'A_Star' in field)
}

/** The call that an entry is, or that it casts. */
function callOf({ val }: RawBody<'ResTarget'>): RawBody<'FuncCall'> | undefined {
  const inner = val !== undefined && 'TypeCast' in val ? val.TypeCast.arg : val
  const isCall = inner !== undefined && 'FuncCall' in inner && isPlainCall(inner.FuncCall)
  return isCall ? inner.FuncCall : undefined
}

function nameOf(call: RawBody<'FuncCall'>): readonly string[] {
  return (call.funcname ?? []).map((part) => stringOf(part))
}

function entry(
  source: StatementTokens,
  position: number,
  target: RawBody<'ResTarget'>,
  selected: RawBody<'FuncCall'>,
): readonly TargetListFunction[] {
  const value = target.val
  const call = selectedCall(source, selected)
  if (call === undefined) return []
  const isCast = value !== undefined && 'TypeCast' in value
  const castTo = isCast ? castType(source, call.last, value) : undefined
  const columnName = target.name ?? call.call.columnName
  return [{ ...call.call, columnName, isNamed: target.name !== undefined, position, castTo }]
}

/** The call with the index of its last token. */
function selectedCall(
  source: StatementTokens,
  call: RawBody<'FuncCall'>,
): { readonly call: SelectedCall; readonly last: number } | undefined {
  const name = nameOf(call)
  const first = source.indexAt(call.location ?? 0)
  const open = source.find('(', first)
  const close = source.closing(open)
  const startByte = source.tokens[first]?.start
  const endByte = source.tokens[close]?.end
  if (open < 0 || close < 0 || startByte === undefined || endByte === undefined) return undefined
  return {
    call: {
      name,
      argumentTexts: source.listIn(open),
      columnName: name.at(-1) ?? '',
      start: source.slice(0, startByte).length,
      end: source.slice(0, endByte).length,
    },
    last: close,
  }
}

/** Written as a call (not as SQL syntax such as EXTRACT or AT TIME ZONE), without names of parameters, and with nothing that only an aggregate takes. */
function isPlainCall(call: RawBody<'FuncCall'>): boolean {
  const isAggregate =
    call.agg_order !== undefined ||
    call.agg_filter !== undefined ||
    call.over !== undefined ||
    call.agg_within_group === true ||
    call.agg_star === true ||
    call.agg_distinct === true
  return !isAggregate && !hasNamedArguments(call) && call.funcformat !== 'COERCE_SQL_SYNTAX'
}

/** `call::type`, or `CAST(call AS type)`: the type as written. */
function castType(source: StatementTokens, close: number, value: RawNode): string | undefined {
  const location = 'TypeCast' in value ? value.TypeCast.typeName?.location : undefined
  const first = source.indexAt(location ?? 0)
  if (first <= close) return undefined
  let last = first
  for (let next = endOfPart(source, last); next > last; next = endOfPart(source, last)) last = next
  return source.slice(source.tokens[first]?.start ?? 0, source.tokens[last]?.end ?? 0)
}

const TYPE_WORDS = new Set([
  ...['precision', 'varying', 'with', 'without', 'time', 'zone', 'array', 'setof'],
  ...['.', '%'],
])

/** The last token of what continues a type's name behind token `at`; `at` itself where nothing does. */
function endOfPart(source: StatementTokens, at: number): number {
  const next = source.tokens[at + 1]?.text.toLowerCase() ?? ''
  if (next === '(') return Math.max(at, source.closing(at + 1))
  if (next === '[') return Math.max(at, source.find(']', at + 2))
  return TYPE_WORDS.has(next) || source.tokens[at]?.text === '.' ? at + 1 : at
}
