import { status as GRPC } from '@grpc/grpc-js'
import type { RawBody, RawNode, RawNodeName } from '../sql/raw-node.ts'
import { constText, stringOf } from '../sql/raw-node.ts'
import { INTEGER, SPANNER_TYPE_NAMES } from '../sql/spanner-types.ts'
import { parseStatements, SyntaxProblem } from '../sql/statement.ts'
import { GrpcStatus } from './grpc-status.ts'
import { type Profile, takes } from './profile.ts'

/*
 * What Spanner refuses by how it is written: PostgreSQL's analysis would have forgotten the difference (`::int4` and `::int`), or would answer
 * otherwise first.
 */

type Refusal = readonly [code: number, text: string]

function unimplemented(text: string): Refusal {
  return [GRPC.UNIMPLEMENTED, text]
}

function invalid(text: string): Refusal {
  return [GRPC.INVALID_ARGUMENT, text]
}

type Rules = {
  readonly [K in RawNodeName]?: (body: RawBody<K>, profile: Profile) => Refusal | undefined
}

const UNTYPED = invalid('Unable to resolve argument type. Please consider adding an explicit cast')

const RULES: Rules = {
  TypeName: ({ names = [] }, profile) => {
    const written = names.map(stringOf)
    const full = written.join('.')
    const name = full.startsWith('pg_catalog.') ? full.slice('pg_catalog.'.length) : full
    if (full === INTEGER || name === '' || takes(profile, SPANNER_TYPE_NAMES, name))
      return undefined
    if (!isBuiltIn(name)) return undefined
    return unimplemented(`The Postgres Type is not supported: ${name}`)
  },
  TypeCast: ({ arg, typeName }) => {
    if (arg === undefined || !('A_Const' in arg) || arg.A_Const.sval === undefined) return undefined
    const type = stringOf(typeName?.names?.at(-1))
    const text = constText(arg.A_Const)
    const isRefused =
      ((type === 'date' || type === 'timestamptz') &&
        /^\s*(?:[a-z]|[-+]infinity|\d{5,}-)|\bBC\b/i.test(text)) ||
      (type === 'numeric' && /^\s*[-+]?inf/i.test(text))
    return isRefused ? invalid(`invalid input syntax for type ${type}: "${text}"`) : undefined
  },
  A_Expr: ({ kind }, profile) => {
    if (kind === 'AEXPR_ILIKE') return unimplemented('ILIKE is not supported')
    if (kind === 'AEXPR_SIMILAR') return unimplemented('SIMILAR TO is not supported')
    const isDistinct = kind === 'AEXPR_DISTINCT' || kind === 'AEXPR_NOT_DISTINCT'
    return isDistinct && profile !== 'production'
      ? invalid('IS DISTINCT FROM is not supported')
      : undefined
  },
  NullTest: ({ arg }) => (isUntyped(arg) ? UNTYPED : undefined),
  FuncCall: ({ funcname = [], args = [], agg_order: order = [] }, profile) => {
    const name = funcname.map(stringOf).join('.')
    if (name === 'nextval' && args.some(isRegclass))
      return [GRPC.NOT_FOUND, 'function nextval(regclass) does not exist']
    if (profile !== 'production' && NOT_IN_EMULATOR.has(name))
      return unimplemented(`Postgres function ${name} is not supported`)
    if (order.length > 0 && profile !== 'production')
      return unimplemented('Aggregate functions with ORDER BY are not supported')
    return TAKES_ANY.has(stringOf(funcname.at(-1))) &&
      args.some(isUntyped) &&
      profile !== 'production'
      ? UNTYPED
      : undefined
  },
  A_ArrayExpr: ({ elements = [] }) =>
    elements.some((element) => 'A_ArrayExpr' in element)
      ? invalid('Multi-dimensional arrays are not supported')
      : undefined,
  CollateClause: () => invalid('COLLATE clauses are not supported'),
  JoinExpr: ({ isNatural }) =>
    isNatural === true ? unimplemented('NATURAL JOIN is not supported') : undefined,
  A_Indirection: ({ indirection = [] }) =>
    indirection.some((step) => 'String' in step)
      ? unimplemented('Selecting a field of a composite value is not supported')
      : undefined,
  RangeFunction: ({ functions = [], is_rowsfrom: isRowsFrom }) => {
    if (isRowsFrom === true && functions.length > 1)
      return invalid('ROWS FROM with several functions is not supported')
    return undefined
  },
  WithClause: ({ recursive, ctes = [] }) =>
    recursive === true && ctes.some(readsItself)
      ? unimplemented('Recursive WITH expressions are not supported')
      : undefined,
  InsertStmt: ({ selectStmt }) => {
    if (selectStmt === undefined || !('SelectStmt' in selectStmt)) return undefined
    const { targetList = [], withClause } = selectStmt.SelectStmt
    if (withClause !== undefined)
      return unimplemented('WITH expressions are only supported for SELECT statements')
    const isOpen = targetList.some(
      (target) => 'ResTarget' in target && isText(target.ResTarget.val),
    )
    return isOpen ? UNTYPED : undefined
  },
  SelectStmt: ({ lockingClause = [] }, profile) =>
    lockingClause.length > 0 && profile !== 'production'
      ? unimplemented('Statements with ROW MARK clauses are not supported')
      : undefined,
  RangeVar: ({ schemaname, relname = '' }) =>
    schemaname === undefined && /^pg_/.test(relname)
      ? [GRPC.NOT_FOUND, `relation "${relname}" does not exist`]
      : undefined,
}

