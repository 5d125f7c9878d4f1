import type { CallOptions } from '../backend/backend.ts'
import { canceledByTimeout, canceledByUser } from './client-error.ts'

/** The longest that any call may take where statement_timeout sets no limit: Spanner's own default for a statement. */
const DEFAULT_TIMEOUT_MS = 3_600_000

/**
 * What can end the statement under way: CancelRequest, statement_timeout, and the client's disappearance. Between statements a
 * CancelRequest goes nowhere, as in PostgreSQL.
 */
export class CommandScope {
  readonly #gone: AbortSignal
  /** Serves one statement after the other until it was aborted: a pipeline needs no more of them than a statement. */
  #controller = new AbortController()
  #isRunning = false
  #timer: NodeJS.Timeout | undefined

  constructor(gone: AbortSignal) {
    this.#gone = gone
    const onGone = () => this.#controller.abort(gone.reason)
    if (gone.aborted) onGone()
    else gone.addEventListener('abort', onGone, { once: true })
  }

  /** The signal of the statement under way. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** For one call of the statement under way. */
  callOptions(): CallOptions & { readonly signal: AbortSignal } {
    return { timeoutMs: DEFAULT_TIMEOUT_MS, signal: this.signal }
  }

  cancel(): void {
    if (this.#isRunning) this.#controller.abort(canceledByUser())
  }

  /** Runs one statement; `timeoutMs` 0 is no limit. */
  async run<T>(timeoutMs: number, statement: () => Promise<T>): Promise<T> {
    if (this.signal.aborted && !this.#gone.aborted) this.#controller = new AbortController()
    this.#isRunning = true
    this.limit(timeoutMs)
    try {
      return await statement()
    } finally {
      clearTimeout(this.#timer)
      this.#isRunning = false
    }
  }

  /** From now on it may take so long; 0 is no limit. */
  limit(timeoutMs: number): void {
    clearTimeout(this.#timer)
    const controller = this.#controller
    if (timeoutMs > 0)
      this.#timer = setTimeout(() => controller.abort(canceledByTimeout()), timeoutMs)
  }
}
