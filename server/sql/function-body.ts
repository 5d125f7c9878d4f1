import { volatilityOfName } from './builtin-catalog.ts'
import { commandTag } from './command-tag.ts'
import { type RawBody, type RawNode, rawNodeName, stringOf } from './raw-node.ts'
import { parseStatements, SyntaxProblem } from './statement.ts'

/*
 * A body that is a text means nothing until it is called, and then by the caller's search path. What it may read or do is known from its
 * words all the same: a relation stands in FROM, and names of pg_catalog hide all others.
 */

/** What a function holds that is not for the companion to run. */
export type FunctionObstacle =
  /** A statement that does more than read, by its command tag. */
  | { readonly kind: 'command'; readonly tag: string }
  | { readonly kind: 'relation'; readonly name: string }
  /** A function of pg_catalog, or one of SQL's own without parentheses, that is about the session or its transaction. */
  | { readonly kind: 'session'; readonly name: string }
  /** A newer PostgreSQL's, or none: only with check_function_bodies off. */
  | { readonly kind: 'unreadable' }

/** Volatile functions that only make a value. */
const VALUE_MAKERS = new Set(['clock_timestamp', 'gen_random_uuid', 'random', 'timeofday'])

/** Others that tell what the proxy alone knows. */
const TELL_OF_SESSION = new Set([
  'now',
  'pg_current_xact_id',
  'pg_current_xact_id_if_assigned',
  'pg_listening_channels',
  'pg_xact_status',
  'transaction_timestamp',
  'txid_current',
  'txid_current_if_assigned',
  'txid_status',
])

/** What builtin-names.ts leaves out: functions that give nothing, and those of the server's own machinery. */
const SERVERS_OWN = /^(?:pg_|binary_upgrade_|lo_|lo(?:read|write)$|setseed$)|_to_xml/

/** Words that SQL has for the same. The others name roles and schemas, and these are the client's in the companion, too. */
const MOMENTS = /^SVFOP_((?:CURRENT|LOCAL)_?(?:DATE|TIME(?:STAMP)?))(?:_N)?$/
const CURRENT_CATALOG = 'SVFOP_CURRENT_CATALOG'

/** The first obstacle in the body and the defaults of a function, given what pg_get_functiondef prints of it. */
export function findObstacle(definition: string): FunctionObstacle | undefined {
  const parts = partsOf(definition)
  if (parts === undefined) return { kind: 'unreadable' }
  for (const statement of parts.statements) {
    const name = rawNodeName(statement)
    if (name !== 'SelectStmt' && name !== 'ReturnStmt')
      return { kind: 'command', tag: commandTag(statement) }
  }
  return obstacleIn([...parts.statements, ...parts.defaults], new Set())
}

/** The functions that a function's body and defaults call, as they are written. */
export function functionsCalledBy(definition: string): readonly (readonly string[])[] {
  const parts = partsOf(definition)
  const found: (readonly string[])[] = []
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, child] of Object.entries(value)) {
      if (key === 'FuncCall') found.push(nameOf(child as RawBody<'FuncCall'>))
      look(child)
    }
  }
  look([parts?.statements, parts?.defaults])
  return found
}

/** Whether a call may give two values for the same arguments, for all that is known of built-in functions. */
export function isVolatileCall(name: readonly string[]): boolean | undefined {
  const builtin = builtinName(name)
  const volatility = builtin === undefined ? undefined : volatilityOfName(builtin)
  return volatility === undefined ? undefined : volatility === 'volatile'
}

interface FunctionParts {
  readonly statements: readonly RawNode[]
  /** Of its arguments. */
  readonly defaults: readonly RawNode[]
}

function partsOf(definition: string): FunctionParts | undefined {
  try {
    const [only] = parseStatements(definition)
    if (only === undefined || !('CreateFunctionStmt' in only.node)) return undefined
    const { parameters = [], options = [], sql_body: body } = only.node.CreateFunctionStmt
    const defaults = parameters.flatMap((parameter) =>
      'FunctionParameter' in parameter ? (parameter.FunctionParameter.defexpr ?? []) : [],
    )
    return { statements: body === undefined ? textOf(options) : statementsIn(body), defaults }
  } catch (error) {
    if (error instanceof SyntaxProblem) return undefined
    throw error
  }
}

