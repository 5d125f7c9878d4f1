import { PgError } from '../base/pg-error.ts'
import type { Column, Table } from '../schema/logical-schema.ts'
import type { Expr, Query, SortGroupClause, TargetEntry } from '../sql/query-tree.ts'
import type { EmitContext } from './emission.ts'
import { emitPushdown } from './emit-pushdown.ts'
import { NotPushable } from './not-pushable.ts'
import type { Load } from './plan.ts'

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
}

/** The load of a table: an ordinary SELECT of its columns. @throws NotPushable, PgError 54000 as every pushed statement. */
export function emitLoad(request: LoadRequest, context: EmitContext): Load {
  const { table, columns } = request
  return {
    table: { schema: table.schema, name: table.name },
    columns: columns.map(({ name, typeOid, physical: { type } }) => ({ name, typeOid, type })),
    read: emitPushdown(loadQuery(request), context),
  }
}

/** Whether Spanner can say which rows of a table an expression is true of. */
export function canFilter(table: Table, where: Expr, context: EmitContext): boolean {
  const columns = table.columns.slice(0, 1)
  try {
    emitPushdown(loadQuery({ table, columns, where, isLocked: false }), context)
    return true
  } catch (error) {
    if (error instanceof NotPushable || error instanceof PgError) return false
    throw error
  }
}

function loadQuery({ table, columns, where, isLocked, first }: LoadRequest): Query {
  return {
    ...EMPTY,
    rangeTable: [
      {
        kind: 'relation',
        relid: table.oid,
        relkind: 'r',
        columnNames: table.columns.map((column) => column.name),
        inFromClause: true,
        hasTableSample: false,
        inherited: false,
      },
    ],
    relids: [table.oid],
    where,
    targetList: [...columns.map(targetOf), ...(first?.sortTargets ?? [])],
    sortClause: first?.sortClause ?? [],
    limitCount: first?.limitCount,
    rowMarks: isLocked ? [{ rtindex: 1, strength: 'update', wait: 'block' }] : [],
  }
}

function targetOf(column: Column, index: number): TargetEntry {
  return {
    expr: {
      kind: 'Var',
      rtindex: 1,
      attribute: column.attribute,
      type: column.typeOid,
      typmod: column.typmod,
      levelsUp: 0,
      location: -1,
    },
    resno: index + 1,
    name: column.name,
    sortGroupRef: 0,
    originTable: 0,
    originColumn: 0,
    junk: false,
  }
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
