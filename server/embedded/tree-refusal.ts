import { status as GRPC } from '@grpc/grpc-js'
import { NodeFields } from '../sql/node-fields.ts'
import type { NodeObject, NodeValue } from '../sql/node-text.ts'
import { SPANNER_CASTS, SPANNER_FUNCTIONS } from '../sql/spanner-functions.ts'
import { SPANNER_OPERATORS } from '../sql/spanner-operators.ts'
import { SPANNER_TYPES_THROUGH_TEXT } from '../sql/spanner-types.ts'
import { OID } from '../types/pg-type.ts'
import { isRelationOfSpanner } from './accepted-relations.ts'
import type { DatabaseNames } from './database-names.ts'
import { type Profile, takes } from './profile.ts'
import { refuseQuery } from './query-refusal.ts'
import { walkNodes } from './query-tree-walk.ts'
import { refuse, typeOf, type Visited } from './visited-node.ts'

/** NodeTags of expressions that have a rule; every other one is taken as it is. */
const RULES: Readonly<Record<string, (visited: Visited) => void>> = {
  FUNCEXPR: refuseFunction,
  AGGREF: (visited) => refuseUnknownFunction(visited, visited.fields.int('aggfnoid')),
  ROWEXPR: ({ parents }) => {
    if (parents.some(({ tag }) => tag === 'AGGREF'))
      refuse('Row values in aggregate functions are not supported')
  },
  OPEXPR: refuseOperator,
  SCALARARRAYOPEXPR: refuseArrayComparison,
  NULLIFEXPR: (visited) => {
    refuseOperator(visited)
    if (isEmulator(visited) && comparesNumerics(visited))
      refuse('NULLIF of numeric values is not supported')
  },
  CASEEXPR: (visited) => {
    const arg = visited.fields.object('arg')
    if (isEmulator(visited) && arg !== undefined && typeOf(arg) === OID.numeric)
      refuse('CASE of a numeric value is not supported')
  },
  MINMAXEXPR: (visited) => {
    if (isEmulator(visited) && visited.fields.int('minmaxtype') === OID.numeric)
      refuse('GREATEST and LEAST of numeric values are not supported', GRPC.INVALID_ARGUMENT)
  },
  COERCEVIAIO: refuseTextCast,
  SQLVALUEFUNCTION: ({ fields }) => {
    // CURRENT_DATE and CURRENT_TIMESTAMP of enum SQLValueFunctionOp (primnodes.h).
    const op = fields.int('op')
    if (op !== 0 && op !== 3) refuse('SQL value functions are not supported')
  },
  ROWCOMPAREEXPR: () =>
    refuse('Row comparisons other than = are not supported', GRPC.INVALID_ARGUMENT),
  NULLTEST: ({ fields }) => {
    if (fields.object('arg')?.tag === 'ROWEXPR') refuse('IS NULL of a row value is not supported')
  },
  GROUPINGFUNC: () => refuse('GROUPING is not supported', GRPC.INVALID_ARGUMENT),
  SUBSCRIPTINGREF: ({ fields }) => {
    if (fields.object('refassgnexpr') !== undefined)
      refuse('Assignments to array elements are not supported', GRPC.INVALID_ARGUMENT)
  },
  SUBLINK: refuseSubquery,
  VAR: ({ fields, parents }) => {
    // ON CONFLICT lists the whole row of EXCLUDED beside its columns.
    if (parents.at(-2)?.tag === 'ONCONFLICTEXPR' && fields.int('varattno') <= 0) return
    const attribute = fields.int('varattno')
    if (attribute < 0) refuse('System columns are not supported', GRPC.INVALID_ARGUMENT)
    if (attribute === 0) refuse('Whole-row references are not supported')
  },
  RANGETBLENTRY: refuseRelation,
  QUERY: refuseQuery,
}

/** Throws what Spanner says of a statement that PostgreSQL has analysed. */
export function refuseAnalysed(tree: NodeValue, names: DatabaseNames, profile: Profile): void {
  walkNodes(tree, (node, parents) => {
    RULES[node.tag]?.({ node, fields: new NodeFields(node), parents, names, profile })
  })
}

/** primnodes.h, CoercionForm: a call, a written cast, a cast of PostgreSQL's, SQL syntax. */
const EXPLICIT_CAST = 1
const IMPLICIT_CAST = 2

