import type { CallOptions } from '../backend/backend.ts'
import { Deadline } from './deadline.ts'
import type { Session, SessionStats, Sessions } from './session.ts'
import type { SessionClient } from './session-client.ts'
import { SessionLedger } from './session-ledger.ts'
import { poolClosed, SessionQueue } from './session-queue.ts'
import { type PooledSession, SessionShelf } from './session-shelf.ts'
import { toBackendError } from './status.ts'

const CREATE_AT_ONCE = 25
const CREATE_TIMEOUT_MS = 60_000

export interface SessionPoolOptions {
  /** Kept when nobody needs them. */
  readonly minSessions: number
  readonly maxSessions: number
  /** How long a session is waited for at most. */
  readonly acquireTimeoutMs: number
  /** Sessions beyond the minimum go after so long without use. */
  readonly idleReleaseMs: number
  /** Spanner drops sessions that nobody used for an hour: a SELECT 1 after so long keeps them. */
  readonly keepAliveMs: number
  /** Spanner drops sessions of 28 days: they are replaced before. */
  readonly maxAgeMs: number
  /** A session that is out for so long is reported: it was forgotten, or its client is. */
  readonly leakAfterMs: number
  /** How often all that is looked after. */
  readonly housekeepingMs: number
}

/**
 * Regular sessions: one transaction each. A session with an open transaction is never deleted: the official emulator locks up
 * for ever when that happens.
 */
export class SessionPool implements Sessions {
  readonly isMultiplexed = false
  readonly #client: SessionClient
  readonly #options: SessionPoolOptions
  readonly #shelf = new SessionShelf()
  readonly #ledger: SessionLedger<PooledSession>
  readonly #queue: SessionQueue
  #creating = 0
  #isGrowing = false
  #isKeepingHouse = false
  #dropped = 0
  #isClosed = false
  readonly #timer: NodeJS.Timeout

  constructor(client: SessionClient, options: SessionPoolOptions) {
    this.#client = client
    this.#options = options
    this.#ledger = new SessionLedger(client.database)
    this.#queue = new SessionQueue(options.acquireTimeoutMs)
    this.#timer = setInterval(() => void this.#keepHouse(), options.housekeepingMs)
    this.#timer.unref()
  }

  get stats(): SessionStats {
    return {
      idle: this.#shelf.size,
      inUse: this.#ledger.size,
      creating: this.#creating,
      waiting: this.#queue.size,
      dropped: this.#dropped,
      longestHeldMs: this.#ledger.longestHeldMs,
    }
  }

  /** Creates the minimum. The house is kept afterwards: both would make up for what the other is creating. */
  async warmUp(options: CallOptions): Promise<void> {
    this.#isKeepingHouse = true
    try {
      await this.#fill(Math.max(1, this.#options.minSessions), options)
    } finally {
      this.#isKeepingHouse = false
    }
  }

  acquire(options: CallOptions, preferred?: Session): Session | Promise<Session> {
    if (this.#isClosed) return Promise.reject(poolClosed())
    const free =
      this.#shelf.take(preferred?.name) ?? (this.#isFull ? this.#shelf.takeParked() : undefined)
    if (free !== undefined) return this.#lend(free)
    const session = this.#queue.wait(options, () => this.#describe())
    this.#growSoon()
    return session
  }

  release(session: Session): void {
    const pooled = this.#ledger.takeBack(session)
    if (pooled !== undefined) this.#hand(pooled)
  }

  park(session: Session): void {
    const pooled = this.#ledger.takeBack(session)
    if (pooled === undefined) return
    if (this.#isClosed || this.#queue.size > 0) this.#hand(pooled)
    else this.#shelf.park(pooled)
  }

  drop(session: Session, reason: 'gone' | 'in-doubt'): void {
    if (this.#ledger.takeBack(session) === undefined) return
    this.#dropped++
    // One that is forgotten is seldom alone: the server was started again, or all have slept for too long.
    if (reason === 'gone') void this.#ask(this.#shelf.idle())
    this.#grow()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#queue.fail(poolClosed())
    this.#ledger.reportAll()
    const idle = this.#shelf.clear()
    for (let from = 0; from < idle.length; from += CREATE_AT_ONCE) {
      await this.#delete(idle.slice(from, from + CREATE_AT_ONCE))
    }
  }

  get #total(): number {
    return this.#shelf.size + this.#ledger.size + this.#creating
  }

  get #isFull(): boolean {
    return this.#total >= this.#options.maxSessions
  }

  #lend(pooled: PooledSession): Session {
    const channel = this.#client.rpc.transport.pickChannel()
    return this.#ledger.lend({ name: pooled.name, channel }, pooled)
  }

