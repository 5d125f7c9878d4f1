import { type Column, quotePhysical, type Table } from '../schema/logical-schema.ts'
import { castTypeOf } from '../types/cast-type.ts'
import { findStorage } from '../types/storage.ts'
import type { Emission } from './emission.ts'
import type { WrittenTable } from './emit-dml.ts'
import { mustFindColumn } from './emit-var.ts'
import { columnList, DEFAULT, type InsertSource } from './insert-source.ts'
import { NotPushable } from './not-pushable.ts'
import { arbiterOf, keyOf, type UniqueKey, uniqueKeysOf } from './unique-keys.ts'

/*
 * PostgreSQL:  INSERT INTO t (email, name) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING
 * Spanner:     INSERT INTO "t" AS t1 ("email", "name") SELECT t2.c1, t2.c2 FROM (SELECT $1 AS c1, $2 AS c2) AS t2
 *              WHERE NOT EXISTS (SELECT 1 FROM "t" AS t3 WHERE t3."email" = t2.c1)
 *
 * Spanner's ON CONFLICT knows the primary key alone. Of several new rows with the same key PostgreSQL takes the first; so does the
 * condition that no row before it (t4, the same list) has that key. A row that is passed over for another key must not stand in
 * the way of one behind it: where that can be, and where the rows come from a query, no such condition is written, and
 * Spanner refuses two new rows that conflict with each other (23505).
 */

/** The keys besides the primary key over which DO NOTHING passes; none where Spanner's own ON CONFLICT says it all. */
export function keysToFilter(
  emission: Emission,
  { query, table }: WrittenTable,
  inserted: readonly Column[],
): readonly (readonly Column[])[] {
  const { onConflict } = query
  if (onConflict?.action !== 'nothing') return []
  const arbiter = arbiterOf(table, onConflict)
  const keys = arbiter === undefined ? uniqueKeysOf(table) : [arbiter]
  return keys
    .filter((key) => !key.isPrimary)
    .filter((key) => canConflict(table, key, inserted))
    .map((key) => key.columns.map((attribute) => comparable(emission, table, attribute)))
}

/** A key with a column that is left out and has no default is NULL, and conflicts with nothing. */
function canConflict(table: Table, key: UniqueKey, inserted: readonly Column[]): boolean {
  const columns = key.columns.map((attribute) => mustFindColumn(table, { attribute }))
  const left = columns.filter((column) => !inserted.includes(column))
  if (left.some((column) => column.physical.hasDefault || column.generated)) {
    throw new NotPushable('ON CONFLICT with a unique key over a default')
  }
  return left.length === 0
}

function comparable(emission: Emission, table: Table, attribute: number): Column {
  const column = mustFindColumn(table, { attribute })
  const code = findStorage(column.typeOid, column.typmod)?.type.code
  const isFloat = code === 'FLOAT64' || code === 'FLOAT32'
  if (isFloat && !emission.context.capabilities.safeNumericKeysAndNullFloats) {
    throw new NotPushable('ON CONFLICT with a unique key of floats')
  }
  return column
}

interface FilteredSource {
  readonly source: InsertSource
  readonly keys: readonly (readonly Column[])[]
}

/** The list of columns with a query behind it that leaves out what DO NOTHING passes over. */
export function filteredRows(
  emission: Emission,
  written: WrittenTable,
  { source, keys }: FilteredSource,
): string {
  const { columns } = source
  const rows = emission.newAlias()
  const existing = emission.newAlias()
  const name = quotePhysical(written.table.physicalName)
  const conditions = keys.map((each) => {
    const equal = each.map(
      (column) => `${existing}.${nameOf(column)} = ${rows}.${cellOf(columns, column)}`,
    )
    return `NOT EXISTS (SELECT 1 FROM ${name} AS ${existing} WHERE ${equal.join(' AND ')})`
  })
  const key = isOnlyReason(written, { source, keys }) ? keys[0] : undefined
  const list = asQuery(source, key !== undefined)
  if (key !== undefined) conditions.push(isFirst(emission, { rows, list, columns, key }))
  const cells = columns.map((_column, i) => `${rows}.c${i + 1}`)
  return `${columnList(columns)} SELECT ${cells.join(', ')} FROM (${list}) AS ${rows} WHERE ${conditions.join(' AND ')}`
}

/** Whether a new row can be passed over for one key alone, and there are several of which one may stand in another's way. */
function isOnlyReason({ query, table }: WrittenTable, { source, keys }: FilteredSource): boolean {
  if (source.kind !== 'rows' || source.values.length < 2 || keys.length > 1) return false
  const namesKey = query.onConflict?.constraint !== 0 || query.onConflict.arbiterElements.length > 0
  return namesKey || !keyOf(table).some((column) => source.columns.includes(column))
}

/** The source as a query whose columns are c1, c2 ..., and behind them the row's number where that is asked for. */
function asQuery(source: InsertSource, isNumbered: boolean): string {
  if (source.kind === 'query') return source.select({ namesColumns: true })
  const { columns, values } = source
  if (values.some((row) => row.includes(DEFAULT)))
    throw new NotPushable('ON CONFLICT with DEFAULT in a row')
  return values
    .map((row, n) => {
      const cells = row.map((sql, i) => typedCell(sql, columns[i]))
      if (isNumbered) cells.push(String(n + 1))
      return `SELECT ${cells.map((sql, i) => (n === 0 ? `${sql} AS c${i + 1}` : sql)).join(', ')}`
    })
    .join(' UNION ALL ')
}

/** A bare NULL or string has no type of its own in a query. */
function typedCell(sql: string, column: Column | undefined): string {
  const isBare = sql === 'NULL' || /^'(?:[^']|'')*'$/.test(sql)
  return isBare && column !== undefined ? `${sql}::${castTypeOf(column.typeOid)}` : sql
}

interface NumberedRows {
  readonly rows: string
  readonly list: string
  readonly columns: readonly Column[]
  readonly key: readonly Column[]
}

function isFirst(emission: Emission, { rows, list, columns, key }: NumberedRows): string {
  const earlier = emission.newAlias()
  const number = `c${columns.length + 1}`
  const equal = key.map((column) => {
    const cell = cellOf(columns, column)
    return `${earlier}.${cell} = ${rows}.${cell}`
  })
  return `NOT EXISTS (SELECT 1 FROM (${list}) AS ${earlier} WHERE ${earlier}.${number} < ${rows}.${number} AND ${equal.join(' AND ')})`
}

function nameOf(column: Column): string {
  return quotePhysical(column.physical.name)
}

function cellOf(columns: readonly Column[], column: Column): string {
  return `c${columns.indexOf(column) + 1}`
}