function refuseFunction(visited: Visited): void {
  const { fields, names } = visited
  const found = names.functionAt(fields.int('funcid'))
  if (found === undefined) return
  if (found.name === 'spanner.pending_commit_timestamp') refuseCommitTimestamp(visited)
  const format = fields.int('funcformat')
  if (format === EXPLICIT_CAST || format === IMPLICIT_CAST) {
    refuseCast(visited, found.signature)
    return
  }
  if (found.hasDefaults) refuseUnknownFunction(visited, fields.int('funcid'))
  refusePlace(visited)
  refuseUnknownFunction(visited, fields.int('funcid'))
  refuseArgument(visited, found.signature)
}

function refuseCast({ profile }: Visited, signature: string): void {
  if (takes(profile, SPANNER_CASTS, signature)) return
  if (signature.endsWith('(jsonb)')) refuse(`cannot cast jsonb: ${signature}`, GRPC.NOT_FOUND)
  refuse(`Cast is not supported: ${signature}`, CAST_CODES[signature] ?? GRPC.UNIMPLEMENTED)
}

/** Functions that return sets stand in FROM, alone, and nothing else does. */
function refusePlace({ fields, parents }: Visited): void {
  const isInFrom = parents.at(-1)?.tag === 'RANGETBLFUNCTION'
  const returnsSet = fields.bool('funcretset')
  if (!isInFrom && returnsSet)
    refuse('Set-returning functions are not allowed in SELECT', GRPC.INVALID_ARGUMENT)
  if (!isInFrom) return
  if (!returnsSet) refuse('Functions in FROM must be table-valued', GRPC.INVALID_ARGUMENT)
  const entry = parents.at(-2)
  if (entry !== undefined && new NodeFields(entry).items('functions').length > 1)
    refuse('Functions of several columns in FROM are not supported', GRPC.INVALID_ARGUMENT)
}

/** The timestamp of a commit can be written only. */
function refuseCommitTimestamp({ parents }: Visited): void {
  const [statement] = parents
  // CMD_SELECT of nodes/nodes.h.
  if (statement !== undefined && new NodeFields(statement).int('commandType') === 1)
    refuse(
      'PENDING_COMMIT_TIMESTAMP() is only supported in INSERT and UPDATE',
      GRPC.INVALID_ARGUMENT,
    )
}

const CAST_CODES: Readonly<Record<string, number>> = {
  'bool(bigint)': GRPC.INVALID_ARGUMENT,
  'int4(boolean)': GRPC.INVALID_ARGUMENT,
}

/** text[], varchar[] of pg_type.dat. */
const ARRAYS_OF_TEXT = new Set([1009, 1015])

/** Functions of any array, or of any type, that Spanner has for some only. */
function refuseArgument({ fields, profile }: Visited, signature: string): void {
  const [first] = fields.objects('args')
  if (first === undefined) return
  if (signature.startsWith('array_to_string(')) {
    const type = typeOf(first)
    if (type !== undefined && !ARRAYS_OF_TEXT.has(type))
      refuse(`Postgres function ${signature} is not supported for this type of array`)
  }
  // A column or expression of type double precision; whole numbers have a function of their own.
  if (
    signature === 'to_timestamp(double precision)' &&
    profile !== 'production' &&
    first.tag === 'VAR'
  )
    refuse('function to_timestamp(double precision) does not exist', GRPC.NOT_FOUND)
}

/** Functions of PostgreSQL that take int4, and that Spanner knows with bigint all the same, only to refuse them. */
const KNOWN_WITH_BIGINT = new Set([
  ...['left', 'right', 'chr', 'pg_relation_size', 'gcd', 'lcm', 'to_hex', 'generate_series'],
])

/** Whether Spanner's catalog has a function that Spanner does not run: such is "not supported", any other "does not exist". */
function isKnownToSpanner(name: string, takesInteger: boolean): boolean {
  return !takesInteger || KNOWN_WITH_BIGINT.has(name)
}

function refuseUnknownFunction({ names, profile }: Visited, oid: number): void {
  const found = names.functionAt(oid)
  if (found === undefined || found.name.startsWith('spanner.')) return
  const { signature, name } = found
  if ([SPANNER_FUNCTIONS, SPANNER_CASTS].some((table) => takes(profile, table, signature))) return
  if (isKnownToSpanner(name, found.takesInteger || found.hasDefaults))
    refuse(`Postgres function ${signature} is not supported`)
  refuse(`function ${signature} does not exist`, GRPC.NOT_FOUND)
}

