import type { Deadline } from './deadline.ts'
import type { Session, SessionPool } from './session-pool.ts'
import { cancelledFailure } from './status.ts'

/** How often one call may meet sessions that Spanner has forgotten. */
const MAX_REPLACEMENTS = 3

/** The session of one transaction: acquired at its first call, given back once. */
export class SessionLease {
  readonly #pool: SessionPool
  readonly #preferred: Session | undefined
  #session: Session | undefined
  #replacements = 0
  #isOver = false

  constructor(pool: SessionPool, preferred?: Session) {
    this.#pool = pool
    this.#preferred = preferred
  }

  get current(): Session | undefined {
    return this.#session
  }

  /** The session; acquired now if there is none yet. */
  async get(deadline: Deadline, signal: AbortSignal | undefined): Promise<Session> {
    if (this.#session !== undefined) return this.#session
    const session = await this.#pool.acquire(deadline.options(signal), this.#preferred)
    if (this.#isOver) {
      this.#pool.release(session)
      throw cancelledFailure()
    }
    this.#session = session
    return session
  }

  /** Spanner does not know the session any more: the next call gets another. False once that has happened too often. */
  replace(): boolean {
    this.#dropCurrent()
    return ++this.#replacements <= MAX_REPLACEMENTS
  }

  /** Ends the lease of a session without a transaction. */
  release(): void {
    this.#isOver = true
    if (this.#session !== undefined) this.#pool.release(this.#session)
    this.#session = undefined
  }

  /** Ends the lease of a session whose state nobody knows. */
  drop(): void {
    this.#isOver = true
    this.#dropCurrent()
  }

  #dropCurrent(): void {
    if (this.#session !== undefined) this.#pool.drop(this.#session)
    this.#session = undefined
  }
}