/** RETURN is one node, BEGIN ATOMIC a list with a list of statements in it. */
function statementsIn(body: RawNode): readonly RawNode[] {
  return 'List' in body ? (body.List.items ?? []).flatMap(statementsIn) : [body]
}

function textOf(options: readonly RawNode[]): readonly RawNode[] {
  for (const option of options) {
    if (!('DefElem' in option) || option.DefElem.defname !== 'as') continue
    const { arg } = option.DefElem
    const [text] = arg !== undefined && 'List' in arg ? (arg.List.items ?? []) : []
    return parseStatements(stringOf(text)).map(({ node }) => node)
  }
  return []
}

function obstacleIn(value: unknown, ctes: ReadonlySet<string>): FunctionObstacle | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const own = 'withClause' in value ? (value.withClause as RawBody<'WithClause'>) : undefined
  if (own !== undefined) return obstacleInWith(value, own, ctes)
  for (const [name, child] of Object.entries(value)) {
    const found = obstacleOf(name, child, ctes) ?? obstacleIn(child, ctes)
    if (found !== undefined) return found
  }
  return undefined
}

/** Each common table expression sees those before it, and with RECURSIVE all of them. */
function obstacleInWith(
  query: object,
  { ctes: list = [], recursive }: RawBody<'WithClause'>,
  outer: ReadonlySet<string>,
): FunctionObstacle | undefined {
  const inner = new Set(outer)
  const named = list.flatMap((node) => ('CommonTableExpr' in node ? [node.CommonTableExpr] : []))
  const all = new Set([...outer, ...named.map(({ ctename = '' }) => ctename)])
  for (const { ctename = '', ctequery } of named) {
    if (ctequery !== undefined && !('SelectStmt' in ctequery))
      return { kind: 'command', tag: commandTag(ctequery) }
    const found = obstacleIn(ctequery, recursive === true ? all : inner)
    if (found !== undefined) return found
    inner.add(ctename)
  }
  return obstacleIn({ ...query, withClause: undefined }, all)
}

function obstacleOf(
  node: string,
  body: unknown,
  ctes: ReadonlySet<string>,
): FunctionObstacle | undefined {
  if (node === 'RangeVar') {
    const { schemaname, relname = '' } = body as RawBody<'RangeVar'>
    return schemaname === undefined && ctes.has(relname)
      ? undefined
      : { kind: 'relation', name: relname }
  }
  if (node === 'intoClause') return { kind: 'command', tag: 'SELECT INTO' }
  if (node === 'SQLValueFunction') {
    const { op = '' } = body as RawBody<'SQLValueFunction'>
    const word = op === CURRENT_CATALOG ? 'CURRENT_CATALOG' : MOMENTS.exec(op)?.[1]
    return word === undefined ? undefined : { kind: 'session', name: word }
  }
  if (node !== 'FuncCall') return undefined
  const called = builtinName(nameOf(body as RawBody<'FuncCall'>))
  return called !== undefined && isOfSession(called) ? { kind: 'session', name: called } : undefined
}

function isOfSession(name: string): boolean {
  const volatility = volatilityOfName(name)
  if (volatility === undefined) return SERVERS_OWN.test(name)
  return TELL_OF_SESSION.has(name) || (volatility === 'volatile' && !VALUE_MAKERS.has(name))
}

function nameOf({ funcname = [] }: RawBody<'FuncCall'>): readonly string[] {
  return funcname.map(stringOf)
}

/** The name in pg_catalog that a call may have; undefined where it names another schema. */
function builtinName(name: readonly string[]): string | undefined {
  const [last, schema = 'pg_catalog'] = [...name].reverse()
  return schema === 'pg_catalog' ? last : undefined
}
