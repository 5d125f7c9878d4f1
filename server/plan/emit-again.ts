import { type Column, quotePhysical } from '../schema/logical-schema.ts'
import type { WrittenTable } from './emit-dml.ts'
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
  /** RETURNING of the first time, with a space before it. */
  readonly returning: string
  /** Attribute numbers of the columns that it gave as they are, with their place in the result. */
  readonly returned: ReadonlyMap<number, number>
  /** Whether a cell of a column is the next value of a sequence, and nothing else. */
  readonly isDrawn: (row: number, column: Column) => boolean
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
  const { source, returned } = first
  if (source.kind !== 'rows') return undefined
  const added = first.leftOut.filter((column) => returned.has(column.attribute))
  const params: DrawnValues['params'][number][] = []
  const place = (row: number, column: Column): string | undefined => {
    const index = returned.get(column.attribute)
    if (index === undefined) return undefined
    params.push({ row, column: index, type: column.physical.type })
    return `$${first.paramCount + params.length}`
  }
  const rows = source.values.map((values, row) => {
    const cells = source.columns.map((column, i) => {
      const value = values[i] ?? DEFAULT
      if (value === DEFAULT) return place(row, column) ?? DEFAULT
      return (first.isDrawn(row, column) ? place(row, column) : undefined) ?? value
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
