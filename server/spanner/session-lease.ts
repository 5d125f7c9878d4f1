import type { Deadline } from './deadline.ts'
import type { Session, Sessions } from './session.ts'
import { cancelledFailure } from './status.ts'

/** How often one call may meet sessions that Spanner has forgotten; the pool hands out no other that was idle beside the first of them. */
const MAX_REPLACEMENTS = 10

/** The session of one transaction: acquired at its first call, given back once. */
export class SessionLease {
  readonly #sessions: Sessions
  readonly #preferred: Session | undefined
  #session: Session | undefined
  #replacements = 0
  #isOver = false

  constructor(sessions: Sessions, preferred?: Session) {
    this.#sessions = sessions
    this.#preferred = preferred
  }

  get current(): Session | undefined {
    return this.#session
  }

  /** The session; acquired now if there is none yet. */
  async get(deadline: Deadline, signal: AbortSignal | undefined): Promise<Session> {
    if (this.#session !== undefined) return this.#session
    const acquired = this.#sessions.acquire(deadline.options(signal), this.#preferred)
    const session = acquired instanceof Promise ? await acquired : acquired
    if (this.#isOver) {
      this.#sessions.release(session)
      throw cancelledFailure()
    }
    this.#session = session
    return session
  }

  /** Spanner does not know the session any more: the next call gets another. False once that has happened too often. */
  replace(): boolean {
    this.#dropCurrent('gone')
    return ++this.#replacements <= MAX_REPLACEMENTS
  }

  /** Ends the lease of a session without a transaction. */
  release(): void {
    this.#isOver = true
    if (this.#session !== undefined) this.#sessions.release(this.#session)
    this.#session = undefined
  }

  /** Ends the lease of a session whose transaction was aborted: its next attempt will ask for the same one. */
  park(): void {
    this.#isOver = true
    if (this.#session !== undefined) this.#sessions.park(this.#session)
    this.#session = undefined
  }

  /** Ends the lease of a session that Spanner has forgotten, or whose state nobody knows. */
  drop(reason: 'gone' | 'in-doubt'): void {
    this.#isOver = true
    this.#dropCurrent(reason)
  }

  #dropCurrent(reason: 'gone' | 'in-doubt'): void {
    if (this.#session !== undefined) this.#sessions.drop(this.#session, reason)
    this.#session = undefined
  }
}
