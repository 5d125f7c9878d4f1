import { type DdlCursor, quoteName, quoteText } from './ddl-cursor.ts'

/** `column` is to be one of the table's timestamps. */
export interface Ttl {
  readonly text: string
  readonly column: string
  /** A string literal of SQL. */
  readonly interval: string
}

/** `INTERVAL '3 days' ON col`. Rows are not deleted: Spanner promises no moment. */
export function readTtl(cursor: DdlCursor): Ttl {
  cursor.expect('interval')
  const interval = quoteText(cursor.next().text.replace(/^'|'$/g, ''))
  cursor.expect('on')
  const column = cursor.identifier()
  const text = `INTERVAL ${interval.toUpperCase()} ON ${shownName(column)}`
  return { text, column, interval }
}

/** A name as Spanner shows it: in quotes where it would not read as it is. */
function shownName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteName(name)
}

/** SQL that gives a table a TTL, or changes the one that it has. `table` is a regclass. */
export function setTtl(kind: 'ADD' | 'ALTER', table: string, ttl: Ttl): string {
  return `SELECT _spanner.set_ttl(${table}, '${kind}', ${quoteText(ttl.text)}, ${quoteText(ttl.column)}, ${ttl.interval})`
}

/** SQL that takes the TTL of a table away. */
export function dropTtl(table: string): string {
  return `SELECT _spanner.set_ttl(${table}, 'DROP', NULL, NULL, NULL)`
}
