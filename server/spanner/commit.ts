import type { CallOptions, CommitResult } from '../backend/backend.ts'
import { BackendError, type BackendFailureKind } from '../backend/backend-error.ts'
import { Deadline, pause } from './deadline.ts'
import { type CommitFields, encodeCommit } from './requests.ts'
import { decodeCommit } from './responses.ts'
import { isConnectionLost, Pauses } from './retries.ts'
import type { RpcClient, RpcTarget } from './rpc-client.ts'
import { cancelledFailure, retryDelayMs, toBackendError } from './status.ts'
import { GRPC_CODE, TransportError } from './transport.ts'

/** How much longer than asked for the outcome of a Commit that was sent is inquired after. */
const INQUIRY_MS = 5000

/** How often the server may fail, or have no room, before that is believed. */
const MAX_REFUSALS = 4

/**
 * Commits, and finds out whether it did: Commit is idempotent by transaction id, so that one whose answer got lost is simply
 * sent again, and the answer to the first is the answer to the second. Once it has been sent, the signal is not listened to any
 * more. Rejects with kind `commit-unknown` where the outcome stays unknown, and with Spanner's failure where the transaction was
 * not committed.
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
      await attempts.prepareNext(toBackendError(error))
    }
  }
}

/** Codes that say nothing about whether the server has committed. */
const DOUBTFUL_CODES: ReadonlySet<number> = new Set([
  GRPC_CODE.CANCELLED,
  GRPC_CODE.UNKNOWN,
  GRPC_CODE.DEADLINE_EXCEEDED,
  GRPC_CODE.INTERNAL,
  GRPC_CODE.UNAVAILABLE,
  GRPC_CODE.DATA_LOSS,
])

/** What tells of a transaction that it was not committed, even where an earlier Commit may have done it. */
const TELLS_THAT_NOT: ReadonlySet<BackendFailureKind> = new Set<BackendFailureKind>([
  'unique-violation',
  'foreign-key-violation',
  'not-null-violation',
  'check-violation',
  'string-too-long',
  'transaction-too-large',
])

/** A transaction that is over is taken for aborted, unless a Commit may have ended it: then only ABORTED itself says so. */
function tellsThatNot({ grpcCode, failure }: BackendError): boolean {
  return grpcCode === GRPC_CODE.ABORTED || TELLS_THAT_NOT.has(failure.kind)
}

class CommitAttempts {
  readonly #deadline: Deadline
  readonly #inquiry: Deadline
  readonly #pauses = new Pauses()
  #isInDoubt = false
  #refusals = 0

  constructor(timeoutMs: number) {
    this.#deadline = new Deadline(timeoutMs)
    this.#inquiry = new Deadline(timeoutMs + INQUIRY_MS)
  }

  nextTimeoutMs(): number {
    return this.#isInDoubt ? this.#inquiry.remainingMs : this.#deadline.remainingMs
  }

  /** Returns when Commit may be sent again; throws what the caller is to be told otherwise. */
  async prepareNext(error: BackendError): Promise<void> {
    const { cause } = error
    const isClosed = cause instanceof TransportError && cause.isClosed
    if (!isClosed && DOUBTFUL_CODES.has(error.grpcCode)) this.#isInDoubt = true
    if (this.#isInDoubt && tellsThatNot(error)) throw error
    if (isClosed || !this.#mayAskAgain(error)) throw this.#told(error)
    const askedMs = cause instanceof TransportError ? retryDelayMs(cause) : undefined
    const left = this.#isInDoubt ? this.#inquiry : this.#deadline
    if (!(await pause(askedMs ?? this.#pauses.nextMs(), left, undefined))) throw this.#told(error)
  }

  #mayAskAgain({ grpcCode, cause }: BackendError): boolean {
    if (isConnectionLost(cause) || grpcCode === GRPC_CODE.DEADLINE_EXCEEDED) return true
    if (!DOUBTFUL_CODES.has(grpcCode) && grpcCode !== GRPC_CODE.RESOURCE_EXHAUSTED) return false
    return ++this.#refusals < MAX_REFUSALS
  }

  #told(error: BackendError): BackendError {
    if (!this.#isInDoubt) return error
    return new BackendError('the outcome of the commit is unknown', {
      failure: { kind: 'commit-unknown' },
      grpcCode: error.grpcCode,
      cause: error,
    })
  }
}
