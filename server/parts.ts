/** How long a start may take. */
export const START_TIMEOUT_MS = 60_000

/** What is started, in order, and ended in the opposite order. */
export class Parts {
  readonly #ends: (() => Promise<void>)[] = []
  readonly #starting = new Set<Promise<unknown>>()
  readonly #ending = new AbortController()

  /** Ends a start that is under way: it takes too long, or all of it is to end. */
  startSignal(): AbortSignal {
    return AbortSignal.any([this.#ending.signal, AbortSignal.timeout(START_TIMEOUT_MS)])
  }

  get isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  async add<T>(starting: Promise<T>, end: (part: T) => Promise<void>): Promise<T> {
    this.#starting.add(starting)
    try {
      const part = await starting
      this.#ends.push(() => end(part))
      return part
    } finally {
      this.#starting.delete(starting)
    }
  }

  async end(): Promise<void> {
    this.#ending.abort()
    while (this.#starting.size > 0) await Promise.allSettled(this.#starting)
    for (const end of this.#ends.splice(0).reverse()) await end()
  }
}
