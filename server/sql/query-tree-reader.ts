import { Bug } from '../base/pg-error.ts'
import { type FindDomain, withBaseTypes } from './domain-nodes.ts'
import { type FindLabel, withEnumLabels } from './enum-constants.ts'
import { ExpressionReader, readSortGroupClauses } from './expression-reader.ts'
import { type InlineBody, withInlinedCalls } from './inline-calls.ts'
import { memberOf } from './node-enums.ts'
import { asItems, asObject, NodeFields } from './node-fields.ts'
import { type NodeObject, type NodeValue, readNodeText } from './node-text.ts'
import type { CommonTableExpr, OnConflict, Query, RowMark } from './query-tree.ts'
import { readFromNode, readRangeTableEntry, readSetOperation } from './range-table-reader.ts'
import { type UserFunctionLookup, withUserFunctions } from './user-functions.ts'

/** CmdType of nodes/nodes.h (PostgreSQL 15 and later). */
const COMMANDS = [
  'unknown',
  'select',
  'update',
  'insert',
  'delete',
  'merge',
  'utility',
  'nothing',
] as const
const OVERRIDES = ['none', 'user', 'system'] as const
const STRENGTHS = ['none', 'key-share', 'share', 'no-key-update', 'update'] as const
const WAITS = ['block', 'skip', 'error'] as const
const CONFLICT_ACTIONS = ['none', 'nothing', 'update'] as const

/** What only the catalogs know: types and functions that clients made, what extensions brought. */
export interface UserLookup extends UserFunctionLookup {
  readonly findBody?: (oid: number) => InlineBody | undefined
  readonly findLabel: FindLabel
  readonly findDomain: FindDomain
}

/**
 * Reads what the companion prints under debug_print_rewritten: the list of queries that one statement became (one, unless
 * rules are at work).
 *
 * Without `user` there is nothing but what is built in.
 *
 * @throws Bug where the text is not of PostgreSQL 15 or later, PgError 54001 where it is nested too deeply.
 */
export function readQueryTree(text: string, user?: UserLookup): readonly Query[] {
  const tree = readNodeText(text)
  const known = user === undefined ? tree : withUserObjects(tree, user)
  return asItems(known, 'query list').map((item) => readQuery(asObject(item, 'query list')))
}

function withUserObjects(tree: NodeValue, user: UserLookup): NodeValue {
  const whole = user.findBody === undefined ? tree : withInlinedCalls(tree, user.findBody)
  const typed = withEnumLabels(withBaseTypes(whole, user.findDomain), user.findLabel)
  return withUserFunctions(typed, user)
}

const expressions = new ExpressionReader(readQuery)

function readQuery(node: NodeObject): Query {
  if (node.tag !== 'QUERY') throw new Bug(`${node.tag} where a query should be`)
  const fields = new NodeFields(node)
  const command = memberOf(COMMANDS, fields.int('commandType'), 'CmdType')
  if (command === 'unknown') throw new Bug('a query of no command type')
  const jointree = fields.object('jointree')
  const from = jointree === undefined ? undefined : readFromNode(jointree, expressions)
  if (from !== undefined && from.kind !== 'FromExpr') throw new Bug(`${from.kind} as a join tree`)
  const setOperations = fields.object('setOperations')
  return {
    kind: 'Query',
    command,
    resultRelation: fields.int('resultRelation'),
    rangeTable: fields.objects('rtable').map((entry) => readRangeTableEntry(entry, expressions)),
    relids: [...new Set(relidsIn(node))],
    from: from?.from ?? [],
    where: from?.quals,
    targetList: expressions.targets(fields, 'targetList'),
    returningList: expressions.targets(fields, 'returningList'),
    onConflict: readOnConflict(fields.object('onConflict')),
    ...readGrouping(fields),
    sortClause: readSortGroupClauses(fields, 'sortClause'),
    limitOffset: expressions.optional(fields.object('limitOffset')),
    limitCount: expressions.optional(fields.object('limitCount')),
    limitWithTies: fields.int('limitOption') === 1,
    rowMarks: fields.objects('rowMarks').map(readRowMark),
    setOperations: setOperations === undefined ? undefined : readSetOperation(setOperations),
    ctes: fields.objects('cteList').map(readCte),
    hasRecursive: fields.bool('hasRecursive'),
    hasModifyingCte: fields.bool('hasModifyingCTE'),
    hasCheckOptions: fields.items('withCheckOptions').length > 0,
    override: memberOf(OVERRIDES, fields.int('override'), 'OverridingKind'),
  }
}

/**
 * The relations in a node, whatever holds them: also what has no typed form here. The rewriter leaves a view's own entry
 * in the range table beside the subquery that it put in its place, and EXCLUDED is an entry of kind `c`.
 */
function relidsIn(value: NodeValue): readonly number[] {
  if (value?.kind === 'list') return value.items.flatMap(relidsIn)
  if (value?.kind !== 'object') return []
  const below = [...value.fields.values()].flatMap(relidsIn)
  if (value.tag !== 'RANGETBLENTRY') return below
  const fields = new NodeFields(value)
  const relkind = fields.text('relkind') ?? ''
  const isRelation = fields.int('rtekind') === 0 && relkind !== 'v' && relkind !== 'c'
  return isRelation ? [...below, fields.int('relid')] : below
}

/** What SELECT may do to its rows before it orders them. */
function readGrouping(fields: NodeFields) {
  return {
    groupClause: readSortGroupClauses(fields, 'groupClause'),
    groupDistinct: fields.bool('groupDistinct'),
    hasGroupingSets: fields.items('groupingSets').length > 0,
    having: expressions.optional(fields.object('havingQual')),
    hasWindowFunctions: fields.bool('hasWindowFuncs'),
    partitions: fields
      .objects('windowClause')
      .map((window) => readSortGroupClauses(new NodeFields(window), 'partitionClause')),
    hasAggregates: fields.bool('hasAggs'),
    hasTargetSrfs: fields.bool('hasTargetSRFs'),
    distinctClause: readSortGroupClauses(fields, 'distinctClause'),
    hasDistinctOn: fields.bool('hasDistinctOn'),
  }
}

function readOnConflict(node: NodeObject | undefined): OnConflict | undefined {
  if (node === undefined) return undefined
  const fields = new NodeFields(node)
  const action = memberOf(CONFLICT_ACTIONS, fields.int('action'), 'OnConflictAction')
  if (action === 'none') return undefined
  return {
    action,
    arbiterElements: fields
      .objects('arbiterElems')
      .map((element) => expressions.field(new NodeFields(element), 'expr')),
    hasArbiterWhere: fields.has('arbiterWhere'),
    constraint: fields.int('constraint'),
    set: expressions.targets(fields, 'onConflictSet'),
    where: expressions.optional(fields.object('onConflictWhere')),
    excludedRtindex: fields.int('exclRelIndex'),
  }
}

function readRowMark(node: NodeObject): RowMark {
  const fields = new NodeFields(node)
  const strength = memberOf(STRENGTHS, fields.int('strength'), 'LockClauseStrength')
  if (strength === 'none') throw new Bug('a row mark without strength')
  return {
    rtindex: fields.int('rti'),
    strength,
    wait: memberOf(WAITS, fields.int('waitPolicy'), 'LockWaitPolicy'),
  }
}

function readCte(node: NodeObject): CommonTableExpr {
  const fields = new NodeFields(node)
  return {
    name: fields.text('ctename') ?? '',
    query: expressions.query(fields, 'ctequery'),
    recursive: fields.bool('cterecursive'),
    columnNames: fields.texts('ctecolnames'),
  }
}
