import { type DdlCursor, quoteName, quoteText } from './ddl-cursor.ts'

/** `column` is to be one of the table's timestamps. */
export interface Ttl {
  readonly text: string
  readonly column: string
}

/** `INTERVAL '3 days' ON col`. Rows are not deleted: Spanner promises no moment. */
export function readTtl(cursor: DdlCursor): Ttl {
  cursor.expect('interval')
  const interval = cursor.next()
  cursor.expect('on')
  const column = cursor.identifier()
  return { text: `INTERVAL ${interval.text.toUpperCase()} ON ${shownName(column)}`, column }
}

/** A name as Spanner shows it: in quotes where it would not read as it is. */
function shownName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteName(name)
}

/** SQL that sets a table's TTL, or takes it away. `table` is a regclass. */
export function setTtl(table: string, ttl: Ttl | undefined): string[] {
  const value = ttl === undefined ? 'NULL' : quoteText(ttl.text)
  const check =
    ttl === undefined
      ? []
      : [`SELECT _spanner.require_ttl_column(${table}, ${quoteText(ttl.column)})`]
  return [
    ...check,
    `INSERT INTO _spanner_meta.tables (relid, ttl) VALUES (${table}, ${value}) ON CONFLICT (relid) DO UPDATE SET ttl = excluded.ttl`,
  ]
}
