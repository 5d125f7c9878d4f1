import { nowMicros } from '../base/clock.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Plan } from '../plan/plan.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import type { FieldDescription } from '../wire/field-description.ts'
import type { SessionState } from './session-state.ts'

/** A statement with a name (or the unnamed one), parsed and described but without values. */
export interface PreparedStatement {
  readonly name: string
  /** undefined: the empty query. */
  readonly statement: ParsedStatement | undefined
  /** OIDs as the client declared them. */
  readonly declaredTypes: readonly number[]
  /** The same for a PREPARE that named them, with domains in the place of their base types. */
  readonly argumentTypes?: readonly number[] | undefined
  /** What that PREPARE calls them. */
  readonly typeNames?: readonly string[] | undefined
  readonly described: Described
  /** Made by PREPARE, not by Parse: pg_prepared_statements tells them apart, DEALLOCATE does not. */
  readonly fromSql: boolean
  /** The query string that made it, whole, and when that was: for pg_prepared_statements. */
  readonly source: string
  readonly preparedMicros: bigint
}

/** What Describe tells of a statement. */
export interface Described {
  readonly paramTypes: readonly number[]
  readonly fields: readonly FieldDescription[] | undefined
  /** Of SELECT, VALUES, INSERT, UPDATE, DELETE; everything else has none. */
  readonly plan: Plan | undefined
  /** It is about temporary tables: the companion runs it on the session's own connection. */
  readonly isTemporary?: boolean
  /** It is, and about tables of Spanner's as well. */
  readonly isBesideTables?: boolean
  /** The statement as it is to run, where it is not what the client wrote: 'now' as the moment that it means. */
  readonly written?: ParsedStatement
}

/** Names of statements are told in messages as PostgreSQL does (src/backend/commands/prepare.c). */
export function mustFindPrepared(state: SessionState, name: string): PreparedStatement {
  const found = state.prepared.get(name)
  if (found !== undefined) return found
  const what = name === '' ? 'unnamed prepared statement' : `prepared statement "${name}"`
  throw new PgError(SQL_STATE.invalidSqlStatementName, `${what} does not exist`)
}

/** Keeps a statement; a name is taken until it is closed, the unnamed one is replaced. */
export function storePrepared(
  state: SessionState,
  prepared: Omit<PreparedStatement, 'source' | 'preparedMicros'>,
): void {
  if (prepared.name !== '' && state.prepared.has(prepared.name)) {
    throw new PgError(
      SQL_STATE.duplicatePreparedStatement,
      `prepared statement "${prepared.name}" already exists`,
    )
  }
  const { source } = state.activity
  const statement = prepared.described.written ?? prepared.statement
  state.prepared.set(prepared.name, {
    ...prepared,
    statement,
    source,
    preparedMicros: nowMicros(),
  })
}
