import { PgError } from '../base/pg-error.ts'
import type { Column, Table } from '../schema/logical-schema.ts'
import type {
  Expr,
  Query,
  RangeTableEntry,
  SortGroupClause,
  TargetEntry,
} from '../sql/query-tree.ts'
import type { EmitContext } from './emission.ts'
import { emitPushdown } from './emit-pushdown.ts'
import { typeOf, typmodOf } from './expression-type.ts'
import { withTies } from './first-rows.ts'
import { int4Const } from './integer-const.ts'
import { NotPushable } from './not-pushable.ts'
import type { Load } from './plan.ts'
import { outputsOf } from './query-outputs.ts'

/** Which rows and columns of a table an emulated statement needs. Expressions are over entry 1 of the range table. */
export interface LoadRequest {
  readonly table: Table
  readonly columns: readonly Column[]
  readonly where: Expr | undefined
  readonly isLocked: boolean
  readonly first?: FirstRows | undefined
}

/** Only so many rows, in an order. */
export interface FirstRows {
  readonly sortClause: readonly SortGroupClause[]
  /** What {@link sortClause} sorts by. */
  readonly sortTargets: readonly TargetEntry[]
  readonly limitCount: Expr
  /** And those that come last together with them. */
  readonly withTies: boolean
}

/** The load of a table: an ordinary SELECT of its columns. @throws NotPushable, PgError 54000 as every pushed statement. */
export function emitLoad(request: LoadRequest, context: EmitContext): Load {
  const { table, columns } = request
  const query = loadQuery(request)
  return {
    table: { oid: table.oid, schema: table.schema, name: table.name },
    columns: columns.map(({ name, typeOid, physical: { type } }) => ({ name, typeOid, type })),
    read: emitPushdown(request.first?.withTies === true ? mustTie(query) : query, context),
  }
}

/** Whether Spanner can say which rows of a table an expression is true of. */
export function canFilter(table: Table, where: Expr, context: EmitContext): boolean {
  return canTest([entryOf(table)], where, context)
}

/** Whether Spanner can say which rows of tables joined an expression is true of. */
export function canTest(
  entries: readonly RangeTableEntry[],
  where: Expr,
  context: EmitContext,
): boolean {
  try {
    emitPushdown(selectOne(entries, where), context)
    return true
  } catch (error) {
    if (error instanceof NotPushable || error instanceof PgError) return false
    throw error
  }
}

/** SELECT 1 FROM the entries WHERE the condition is true. */
export function selectOne(entries: readonly RangeTableEntry[], where: Expr | undefined): Query {
  return {
    ...EMPTY,
    rangeTable: entries,
    relids: entries.flatMap((entry) => (entry.kind === 'relation' ? [entry.relid] : [])),
    from: entries.map((_, index) => ({ kind: 'RangeTableRef', rtindex: index + 1 })),
    where,
    targetList: [target(int4Const(1), { resno: 1, name: '?column?' })],
  }
}

/** SELECT all columns of a subquery WHERE the conditions are true of its rows. */
export function selectedFrom(
  entry: Extract<RangeTableEntry, { readonly kind: 'subquery' }>,
  conditions: readonly Expr[],
): Query {
  return {
    ...EMPTY,
    rangeTable: [entry],
    relids: entry.query.relids,
    where: { kind: 'BoolExpr', op: 'and', args: conditions, location: -1 },
    targetList: outputsOf(entry.query).map(({ expr, name = '' }, index) =>
      target(
        {
          kind: 'Var',
          rtindex: 1,
          attribute: index + 1,
          type: typeOf(expr),
          typmod: typmodOf(expr),
          levelsUp: 0,
          location: -1,
        },
        { resno: index + 1, name },
      ),
    ),
  }
}

function loadQuery({ table, columns, where, isLocked, first }: LoadRequest): Query {
  return {
    ...EMPTY,
    rangeTable: [entryOf(table)],
    relids: [table.oid],
    where,
    targetList: [...columns.map(targetOf), ...(first?.sortTargets ?? [])],
    sortClause: first?.sortClause ?? [],
    limitCount: first?.limitCount,
    rowMarks: isLocked ? [{ rtindex: 1, strength: 'update', wait: 'block' }] : [],
  }
}

function mustTie(top: Query): Query {
  const tied = withTies(top)
  if (tied === undefined) throw new NotPushable('WITH TIES of a number that is not known')
  return tied
}

function entryOf(table: Table): RangeTableEntry {
  return {
    kind: 'relation',
    relid: table.oid,
    relkind: 'r',
    columnNames: table.columns.map((column) => column.name),
    inFromClause: true,
    hasTableSample: false,
    inherited: false,
  }
}

function targetOf(column: Column, index: number): TargetEntry {
  const { attribute, typeOid: type, typmod, name } = column
  return target(
    { kind: 'Var', rtindex: 1, attribute, type, typmod, levelsUp: 0, location: -1 },
    { resno: index + 1, name },
  )
}

function target(expr: Expr, { resno, name }: Pick<TargetEntry, 'resno' | 'name'>): TargetEntry {
  return { expr, resno, name, sortGroupRef: 0, originTable: 0, originColumn: 0, junk: false }
}

/** SELECT .. FROM the first entry of the range table. */
const EMPTY: Query = {
  kind: 'Query',
  command: 'select',
  resultRelation: 0,
  rangeTable: [],
  relids: [],
  from: [{ kind: 'RangeTableRef', rtindex: 1 }],
  where: undefined,
  targetList: [],
  returningList: [],
  onConflict: undefined,
  groupClause: [],
  groupDistinct: false,
  hasGroupingSets: false,
  having: undefined,
  hasWindowFunctions: false,
  partitions: [],
  hasAggregates: false,
  hasTargetSrfs: false,
  distinctClause: [],
  hasDistinctOn: false,
  sortClause: [],
  limitOffset: undefined,
  limitCount: undefined,
  limitWithTies: false,
  rowMarks: [],
  setOperations: undefined,
  ctes: [],
  hasRecursive: false,
  hasModifyingCte: false,
  override: 'none',
  hasCheckOptions: false,
}
