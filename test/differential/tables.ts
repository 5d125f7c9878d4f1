import { COLUMNS, ROW_COUNT } from './values.ts'

/** The table that has a column of every type: row n holds the n-th value of each, NULL behind the last. */
export const SAMPLES = 'samples'

/** A view of a kind that Spanner has none of. */
export const RANKED = 'ranked'

const CREATE_TYPES = [
  `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')`,
  `CREATE DOMAIN amount AS numeric CHECK (VALUE >= 0)`,
]

export const CREATE_RANKED = `CREATE VIEW ${RANKED} AS SELECT id, t, b, rank() OVER (ORDER BY i2, b) AS r FROM ${SAMPLES}`

const CREATE = `CREATE TABLE ${SAMPLES} (id bigint PRIMARY KEY, ${COLUMNS.map(
  ({ name, type }) => `"${name}" ${type}`,
).join(', ')})`

const ROWS_A_STATEMENT = 10

/** DDL and INSERTs of the differential tables, the same for every server. */
export const TABLES: readonly string[] = [
  ...CREATE_TYPES,
  CREATE,
  CREATE_RANKED,
  ...Array.from({ length: Math.ceil(ROW_COUNT / ROWS_A_STATEMENT) }, (_part, part) =>
    insertRows(part * ROWS_A_STATEMENT, Math.min(ROW_COUNT, (part + 1) * ROWS_A_STATEMENT)),
  ),
]

function insertRows(from: number, to: number): string {
  const rows = Array.from({ length: to - from }, (_row, i) => row(from + i))
  return `INSERT INTO ${SAMPLES} VALUES ${rows.join(', ')}`
}

function row(index: number): string {
  const cells = COLUMNS.map(({ values }) => {
    const value = values[index]
    return value === undefined ? 'NULL' : quote(value)
  })
  return `(${[String(index + 1), ...cells].join(', ')})`
}

/** A string constant. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
