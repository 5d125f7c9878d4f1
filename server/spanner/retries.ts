import { Backoff, Deadline, pause } from './deadline.ts'
import { cancelledFailure, retryDelayMs, toBackendError } from './status.ts'
import { GRPC_CODE, TransportError } from './transport.ts'

/**
 * The pause before a call is sent for the second time. Most calls that end UNAVAILABLE lost their connection, and another one is
 * there at once.
 */
const FIRST_PAUSE_MS = 25

/** Then Spanner's own advice (its guide on timeouts and retries): 250 ms x 1.3 up to 32 s. */
const NEXT_PAUSE_MS = 250
const FACTOR = 1.3
const MAX_PAUSE_MS = 32_000

/** How often a call is refused for want of resources before that is believed, where the server does not say when to come back. */
const MAX_REFUSALS = 4

/** Texts of INTERNAL that mean no more than a broken connection (the list of Google's client libraries). */
const BROKEN_CONNECTION =
  /RST_STREAM|unexpected EOS on DATA frame|HTTP\/2 error code: INTERNAL_ERROR|Connection closed with unknown cause/i

/** Whether the connection failed rather than the call: the server may have acted, or may not have heard of it. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof TransportError)) return false
  if (error.grpcCode === GRPC_CODE.UNAVAILABLE) return true
  return error.grpcCode === GRPC_CODE.INTERNAL && BROKEN_CONNECTION.test(error.message)
}

/** A series of jittered pauses between attempts at one call. */
export class Pauses {
  #isFirst = true
  readonly #backoff = new Backoff(NEXT_PAUSE_MS, FACTOR, MAX_PAUSE_MS)

  nextMs(): number {
    if (!this.#isFirst) return this.#backoff.nextDelayMs()
    this.#isFirst = false
    return new Backoff(FIRST_PAUSE_MS, 1, FIRST_PAUSE_MS).nextDelayMs()
  }
}

/**
 * Decides, after the first failure of a call that may be sent twice, whether and when it is sent again: while the connection is
 * lost, or the server has no room, for as long as the window lasts. What RetryInfo says goes before any pause of our own.
 */
export class Retries {
  readonly #window: Deadline
  readonly #signal: AbortSignal | undefined
  readonly #pauses = new Pauses()
  #refusals = 0

  constructor(windowMs: number, signal: AbortSignal | undefined) {
    this.#window = new Deadline(windowMs)
    this.#signal = signal
  }

  /** Resolves when the call may be sent again; rejects with what the caller is to be told where it must not. */
  async beforeNext(error: unknown): Promise<void> {
    const delayMs = this.#delayMs(error)
    if (delayMs === undefined) throw toBackendError(error)
    if (await pause(delayMs, this.#window, this.#signal)) return
    throw this.#signal?.aborted === true ? cancelledFailure() : toBackendError(error)
  }

  #delayMs(error: unknown): number | undefined {
    if (!(error instanceof TransportError) || error.isClosed) return undefined
    if (isConnectionLost(error)) return retryDelayMs(error) ?? this.#pauses.nextMs()
    if (error.grpcCode !== GRPC_CODE.RESOURCE_EXHAUSTED) return undefined
    const askedMs = retryDelayMs(error)
    if (askedMs !== undefined) return askedMs
    return ++this.#refusals < MAX_REFUSALS ? this.#pauses.nextMs() : undefined
  }
}
