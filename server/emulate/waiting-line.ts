import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

const WAIT_MS = 30_000

/** What is lent to one at a time, first come first served. */
export class WaitingLine<T> {
  readonly #name: string
  readonly #hint: string
  /** The one that was used last is at the end. */
  readonly #idle: T[]
  readonly #waiting: ((item: T) => void)[] = []

  /** `name` and `hint` are for the error of those who wait too long. */
  constructor(
    items: readonly T[],
    { name, hint }: { readonly name: string; readonly hint: string },
  ) {
    this.#idle = [...items]
    this.#name = name
    this.#hint = hint
  }

  /** Lends one until `offer`. Rejects with 53300 where none came free in time, and with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        const place = this.#waiting.indexOf(give)
        if (place >= 0) this.#waiting.splice(place, 1)
      }
      const give = (item: T) => {
        settle()
        resolve(item)
      }
      const abort = () => {
        settle()
        reject(signal.reason as Error)
      }
      const timer = setTimeout(() => {
        settle()
        const message = `timed out waiting for ${this.#name}`
        reject(new PgError(SQL_STATE.tooManyConnections, message, { hint: this.#hint }))
      }, WAIT_MS)
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.push(give)
    })
  }

  /** Takes one back, for whoever waits longest. */
  offer(item: T): void {
    const give = this.#waiting.shift()
    if (give === undefined) this.#idle.push(item)
    else give(item)
  }

  /** Those that nobody has, for good. */
  takeIdle(): readonly T[] {
    return this.#idle.splice(0)
  }
}
