/**
 * What happens to calls of google.spanner.v1.Spanner:
 * - sessionDeleted: the session is deleted at the backend, and the call gets NOT_FOUND; not a Commit that was sent before, whose outcome
 *   nobody could find out then.
 * - aborted: a call of a read-write transaction gets ABORTED, with google.rpc.RetryInfo of 0 to 5 ms or without; the backend's transaction
 *   is rolled back.
 * - unavailable: UNAVAILABLE, the backend never sees the call.
 * - answerLost: UNAVAILABLE, the backend has acted.
 * - cut: the backend acts, and the stream or its connection breaks after at most two messages of the answer.
 * - commitDeadline: DEADLINE_EXCEEDED for Commit; half of them have taken effect.
 */
export const FAULT_KINDS = [
  'sessionDeleted',
  'aborted',
  'unavailable',
  'answerLost',
  'cut',
  'commitDeadline',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** How probable each kind is, from 0 to 1, for each call that it can happen to. */
export interface FaultPlan extends Partial<Readonly<Record<FaultKind, number>>> {
  /** The same seed and the same calls of a database in the same order give the same faults there. */
  readonly seed: number
  /**
   * ABORTED at most so often in one session until a Commit of it reaches the backend, 4 if absent: a transaction gets through in the end.
   * Infinity takes the bound away.
   */
  readonly abortLimit?: number
}

export const DEFAULT_ABORT_LIMIT = 4

/** Every kind of fault at once. */
export const EVERYTHING = {
  aborted: 0.2,
  unavailable: 0.05,
  answerLost: 0.05,
  cut: 0.05,
  commitDeadline: 0.2,
  sessionDeleted: 0.05,
} as const satisfies Omit<FaultPlan, 'seed'>