/** Functions of PostgreSQL with arguments of any type: a literal without a type is none to Spanner. */
const TAKES_ANY = new Set([
  'concat',
  'concat_ws',
  'format',
  'num_nulls',
  'jsonb_build_object',
  'json_build_object',
  'pg_collation_for',
])

/** Functions of Spanner's own that the emulator knows of, and has not. */
const NOT_IN_EMULATOR = new Set(['spanner.jsonb_query_array', 'spanner.timestamp_from_unix_micros'])

function isRegclass(node: RawNode): boolean {
  return 'TypeCast' in node && stringOf(node.TypeCast.typeName?.names?.at(-1)) === 'regclass'
}

/** Types that PostgreSQL has, and Spanner knows of, besides those that are taken. */
const BUILT_IN = new Set(
  (
    'int4 int2 char bpchar name timestamp time timetz interval uuid json bit varbit money inet cidr macaddr macaddr8 xml point line lseg box path ' +
    'polygon circle tsvector tsquery regclass regtype regproc regprocedure regoper regoperator regrole regnamespace regconfig regdictionary ' +
    'regcollation xid xid8 cid tid void record any anyelement anyarray pg_lsn jsonpath oidvector int2vector smallint "char" int4range ' +
    'int8range numrange tsrange tstzrange daterange'
  ).split(' '),
)

function isBuiltIn(name: string): boolean {
  return BUILT_IN.has(name)
}

/** A query that reads its own name; one of the same name in a schema is another. */
function readsItself(cte: RawNode): boolean {
  if (!('CommonTableExpr' in cte)) return false
  const { ctename, ctequery } = cte.CommonTableExpr
  return JSON.stringify(ctequery).includes(`"RangeVar":{"relname":${JSON.stringify(ctename)}`)
}

function isText(node: RawNode | undefined): boolean {
  return node !== undefined && 'A_Const' in node && node.A_Const.sval !== undefined
}

function isUntyped(node: RawNode | undefined): boolean {
  if (node === undefined || !('A_Const' in node)) return false
  return node.A_Const.sval !== undefined || node.A_Const.isnull === true
}

/** Throws what Spanner says of a statement that it refuses by how it is written. What does not parse is left to PostgreSQL. */
export function refuseWritten(sql: string, profile: Profile): void {
  let nodes: readonly RawNode[]
  try {
    nodes = parseStatements(sql).map(({ node }) => node)
  } catch (error) {
    if (error instanceof SyntaxProblem) return
    throw error
  }
  for (const node of nodes) {
    if ('SelectStmt' in node) refuseSelect(node.SelectStmt)
    visit(node, profile)
  }
}

/** What only the outermost query may not be. */
function refuseSelect({ valuesLists, targetList, op }: RawBody<'SelectStmt'>): void {
  if (valuesLists !== undefined) fail(unimplemented('Statement is not supported.'))
  const isRow = (target: RawNode) =>
    'ResTarget' in target && target.ResTarget.val !== undefined && 'RowExpr' in target.ResTarget.val
  if (targetList?.some(isRow) === true) fail(invalid('Row values are not supported as results'))
  if (targetList === undefined && (op === undefined || op === 'SETOP_NONE'))
    fail(invalid('SELECT without a list of columns is not supported'))
}

function visit(value: unknown, profile: Profile): void {
  if (Array.isArray(value)) for (const item of value) visit(item, profile)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, body] of Object.entries(value)) {
      const rule = ruleOf(NODE_OF_FIELD[name] ?? name)
      const refusal = rule?.(body, profile)
      if (refusal !== undefined) fail(refusal)
      visit(body, profile)
    }
  }
}

/** Fields that hold a node without its name. */
const NODE_OF_FIELD: Readonly<Record<string, RawNodeName>> = {
  withClause: 'WithClause',
  typeName: 'TypeName',
  relation: 'RangeVar',
}

function ruleOf(
  name: string,
): ((body: unknown, profile: Profile) => Refusal | undefined) | undefined {
  return Object.hasOwn(RULES, name)
    ? (RULES[name as RawNodeName] as (body: unknown, profile: Profile) => Refusal | undefined)
    : undefined
}

function fail([code, text]: Refusal): never {
  throw new GrpcStatus(code, text)
}
