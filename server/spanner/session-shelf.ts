/** A regular session that nobody has now, or that is lent. */
export interface PooledSession {
  readonly name: string
  readonly createdAtMs: number
  usedAtMs: number
}

/** How long a session is kept for the next attempt of the transaction that was aborted in it. */
const PARKED_MS = 32_000

/** The sessions that wait to be used. Most recently used ones are lent first, so that the others grow old and can go. */
export class SessionShelf {
  /** The most recently used is the last. */
  #idle: PooledSession[] = []
  /** By name, the longest parked first; `usedAtMs` is when they were parked. */
  readonly #parked = new Map<string, PooledSession>()

  get size(): number {
    return this.#idle.length + this.#parked.size
  }

  put(session: PooledSession): void {
    session.usedAtMs = performance.now()
    this.#idle.push(session)
  }

  park(session: PooledSession): void {
    session.usedAtMs = performance.now()
    this.#parked.set(session.name, session)
  }

  /** The session called `name`, if it is here, else one that is not parked. */
  take(name: string | undefined): PooledSession | undefined {
    if (name === undefined) return this.#idle.pop()
    const parked = this.#parked.get(name)
    if (parked === undefined) {
      const at = this.#idle.findIndex((session) => session.name === name)
      return at < 0 ? this.#idle.pop() : this.#idle.splice(at, 1)[0]
    }
    this.#parked.delete(name)
    return parked
  }

  /** The one that has been parked longest. */
  takeParked(): PooledSession | undefined {
    const [first] = this.#parked.values()
    if (first !== undefined) this.#parked.delete(first.name)
    return first
  }

  /** Puts those to the others that nobody has come back for. */
  unpark(): void {
    const limit = performance.now() - PARKED_MS
    for (const session of this.#parked.values()) {
      if (session.usedAtMs >= limit) break
      this.#parked.delete(session.name)
      this.#idle.unshift(session)
    }
  }

  /** Those that wait, parked ones left out. */
  idle(): readonly PooledSession[] {
    return this.#idle
  }

  remove(sessions: readonly PooledSession[]): void {
    if (sessions.length === 0) return
    const leaving = new Set(sessions)
    this.#idle = this.#idle.filter((session) => !leaving.has(session))
  }

  /** Everything, which is here no more. */
  clear(): readonly PooledSession[] {
    const all = [...this.#idle, ...this.#parked.values()]
    this.#idle = []
    this.#parked.clear()
    return all
  }
}
