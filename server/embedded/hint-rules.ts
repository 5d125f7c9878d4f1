import { status as GRPC } from '@grpc/grpc-js'
import { NodeFields } from '../sql/node-fields.ts'
import type { NodeValue } from '../sql/node-text.ts'
import type { DatabaseNames, RelationNames } from './database-names.ts'
import type { Hint, HintGroup, HintPlace } from './hints.ts'
import type { Profile } from './profile.ts'
import { walkNodes } from './query-tree-walk.ts'
import type { StatementKind } from './sql-refusal.ts'
import { refuse } from './visited-node.ts'

/** Where a hint is known. A statement is a query or DML. */
type Place = Exclude<HintPlace['kind'], 'statement' | 'other'> | StatementKind

interface HintRule {
  /** Both profiles; measured on the emulator. */
  readonly at: readonly Place[]
  /** In production besides: "Spanner query hint extensions to open source PostgreSQL", and the hints that GoogleSQL shares with it. */
  readonly inProduction?: readonly Place[]
  readonly values: (value: Hint['value']) => boolean
}

const JOINS: readonly Place[] = ['query', 'join', 'array-join', 'subquery']
const BOTH: readonly Place[] = ['query', 'dml']

function isBoolean({ kind }: Hint['value']): boolean {
  return kind === 'boolean'
}

function isText({ kind }: Hint['value']): boolean {
  return kind === 'text'
}

function isNumber(from: number, to: number): HintRule['values'] {
  return ({ kind, shown }) =>
    kind === 'other' && /^\d+$/.test(shown) && Number(shown) >= from && Number(shown) <= to
}

function isOneOf(...words: readonly string[]): HintRule['values'] {
  return ({ kind, shown }) => kind === 'text' && words.includes(shown.toLowerCase())
}

const isJoinMethod = isOneOf(
  'hash_join',
  'apply_join',
  'loop_join',
  'merge_join',
  'push_broadcast_hash_join',
)
const isScanMethod = isOneOf('auto', 'batch', 'row', 'columnar', 'no_columnar')
const isOptimizerName = isOneOf('latest', 'latest_version', 'default_version')
/** "Query optimizer versions". */
const isOptimizerNumber = isNumber(1, 9)

const RULES: Readonly<Record<string, HintRule>> = {
  use_additional_parallelism: { at: ['query'], inProduction: BOTH, values: isBoolean },
  lock_scanned_ranges: {
    at: ['query'],
    inProduction: BOTH,
    values: isOneOf('exclusive', 'shared'),
  },
  constant_folding: { at: ['query'], inProduction: BOTH, values: isBoolean },
  enable_adaptive_plans: { at: ['query'], inProduction: BOTH, values: isBoolean },
  parameter_sensitive: {
    at: ['query'],
    inProduction: BOTH,
    values: isOneOf('auto', 'always', 'never'),
  },
  force_index: { at: ['query', 'table'], values: isText },
  index_strategy: { at: ['query', 'table'], values: isOneOf('force_index_union') },
  groupby_scan_optimization: { at: ['table'], values: isBoolean },
  force_join_order: { at: JOINS, inProduction: BOTH, values: isBoolean },
  join_method: { at: JOINS, inProduction: BOTH, values: isJoinMethod },
  join_type: { at: JOINS, inProduction: BOTH, values: isJoinMethod },
  hash_join_build_side: {
    at: JOINS,
    inProduction: BOTH,
    values: isOneOf('build_left', 'build_right'),
  },
  hash_join_execution: {
    at: JOINS,
    inProduction: BOTH,
    values: isOneOf('multi_pass', 'one_pass'),
  },
  batch_mode: {
    at: ['array-join', 'subquery'],
    inProduction: [...BOTH, 'join'],
    values: isBoolean,
  },
  disable_inline: { at: ['function'], values: isBoolean },
  optimizer_version: {
    at: [],
    inProduction: BOTH,
    values: (value) => isOptimizerName(value) || isOptimizerNumber(value),
  },
  optimizer_statistics_package: { at: [], inProduction: BOTH, values: isText },
  allow_distributed_merge: { at: [], inProduction: BOTH, values: isBoolean },
  allow_timestamp_predicate_pushdown: { at: [], inProduction: BOTH, values: isBoolean },
  use_unenforced_foreign_key: { at: [], inProduction: BOTH, values: isBoolean },
  scan_method: { at: [], inProduction: [...BOTH, 'table'], values: isScanMethod },
  execution_method: { at: [], inProduction: BOTH, values: isOneOf('batch', 'row') },
  seekable_key_size: { at: [], inProduction: ['table'], values: isNumber(0, 16) },
  pdml_max_parallelism: { at: [], inProduction: ['dml'], values: isNumber(1, 1_000_000) },
}

