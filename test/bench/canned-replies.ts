/*
 * The fake Spanner of the bench knows statements by their text. What it is told here is what Spanwire sends; the answers of
 * bookkeeping queries are a real backend's, those of the workloads are made up.
 */

/** One row of the table that `fakespanner -statements` reads. */
export interface CannedReply {
  readonly sql: string
  /** Exact where absent. */
  readonly match?: 'prefix'
  /** `name:type`, types as in CREATE TABLE. */
  readonly columns?: readonly string[]
  readonly rows?: readonly (readonly unknown[])[]
  /** So many generated rows of bench_wide's columns. */
  readonly generate?: number
  /** Rows that a DML statement changed. */
  readonly update?: number
}

/** What a statement is answered, whatever its text. */
export type Answer = Omit<CannedReply, 'sql' | 'match'>

/** The fake's names of google.spanner.v1.TypeCode, annotation included. */
const FAKE_TYPES: Readonly<Record<string, string>> = {
  BOOL: 'bool',
  INT64: 'bigint',
  FLOAT64: 'float8',
  FLOAT32: 'float4',
  TIMESTAMP: 'timestamptz',
  DATE: 'date',
  STRING: 'varchar',
  BYTES: 'bytea',
  'NUMERIC/PG_NUMERIC': 'numeric',
  'JSON/PG_JSONB': 'jsonb',
}

/** The reply to a query that a backend has answered; columns are `name CODE` or `name CODE/ANNOTATION`. */
export function recordedReply(
  sql: string,
  answer: { readonly columns: readonly string[]; readonly rows: CannedReply['rows'] & {} },
): CannedReply {
  return { sql, columns: answer.columns.map(fakeColumn), rows: answer.rows }
}

function fakeColumn(column: string): string {
  const space = column.lastIndexOf(' ')
  const type = FAKE_TYPES[column.slice(space + 1)]
  if (type === undefined) throw new Error(`the fake has no type for the column ${column}`)
  return `${column.slice(0, space)}:${type}`
}

/**
 * Replies for one statement of a workload. `texts` is what Spanwire sent for it, once a variant (another literal, other
 * parameter types): texts that begin alike and end in a literal become one prefix.
 */
export function workloadReplies(texts: readonly string[], answer: Answer): CannedReply[] {
  const distinct = [...new Set(texts)]
  const [first] = distinct
  if (first === undefined) throw new Error('a statement of a workload did not reach the backend')
  if (distinct.length === 1) return [{ sql: first, ...answer }]
  const sql = commonPrefix(distinct)
  // A shorter one could be the beginning of some other statement.
  if (!/ where /i.test(sql)) return distinct.map((text) => ({ sql: text, ...answer }))
  return [{ sql, match: 'prefix', ...answer }]
}

function commonPrefix(texts: readonly string[]): string {
  const [first = '', ...others] = texts
  let length = first.length
  for (const other of others) {
    while (!other.startsWith(first.slice(0, length))) length--
  }
  return first.slice(0, length)
}
