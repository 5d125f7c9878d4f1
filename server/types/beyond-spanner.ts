import { PgError } from '../base/pg-error.ts'

/** A value that is right in PostgreSQL and that Spanner has none of: an infinity, a year before 1, an array of several dimensions. */
export class BeyondSpanner extends PgError {}

/** Whether an error is one, or was made of one by adding to it. */
export function isBeyondSpanner(error: unknown): boolean {
  if (error instanceof BeyondSpanner) return true
  return error instanceof PgError && isBeyondSpanner(error.cause)
}
