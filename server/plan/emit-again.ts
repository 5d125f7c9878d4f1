import { type Column, quotePhysical } from '../schema/logical-schema.ts'
import type { WrittenTable } from './emit-dml.ts'
import { mustFindColumn } from './emit-var.ts'
import { columnList, DEFAULT, type InsertSource } from './insert-source.ts'
import { MAX_PARAMS } from './limits.ts'
import type { DrawnValues } from './plan.ts'

/** An INSERT as it is sent first. */
interface FirstInsert {
  readonly source: InsertSource
  /** Columns that are left to Spanner in every row. */
  readonly leftOut: readonly Column[]
  readonly paramCount: number
  /** ON CONFLICT, with a space before it; empty without. */
  readonly conflict: string
  /** RETURNING, with a space before it. */
  readonly returning: string
}

/*
 * PostgreSQL:  INSERT INTO t (name) VALUES ($1) RETURNING id
 * Spanner:     INSERT INTO "t" AS t1 ("name") VALUES ($1) RETURNING t1."id"
 * again:       INSERT INTO "t" AS t1 ("name", "id") VALUES ($1, $2) RETURNING t1."id"      $2 is the id of the first time
 *
 * What Spanner filled in and the client was told stays so when the transaction is run again: sequences go on, and would give
 * other values.
 */
export function emitAgain(written: WrittenTable, first: FirstInsert): DrawnValues | undefined {
  const { source } = first
  if (source.kind !== 'rows') return undefined
  const returned = returnedColumns(written)
  const added = first.leftOut.filter((column) => returned.has(column.attribute))
  const params: DrawnValues['params'][number][] = []
  const place = (row: number, column: Column): string => {
    const index = returned.get(column.attribute)
    if (index === undefined) return DEFAULT
    params.push({ row, column: index, type: column.physical.type })
    return `$${first.paramCount + params.length}`
  }
  const rows = source.values.map((values, row) => {
    const cells = source.columns.map((column, i) => {
      const value = values[i] ?? DEFAULT
      return value === DEFAULT ? place(row, column) : value
    })
    return `(${[...cells, ...added.map((column) => place(row, column))].join(', ')})`
  })
  if (params.length === 0 || first.paramCount + params.length > MAX_PARAMS) return undefined
  const { table, alias } = written
  const head = `INSERT INTO ${quotePhysical(table.physicalName)} AS ${alias}`
  const columns = columnList([...source.columns, ...added])
  return {
    sql: `${head} ${columns} VALUES ${rows.join(', ')}${first.conflict}${first.returning}`,
    params,
    rowCount: source.values.length,
  }
}

/** Attribute numbers of the columns that RETURNING gives as they are, with their place in the result. */
function returnedColumns({ query, table }: WrittenTable): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  const targets = query.returningList.filter((target) => !target.junk)
  for (const [index, { expr }] of targets.entries()) {
    if (expr.kind !== 'Var' || expr.rtindex !== query.resultRelation || expr.levelsUp !== 0)
      continue
    found.set(mustFindColumn(table, expr).attribute, index)
  }
  return found
}
