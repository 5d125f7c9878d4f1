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
  #current: AbortController | undefined

  constructor(gone: AbortSignal) {
    this.#gone = gone
  }

  /** The signal of the statement under way. */
  get signal(): AbortSignal {
    return this.#current?.signal ?? this.#gone
  }

  /** For one call of the statement under way. */
  callOptions(): CallOptions & { readonly signal: AbortSignal } {
    return { timeoutMs: DEFAULT_TIMEOUT_MS, signal: this.signal }
  }

  cancel(): void {
    this.#current?.abort(canceledByUser())
  }

  /** Runs one statement; `timeoutMs` 0 is no limit. */
  async run<T>(timeoutMs: number, statement: () => Promise<T>): Promise<T> {
    const controller = new AbortController()
    this.#current = controller
    const onGone = () => controller.abort(this.#gone.reason)
    if (this.#gone.aborted) onGone()
    this.#gone.addEventListener('abort', onGone, { once: true })
    const timer =
      timeoutMs > 0 ? setTimeout(() => controller.abort(canceledByTimeout()), timeoutMs) : undefined
    try {
      return await statement()
    } finally {
      clearTimeout(timer)
      this.#gone.removeEventListener('abort', onGone)
      this.#current = undefined
    }
  }
}