/** The index of FORCE_INDEX that is none. */
const BASE_TABLE = '_base_table'

/** What hints are checked by besides themselves. */
interface HintedStatement {
  readonly kind: StatementKind
  readonly tree: NodeValue
  readonly names: DatabaseNames
  readonly profile: Profile
}

/** Throws INVALID_ARGUMENT, as Spanner does, for a hint that is not known where it stands, or has a value that it cannot have. */
export function refuseHints(groups: readonly HintGroup[], statement: HintedStatement): void {
  for (const { place, hints } of groups) {
    if (place.kind === 'other') continue
    const known = readValues(hints, place, statement)
    for (const [name, value] of known) refuseValue(name, value, known)
    const index = known.get('force_index')
    if (index !== undefined) refuseIndex(index.shown, place, statement)
    if (known.has('lock_scanned_ranges') && hasRowMark(statement.tree))
      invalid('FOR UPDATE cannot be combined with the hint lock_scanned_ranges.')
  }
}

/** The values of hints by their folded names. Those of other engines, by their qualifier, are nothing to Spanner. */
function readValues(
  hints: readonly Hint[],
  place: HintPlace,
  statement: HintedStatement,
): ReadonlyMap<string, Hint['value']> {
  const values = new Map<string, Hint['value']>()
  for (const { qualifier = 'spanner', name, value } of hints) {
    if (qualifier.toLowerCase() !== 'spanner') continue
    const folded = name.toLowerCase()
    if (!isKnownAt(folded, place, statement)) invalid(`Unsupported hint: ${name}.`)
    if (values.has(folded)) invalid(`Multiple values for hint: ${name}`)
    values.set(folded, value)
  }
  return values
}

function hasRowMark(tree: NodeValue): boolean {
  let isFound = false
  walkNodes(tree, ({ tag }) => {
    isFound ||= tag === 'ROWMARKCLAUSE'
  })
  return isFound
}

function isKnownAt(name: string, place: HintPlace, { kind, profile }: HintedStatement): boolean {
  const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined
  if (rule === undefined || place.kind === 'other') return false
  const at = place.kind === 'statement' ? kind : place.kind
  return (
    rule.at.includes(at) || (profile === 'production' && rule.inProduction?.includes(at) === true)
  )
}

function refuseValue(
  name: string,
  value: Hint['value'],
  beside: ReadonlyMap<string, Hint['value']>,
): void {
  if (name === 'hash_join_build_side' && value.kind === 'text') {
    const method = beside.get('join_method') ?? beside.get('join_type')
    if (method?.shown.toLowerCase() !== 'hash_join')
      invalid(`${name} hint is only supported for HASH joins.`)
  }
  if (RULES[name]?.values(value) === true) return
  const shown = value.kind === 'text' ? JSON.stringify(value.shown) : value.shown
  invalid(`Invalid hint value for: ${name} hint: ${shown}.`)
}

/** An index of the table that is hinted, in whatever case it is written. */
function refuseIndex(name: string, place: HintPlace, statement: HintedStatement): void {
  if (name.toLowerCase() === BASE_TABLE) return
  if (place.kind !== 'table')
    invalid(`Invalid statement-level hint value: force_index=${JSON.stringify(name)}.`)
  const isThere = relationsOf(statement).some(
    (relation) =>
      relation.name === place.table &&
      (place.schema ?? relation.schema) === relation.schema &&
      relation.writes.indexes.some((index) => isNamed(index.name, relation.schema, name)),
  )
  if (!isThere) invalid(`The table ${place.table} does not have a secondary index called ${name}`)
}

function isNamed(index: string, schema: string, written: string): boolean {
  const folded = written.toLowerCase()
  return folded === index.toLowerCase() || folded === `${schema}.${index}`.toLowerCase()
}

/** The relations that a statement names. */
function relationsOf({ tree, names }: HintedStatement): RelationNames[] {
  const found: RelationNames[] = []
  walkNodes(tree, (node) => {
    if (node.tag !== 'RANGETBLENTRY') return
    const relation = names.relationAt(new NodeFields(node).int('relid'))
    if (relation !== undefined) found.push(relation)
  })
  return found
}

function invalid(text: string): never {
  refuse(text, GRPC.INVALID_ARGUMENT)
}
