import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** The companion's transaction is gone: what the client declared in it cannot be brought back. */
export function companionLost(): PgError {
  return new PgError(
    SQL_STATE.adminShutdown,
    'terminating connection due to administrator command',
    { severity: 'FATAL' },
  )
}
