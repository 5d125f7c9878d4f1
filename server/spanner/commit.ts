import type { CallOptions, CommitResult } from '../backend/backend.ts'
import { BackendError, type BackendFailureKind } from '../backend/backend-error.ts'
import { Deadline, pause } from './deadline.ts'
import { type CommitFields, encodeCommit } from './requests.ts'
import { decodeCommit } from './responses.ts'
import { cancelledFailure, type RpcClient, type RpcTarget, retryBackoff } from './rpc-client.ts'
import { GRPC_CODE } from './transport.ts'

/** How much longer than asked for the outcome of a Commit that was sent is inquired after. */
const INQUIRY_MS = 5000

/**
 * Commits, and finds out whether it did: Commit is idempotent by transaction id, so that one whose answer got lost is simply
 * sent again. Once it has been sent, the signal is not listened to any more. Rejects with kind `commit-unknown` where the outcome stays unknown, and with Spanner's failure where the transaction was not committed.
 */
export async function commitTransaction(
  rpc: RpcClient,
  target: RpcTarget,
  fields: CommitFields,
  options: CallOptions,
): Promise<CommitResult> {
  if (options.signal?.aborted === true) throw cancelledFailure()
  let { precommitToken } = fields
  const attempts = new CommitAttempts(options.timeoutMs)
  for (;;) {
    try {
      const reply = decodeCommit(
        await rpc.unaryOnce(target, encodeCommit({ ...fields, precommitToken }), {
          timeoutMs: attempts.nextTimeoutMs(),
        }),
      )
      if (reply.precommitToken === undefined) {
        const { commitTimestamp, mutationCount } = reply
        return mutationCount === undefined
          ? { commitTimestamp }
          : { commitTimestamp, mutationCount }
      }
      precommitToken = reply.precommitToken
    } catch (error) {
      await attempts.prepareNext(error)
    }
  }
}

const ANSWER_LOST: ReadonlySet<BackendFailureKind> = new Set<BackendFailureKind>([
  'unavailable',
  'deadline-exceeded',
])

const TELLS_NOTHING: ReadonlySet<BackendFailureKind> = new Set<BackendFailureKind>([
  'session-not-found',
  'cancelled',
  'internal',
  'unauthenticated',
  'permission-denied',
  'resource-exhausted',
])

class CommitAttempts {
  readonly #deadline: Deadline
  readonly #inquiry: Deadline
  readonly #backoff = retryBackoff()
  #isInDoubt = false

  constructor(timeoutMs: number) {
    this.#deadline = new Deadline(timeoutMs)
    this.#inquiry = new Deadline(timeoutMs + INQUIRY_MS)
  }

  nextTimeoutMs(): number {
    return this.#isInDoubt ? this.#inquiry.remainingMs : this.#deadline.remainingMs
  }

  /** Returns when Commit may be sent again; throws what the caller is to be told otherwise. */
  async prepareNext(error: unknown): Promise<void> {
    if (!(error instanceof BackendError)) throw error
    const { kind } = error.failure
    if (ANSWER_LOST.has(kind)) this.#isInDoubt = true
    // Said of the first Commit, it means that nothing was committed; after one whose answer got lost it tells nothing.
    else if (this.#isInDoubt && TELLS_NOTHING.has(kind)) throw unknownOutcome(error)
    else throw error
    if (!(await pause(this.#backoff.nextDelayMs(), this.#inquiry, undefined))) {
      throw unknownOutcome(error)
    }
  }
}

function unknownOutcome(cause: BackendError): BackendError {
  return new BackendError('the outcome of the commit is unknown', {
    failure: { kind: 'commit-unknown' },
    grpcCode: cause.grpcCode || GRPC_CODE.UNKNOWN,
    cause,
  })
}
