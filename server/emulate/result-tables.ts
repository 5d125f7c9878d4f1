import { OWNER_ROLE } from '../companion/shared-catalogs-sql.ts'
import type { Load } from '../plan/plan.ts'
import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'

/** A load of a query's result, as far as its table goes: the name tells the types of the columns. */
export type ResultShape = Pick<Load, 'table' | 'columns' | 'result'>

/** The statements that lead from the tables for results that there are to those that there should be. */
export function planResultTables(
  actual: readonly ResultShape[],
  wanted: readonly ResultShape[],
): readonly string[] {
  const isAmong = (shapes: readonly ResultShape[], { table }: ResultShape) =>
    shapes.some((shape) => shape.table.name === table.name)
  const dropped = actual.filter((shape) => !isAmong(wanted, shape))
  const made = wanted.filter((shape) => !isAmong(actual, shape))
  return [
    ...dropped.map(({ table }) => `DROP TABLE ${emitPostgresName(table)}`),
    ...(made.length === 0 ? [] : ['SET LOCAL allow_system_table_mods = on']),
    ...made.flatMap(createTable),
  ]
}

/** Unlogged: what is in it is never committed. */
function createTable({ table, columns, result }: ResultShape): readonly string[] {
  const list = columns.map((column, i) => `${column.name} ${result?.types[i] ?? 'text'}`)
  const name = emitPostgresName(table)
  return [
    `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(table.schema)} AUTHORIZATION ${OWNER_ROLE}`,
    `CREATE UNLOGGED TABLE ${name} (${list.join(', ')})`,
    `ALTER TABLE ${name} OWNER TO ${OWNER_ROLE}`,
  ]
}
