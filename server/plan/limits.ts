import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** Spanner's limits for one statement ("Quotas and limits"); the emulator does not check them. */
export const MAX_PARAMS = 950
export const MAX_IN_VALUES = 10_000
export const MAX_SQL_CHARACTERS = 1_000_000

/** 54000 for a longer list of values than Spanner takes. */
export function tooManyInValues(count: number): PgError {
  return new PgError(
    SQL_STATE.programLimitExceeded,
    `Spanner takes at most ${MAX_IN_VALUES} values in an IN list, found ${count}`,
    {
      hint: 'Pass the values as one array: column = ANY ($1).',
    },
  )
}

/** @throws PgError 54000 where a statement is larger than Spanner takes. */
export function refuseBeyondLimits(sql: string, paramCount: number): void {
  if (paramCount > MAX_PARAMS) {
    throw new PgError(
      SQL_STATE.programLimitExceeded,
      `Spanner takes at most ${MAX_PARAMS} parameters in a statement, found ${paramCount}`,
      {
        hint: 'Send the rows in several statements, or pass the values as arrays.',
      },
    )
  }
  if (sql.length > MAX_SQL_CHARACTERS) {
    throw new PgError(
      SQL_STATE.programLimitExceeded,
      `Spanner takes at most ${MAX_SQL_CHARACTERS} characters in a statement, found ${sql.length}`,
      {
        hint: 'Send the rows in several statements, or pass the values as parameters.',
      },
    )
  }
}
