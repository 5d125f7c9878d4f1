import { sessionLeakEvents } from '../base/channels.ts'
import type { Session } from './session.ts'

interface Entry<T> {
  readonly about: T
  readonly lentAtMs: number
  isReported: boolean
}

/** Who has a session now: accounts for each from the moment it is lent until it comes back. */
export class SessionLedger<T> {
  readonly #database: string
  /** The longest lent first. */
  readonly #entries = new Map<Session, Entry<T>>()

  constructor(database: string) {
    this.#database = database
  }

  get size(): number {
    return this.#entries.size
  }

  get longestHeldMs(): number {
    const [oldest] = this.#entries.values()
    return oldest === undefined ? 0 : performance.now() - oldest.lentAtMs
  }

  lend(session: Session, about: T): Session {
    this.#entries.set(session, { about, lentAtMs: performance.now(), isReported: false })
    return session
  }

  /** What was said of the session when it was lent; undefined where it has come back already. */
  takeBack(session: Session): T | undefined {
    const entry = this.#entries.get(session)
    this.#entries.delete(session)
    return entry?.about
  }

  /** Tells, once for each, of sessions that have been out for so long that nobody can be meaning to bring them back. */
  reportLeaks(afterMs: number): void {
    const now = performance.now()
    const leaked = [...this.#entries.values()].filter(
      ({ lentAtMs, isReported }) => !isReported && now - lentAtMs > afterMs,
    )
    for (const entry of leaked) entry.isReported = true
    if (leaked.length > 0) this.#publish(leaked.length)
  }

  /** Tells of all that are out. */
  reportAll(): void {
    if (this.#entries.size > 0) this.#publish(this.#entries.size)
  }

  #publish(count: number): void {
    const { longestHeldMs } = this
    sessionLeakEvents.publish({ database: this.#database, count, longestHeldMs })
  }
}
