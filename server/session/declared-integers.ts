import { BackendError } from '../backend/backend-error.ts'
import type { PushdownRoute } from '../plan/plan.ts'

/*
 * PostgreSQL:  'Ann'::integer      invalid input syntax for type integer: "Ann"
 * Spanner:     'Ann'::bigint       invalid input syntax for type bigint: "Ann"
 */
const SPOKEN_OF = /^bigint(?= out of range)|(?<=\b(?:for type|to type|to) )bigint\b/

/** An error of a statement in the words of the integers that it computes, where they are all of one type. */
export function inDeclaredIntegers(error: unknown, { integerName }: PushdownRoute): unknown {
  if (integerName === undefined || !(error instanceof BackendError)) return error
  const { failure, grpcCode, safeToRetry } = error
  const message = error.message.replace(SPOKEN_OF, integerName)
  if (failure.kind !== 'sql' || message === error.message) return error
  return new BackendError(message, { failure, grpcCode, safeToRetry, cause: error })
}
