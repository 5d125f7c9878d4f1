import { type Column, quotePhysical } from '../schema/logical-schema.ts'
import { NotPushable } from './not-pushable.ts'

/** What an INSERT writes, as SQL: rows of values, or a query whose columns are named c1, c2 ... where that is asked for. */
export type InsertSource =
  | {
      readonly kind: 'rows'
      readonly columns: readonly Column[]
      readonly values: readonly (readonly string[])[]
    }
  | {
      readonly kind: 'query'
      readonly columns: readonly Column[]
      /** To be called once. */
      readonly select: (options: { readonly namesColumns: boolean }) => string
    }

/** Stands in a row of VALUES for the default that Spanner fills in. */
export const DEFAULT = 'DEFAULT'

/** The list of columns with the rows behind it. */
export function plainRows(source: InsertSource): string {
  const { columns } = source
  if (source.kind === 'query')
    return `${columnList(columns)} ${source.select({ namesColumns: false })}`
  if (columns.length === 0) return defaultRow(source.values.length)
  const rows = source.values.map((row) => `(${row.join(', ')})`)
  return `${columnList(columns)} VALUES ${rows.join(', ')}`
}

function defaultRow(count: number): string {
  if (count === 1) return 'DEFAULT VALUES'
  throw new NotPushable('several rows of nothing but defaults')
}

/** `("a", "b")` */
export function columnList(columns: readonly Column[]): string {
  return `(${columns.map((column) => quotePhysical(column.physical.name)).join(', ')})`
}
