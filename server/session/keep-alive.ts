/** Spanner may abort a transaction that has been idle for 10 seconds (its page on transactions, "Idle transactions"). */
const INTERVAL_MS = 8_000

/**
 * Makes calls in a client's transaction while the client is idle (spanner.keep_transaction_alive). A transaction takes one call
 * at a time: whoever ends the idleness waits for the one under way.
 */
export class KeepAlive {
  readonly #intervalMs: number
  #timer: NodeJS.Timeout | undefined
  #call: Promise<void> = Promise.resolve()

  constructor(intervalMs = INTERVAL_MS) {
    this.#intervalMs = intervalMs
  }

  /** The client is idle. `call` must not reject. */
  start(call: () => Promise<void>): void {
    this.#timer = setTimeout(() => {
      this.#call = call().then(() => {
        if (this.#timer !== undefined) this.start(call)
      })
    }, this.#intervalMs)
  }

  /** The client is idle no more; resolves when no call is under way. Undefined: there was nothing to stop. */
  stop(): Promise<void> | undefined {
    if (this.#timer === undefined) return undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    return this.#call
  }
}