function refuseOperator({ fields, names, profile }: Visited): void {
  const operator = names.operatorAt(fields.int('opno'))
  if (operator === undefined || takes(profile, SPANNER_OPERATORS, operator)) return
  refuse(`Postgres operator ${operator} is not supported`, OPERATOR_CODES[operator])
}

/** Operators that Spanner's catalog lacks, or whose operands' types it lacks; the others it has only to refuse them. */
const OPERATOR_CODES: Readonly<Record<string, number>> = {
  'jsonb - bigint': GRPC.NOT_FOUND,
  'jsonb @? jsonpath': GRPC.INVALID_ARGUMENT,
  'jsonb @@ jsonpath': GRPC.INVALID_ARGUMENT,
}

/** Numerics are a type of the emulator's own, which many of its constructs do not know. */
function isEmulator({ profile }: Visited): boolean {
  return profile !== 'production'
}

function comparesNumerics({ fields, names }: Visited): boolean {
  return names.operatorAt(fields.int('opno')) === 'numeric = numeric'
}

function refuseArrayComparison(visited: Visited): void {
  refuseOperator(visited)
  const { fields, names } = visited
  const operator = names.operatorAt(fields.int('opno')) ?? ''
  if (!/ (?:=|<>) /.test(operator)) refuse(`ANY and ALL with ${operator} are not supported`)
  const array = withoutCasts(fields.objects('args')[1])
  if (array?.tag === 'CONST') {
    refuse(
      'ANY, SOME, and IN expressions with array literal arguments are not supported. Try using an array constructor (ARRAY[])',
      GRPC.INVALID_ARGUMENT,
    )
  }
  if (array?.tag === 'SUBLINK') refuse('ANY and ALL of an array subquery are not supported')
  if (isEmulator(visited) && array?.tag === 'ARRAYEXPR' && comparesNumerics(visited))
    refuse('Unsupported comparison function: Equal with inputs TYPE_EXTENDED and TYPE_EXTENDED')
  if (array?.tag === 'VAR' && /^(?:double precision|real) /.test(operator))
    refuse(
      'ANY and ALL of an array of floating point numbers are not supported',
      GRPC.INVALID_ARGUMENT,
    )
}

function withoutCasts(node: NodeObject | undefined): NodeObject | undefined {
  if (node?.tag !== 'RELABELTYPE' && node?.tag !== 'ARRAYCOERCEEXPR') return node
  return withoutCasts(new NodeFields(node).object('arg'))
}

function refuseTextCast({ fields, names, profile }: Visited): void {
  const from = names.typeAt(typeOf(fields.object('arg')) ?? 0)
  const to = names.typeAt(fields.int('resulttype'))
  const isTaken = (type: string | undefined) =>
    type === undefined || takes(profile, SPANNER_TYPES_THROUGH_TEXT, type)
  if (!isTaken(from) || !isTaken(to)) refuse(`Cast from ${from} to ${to} is not supported`)
}

/** primnodes.h, SubLinkType. */
const ALL_SUBLINK = 1
const ANY_SUBLINK = 2
const ROWCOMPARE_SUBLINK = 3
const MULTIEXPR_SUBLINK = 5

function refuseSubquery(visited: Visited): void {
  const { fields } = visited
  const type = fields.int('subLinkType')
  const operator = fields.texts('operName')[0]
  if (type === ALL_SUBLINK && operator !== '<>')
    refuse(
      'ALL subqueries with operators other than <>/!= are not supported',
      GRPC.INVALID_ARGUMENT,
    )
  const test = fields.object('testexpr')
  const isRow = test?.tag === 'BOOLEXPR' || test?.tag === 'ROWCOMPAREEXPR'
  if ((type === ANY_SUBLINK && isRow) || type === ROWCOMPARE_SUBLINK || type === MULTIEXPR_SUBLINK)
    refuse('Subqueries of several columns are not supported', GRPC.INVALID_ARGUMENT)
  if (
    isEmulator(visited) &&
    type === ANY_SUBLINK &&
    test?.tag === 'OPEXPR' &&
    typeOf(new NodeFields(test).objects('args')[0]) === OID.numeric
  )
    refuse('IN subqueries of numeric values are not supported')
}

function refuseRelation({ fields, names }: Visited): void {
  const relation = names.relationAt(fields.int('relid'))
  if (relation === undefined) return
  if (!isRelationOfSpanner(relation.schema, relation.name) || relation.isSequence)
    refuse(`relation "${relation.schema}.${relation.name}" does not exist`, GRPC.NOT_FOUND)
}
