import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** 0A000 for a declaration that Spanner has no form for; the hint says what to do instead. */
export function unsupported(message: string, hint: string): PgError {
  return new PgError(SQL_STATE.featureNotSupported, message, { hint })
}
