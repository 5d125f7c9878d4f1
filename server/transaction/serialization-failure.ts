import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { IsolationLevel } from './characteristics.ts'

/** Why an aborted transaction could not be brought back to where the client believes it to be. */
export type ReplayObstacle =
  /** Something that the client was told is not so any more. */
  | { readonly kind: 'changed'; readonly what: string }
  /** Spanner went on aborting it. */
  | { readonly kind: 'too-many-aborts'; readonly attempts: number; readonly elapsedMs: number }

/**
 * 40001, in the words that PostgreSQL has for the isolation level (src/backend/executor/nodeModifyTable.c;
 * src/backend/storage/lmgr/predicate.c).
 */
export function serializationFailure(isolation: IsolationLevel, obstacle: ReplayObstacle): PgError {
  const message =
    isolation === 'serializable'
      ? 'could not serialize access due to read/write dependencies among transactions'
      : 'could not serialize access due to concurrent update'
  return new PgError(SQL_STATE.serializationFailure, message, {
    detail: describe(obstacle),
    hint: 'The transaction might succeed if retried.',
  })
}

function describe(obstacle: ReplayObstacle): string {
  switch (obstacle.kind) {
    case 'changed':
      return `Spanner aborted the transaction, and when it was run again ${obstacle.what} had changed.`
    case 'too-many-aborts':
      return `Spanner aborted the transaction ${obstacle.attempts} times within ${Math.round(obstacle.elapsedMs)} ms.`
  }
}