  /** To who waits longest, else to the shelf. */
  #hand(pooled: PooledSession): void {
    if (this.#isClosed) void this.#client.delete(pooled.name)
    else if (!this.#queue.serve(() => this.#lend(pooled))) this.#shelf.put(pooled)
  }

  /** Whoever else begins to wait in this turn of the event loop gets a session from the same call. */
  #growSoon(): void {
    if (this.#isGrowing) return
    this.#isGrowing = true
    setImmediate(() => {
      this.#isGrowing = false
      this.#grow()
    })
  }

  /** Creates sessions for those who wait, as far as the maximum allows. */
  #grow(): void {
    const wanted = this.#queue.size - this.#creating
    const count = Math.min(wanted, CREATE_AT_ONCE, this.#options.maxSessions - this.#total)
    if (count <= 0 || this.#isClosed) return
    this.#create(count, { timeoutMs: CREATE_TIMEOUT_MS }).then(
      (sessions) => {
        for (const session of sessions) this.#hand(session)
        this.#grow()
      },
      (error: unknown) => {
        this.#queue.fail(error instanceof Error ? error : new Error(String(error)), count)
        this.#grow()
      },
    )
  }

  /** Creates sessions until there are so many. */
  async #fill(wanted: number, options: CallOptions): Promise<void> {
    const deadline = new Deadline(options.timeoutMs)
    while (this.#total < wanted && !this.#isClosed) {
      const count = Math.min(wanted - this.#total, CREATE_AT_ONCE)
      const sessions = await this.#create(count, deadline.options(options.signal))
      for (const session of sessions) this.#hand(session)
    }
  }

  async #create(count: number, options: CallOptions): Promise<PooledSession[]> {
    this.#creating += count
    try {
      const now = performance.now()
      const names = await this.#client.createBatch(count, options)
      return names.map((name) => ({ name, createdAtMs: now, usedAtMs: now }))
    } finally {
      this.#creating -= count
    }
  }

  async #keepHouse(): Promise<void> {
    if (this.#isKeepingHouse) return
    this.#isKeepingHouse = true
    try {
      this.#ledger.reportLeaks(this.#options.leakAfterMs)
      this.#shelf.unpark()
      await this.#retire()
      await this.#keepAwake()
      await this.#refill()
    } finally {
      this.#isKeepingHouse = false
    }
  }

  /** Deletes sessions that are too old, and those beyond the minimum that nobody has needed for long. */
  async #retire(): Promise<void> {
    const now = performance.now()
    const { maxAgeMs, idleReleaseMs, minSessions } = this.#options
    const idle = this.#shelf.idle()
    const old = idle.filter(({ createdAtMs }) => now - createdAtMs > maxAgeMs)
    const unused = idle.filter(
      (session) => now - session.usedAtMs > idleReleaseMs && !old.includes(session),
    )
    const spare = Math.max(0, this.#shelf.size + this.#ledger.size - old.length - minSessions)
    const leaving = [...old, ...unused.slice(0, spare)]
    this.#shelf.remove(leaving)
    await this.#delete(leaving)
  }

  async #keepAwake(): Promise<void> {
    const now = performance.now()
    await this.#ask(
      this.#shelf.idle().filter(({ usedAtMs }) => now - usedAtMs > this.#options.keepAliveMs),
    )
  }

  /** Uses idle sessions; those that Spanner does not know any more do not come back. */
  async #ask(idle: readonly PooledSession[]): Promise<void> {
    // Meanwhile nobody else may have them: a read in a session can void the transaction that is open in it.
    this.#shelf.remove(idle)
    await Promise.all(idle.map((session) => this.#ping(this.#lend(session))))
  }

  async #ping(session: Session): Promise<void> {
    const failure = await this.#client.ping(session)
    if (failure?.failure.kind === 'session-not-found') this.drop(session, 'gone')
    // Whatever else happened, whoever acquires the session later would meet it.
    else this.release(session)
  }

  async #refill(): Promise<void> {
    try {
      await this.#fill(this.#options.minSessions, { timeoutMs: CREATE_TIMEOUT_MS })
    } catch (error) {
      // The next round tries again; who needs a session meanwhile hears of it.
      toBackendError(error)
    }
  }

  async #delete(sessions: readonly PooledSession[]): Promise<void> {
    await Promise.all(sessions.map(({ name }) => this.#client.delete(name)))
  }

  #describe(): string {
    return `${this.#ledger.size} in use, ${this.#creating} being created, ${this.#queue.size} waiting`
  }
}
