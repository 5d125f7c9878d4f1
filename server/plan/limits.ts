import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { NotPushable } from './not-pushable.ts'

/** Spanner's limits for one statement ("Quotas and limits"); the emulator does not check them. */
export const MAX_PARAMS = 950
export const MAX_IN_VALUES = 10_000
export const MAX_SQL_CHARACTERS = 1_000_000
export const MAX_FUNCTIONS = 1_000
const MAX_REQUEST_BYTES = 10 * 1024 * 1024
/** Of a request beside its statement: names, options, tags; and of each parameter its name and type. */
const REQUEST_OVERHEAD_BYTES = 4096
const PARAM_OVERHEAD_BYTES = 32

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

/** @throws PgError 54000 where a statement with its values is larger than the requests that Spanner takes. */
export function refuseLargeRequest(sql: string, values: readonly { value: Uint8Array }[]): void {
  const sizeBytes = values.reduce(
    (sum, { value }) => sum + value.length + PARAM_OVERHEAD_BYTES,
    sql.length + REQUEST_OVERHEAD_BYTES,
  )
  if (sizeBytes <= MAX_REQUEST_BYTES) return
  throw new PgError(
    SQL_STATE.programLimitExceeded,
    `Spanner takes at most ${MAX_REQUEST_BYTES} bytes in a request, found ${sizeBytes}`,
    {
      hint: 'Send the rows in several statements; a larger value has to be split.',
    },
  )
}

/** Calls, operators and casts outside of string constants; signs and lists in parentheses make it a few more than Spanner counts. */
const FUNCTIONS = /'(?:[^']|'')*'|("?\w"?\(|::|[-+*/%<>=|&#~^@]+|\b(?:AND|OR|NOT|CASE|WHEN|IS)\b)/g

/** @throws NotPushable where a SELECT calls more functions than Spanner takes; its emulation has no such limit. */
export function refuseManyFunctions(sql: string): void {
  if (sql.length < MAX_FUNCTIONS * 2) return
  let count = 0
  for (const match of sql.matchAll(FUNCTIONS)) if (match[1] !== undefined) count++
  if (count > MAX_FUNCTIONS)
    throw new NotPushable(`a statement of more than ${MAX_FUNCTIONS} functions`)
}
