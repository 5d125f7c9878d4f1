import type { CallOptions } from '../backend/backend.ts'
import { sessionLeakEvents } from '../base/channels.ts'
import { encodeExecuteSql } from './requests.ts'
import type { RpcClient, RpcTarget } from './rpc-client.ts'
import {
  decodeSessionNames,
  encodeBatchCreateSessions,
  encodeDeleteSession,
} from './session-messages.ts'
import { backendFailure, toBackendError } from './status.ts'
import { STRONG_READ } from './transaction-options.ts'
import { GRPC_CODE } from './transport.ts'

/** Spanner's guide: at most 100 sessions to a channel. */
const CREATE_AT_ONCE = 25
const HOUSEKEEPING_CALL_MS = 10_000
const CREATE_TIMEOUT_MS = 60_000

export interface SessionPoolOptions {
  /** Full name, `projects/p/instances/i/databases/d`. */
  readonly database: string
  /** Kept when nobody needs them. */
  readonly minSessions: number
  readonly maxSessions: number
  /** Sessions beyond the minimum go after so long without use. */
  readonly idleReleaseMs: number
  /** Spanner drops sessions that nobody used for an hour: a SELECT 1 after so long keeps them. */
  readonly keepAliveMs: number
  /** How often both are looked after. */
  readonly housekeepingMs: number
  /** Fine-grained access control. */
  readonly databaseRole?: string | undefined
}

/** A session at Spanner: one transaction at a time, all its calls on one channel. */
export interface Session {
  readonly name: string
  readonly channel: number
}

export interface SessionPoolStats {
  readonly idle: number
  readonly inUse: number
  readonly creating: number
  readonly waiting: number
  /** Sessions that Spanner had forgotten, or whose state was in doubt. */
  readonly dropped: number
  readonly longestHeldMs: number
}

interface Waiter {
  readonly give: (session: Session) => void
  readonly fail: (error: Error) => void
}

/**
 * The regular sessions of one database. Whoever acquires one ends it with exactly one of `release` (it carries no transaction
 * any more) and `drop` (it is gone or in doubt). A session with an open transaction is never deleted: the official emulator
 * locks up for ever when that happens.
 */
export class SessionPool {
  readonly #rpc: RpcClient
  readonly #options: SessionPoolOptions
  /** The most recently used is the last. */
  readonly #idle: { readonly session: Session; usedAtMs: number }[] = []
  readonly #inUse = new Map<Session, number>()
  readonly #waiters = new Set<Waiter>()
  #creating = 0
  #isGrowing = false
  #isKeepingHouse = false
  #dropped = 0
  #nextChannel = 0
  #isClosed = false
  readonly #timer: NodeJS.Timeout

  constructor(rpc: RpcClient, options: SessionPoolOptions) {
    this.#rpc = rpc
    this.#options = options
    this.#timer = setInterval(() => void this.#keepHouse(), options.housekeepingMs)
    this.#timer.unref()
  }

  get stats(): SessionPoolStats {
    return {
      idle: this.#idle.length,
      inUse: this.#inUse.size,
      creating: this.#creating,
      waiting: this.#waiters.size,
      dropped: this.#dropped,
      longestHeldMs: this.#longestHeldMs(),
    }
  }

  /** Makes sure that the minimum is there (and, with it, that the database is). Rejects with what Spanner said. */
  async warmUp(options: CallOptions): Promise<void> {
    const missing = Math.max(1, this.#options.minSessions) - this.#idle.length
    if (missing <= 0) return
    for (const session of await this.#create(missing, options)) this.#putIdle(session)
  }

  /** A session without a transaction; `preferred` if it is idle. Rejects with kind `resource-exhausted` where none comes free in time. */
  async acquire(options: CallOptions, preferred?: Session): Promise<Session> {
    if (this.#isClosed) throw closedFailure()
    const idle = this.#takeIdle(preferred)
    if (idle !== undefined) return this.#lend(idle)
    const session = await this.#wait(options)
    return session
  }

  release(session: Session): void {
    if (!this.#inUse.delete(session)) return
    if (this.#isClosed) {
      void this.#deleteQuietly(session)
      return
    }
    this.#hand(session)
  }

  drop(session: Session): void {
    if (!this.#inUse.delete(session)) return
    this.#dropped++
    this.#grow()
  }

  /** Deletes the idle sessions; those in use are deleted when they come back. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    for (const waiter of this.#waiters) waiter.fail(closedFailure())
    this.#waiters.clear()
    if (this.#inUse.size > 0) {
      sessionLeakEvents.publish({
        database: this.#options.database,
        count: this.#inUse.size,
        longestHeldMs: this.#longestHeldMs(),
      })
    }
    const idle = this.#idle.splice(0)
    for (let from = 0; from < idle.length; from += CREATE_AT_ONCE) {
      const some = idle.slice(from, from + CREATE_AT_ONCE)
      await Promise.all(some.map(({ session }) => this.#deleteQuietly(session)))
    }
  }

  #takeIdle(preferred: Session | undefined): Session | undefined {
    const at = preferred === undefined ? -1 : this.#idle.findIndex((e) => e.session === preferred)
    return at < 0 ? this.#idle.pop()?.session : this.#idle.splice(at, 1)[0]?.session
  }

  #lend(session: Session): Session {
    this.#inUse.set(session, performance.now())
    return session
  }

  /** To who waits longest, else to the shelf. */
  #hand(session: Session): void {
    const [waiter] = this.#waiters
    if (waiter === undefined) {
      this.#putIdle(session)
      return
    }
    this.#waiters.delete(waiter)
    waiter.give(this.#lend(session))
  }

  #putIdle(session: Session): void {
    this.#idle.push({ session, usedAtMs: performance.now() })
  }

  #wait(options: CallOptions): Promise<Session> {
    return new Promise((resolve, reject) => {
      const { signal } = options
      const end = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        give: (session) => {
          end()
          resolve(session)
        },
        fail: (error) => {
          end()
          reject(error)
        },
      }
      const onAbort = (): void =>
        waiter.fail(
          backendFailure(
            { kind: 'cancelled' },
            GRPC_CODE.CANCELLED,
            'cancelled while waiting for a session',
          ),
        )
      const timer = setTimeout(() => waiter.fail(exhaustedFailure(this.stats)), options.timeoutMs)
      if (signal?.aborted === true) {
        onAbort()
        return
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
      this.#growSoon()
    })
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
    const total = this.#idle.length + this.#inUse.size + this.#creating
    const wanted = this.#waiters.size - this.#creating
    const count = Math.min(wanted, CREATE_AT_ONCE, this.#options.maxSessions - total)
    if (count <= 0 || this.#isClosed) return
    this.#create(count, { timeoutMs: CREATE_TIMEOUT_MS }).then(
      (sessions) => {
        for (const session of sessions) {
          if (this.#isClosed) void this.#deleteQuietly(session)
          else this.#hand(session)
        }
        this.#grow()
      },
      (error: unknown) => {
        const failure = error instanceof Error ? error : new Error(String(error))
        for (const waiter of [...this.#waiters].slice(0, count)) waiter.fail(failure)
        this.#grow()
      },
    )
  }

  async #create(count: number, options: CallOptions): Promise<Session[]> {
    const channel = this.#nextChannel++ % this.#rpc.transport.channelCount
    this.#creating += count
    try {
      const reply = await this.#rpc.unary(
        {
          method: 'google.spanner.v1.Spanner/BatchCreateSessions',
          resource: this.#options.database,
          routing: ['database', this.#options.database],
          channel,
          toLeader: true,
        },
        encodeBatchCreateSessions(this.#options.database, count, this.#options.databaseRole),
        options,
      )
      const sessions = decodeSessionNames(reply).map((name) => ({ name, channel }))
      if (sessions.length === 0) {
        throw backendFailure(
          { kind: 'internal' },
          GRPC_CODE.INTERNAL,
          'BatchCreateSessions gave no session',
        )
      }
      return sessions
    } catch (error) {
      throw toBackendError(error)
    } finally {
      this.#creating -= count
    }
  }

  async #keepHouse(): Promise<void> {
    if (this.#isKeepingHouse) return
    this.#isKeepingHouse = true
    try {
      await this.#releaseSurplus()
      await this.#wakeDrowsy()
    } finally {
      this.#isKeepingHouse = false
    }
  }

  async #releaseSurplus(): Promise<void> {
    const now = performance.now()
    const releasable = this.#idle.length + this.#inUse.size - this.#options.minSessions
    const old = this.#idle.filter(({ usedAtMs }) => now - usedAtMs > this.#options.idleReleaseMs)
    const surplus = old.slice(0, Math.max(0, releasable))
    for (const entry of surplus) this.#idle.splice(this.#idle.indexOf(entry), 1)
    await Promise.all(surplus.map(({ session }) => this.#deleteQuietly(session)))
  }

  async #wakeDrowsy(): Promise<void> {
    const now = performance.now()
    const drowsy = this.#idle.filter(({ usedAtMs }) => now - usedAtMs > this.#options.keepAliveMs)
    await Promise.all(drowsy.map((entry) => this.#keepAlive(entry)))
  }

  async #keepAlive(entry: { readonly session: Session; usedAtMs: number }): Promise<void> {
    const { session } = entry
    const request = encodeExecuteSql({
      session: session.name,
      selector: { kind: 'single-use', options: STRONG_READ },
      statement: { sql: 'SELECT 1', params: [] },
    })
    try {
      await this.#rpc.unaryOnce(this.target(session, 'ExecuteSql', false), request, {
        timeoutMs: HOUSEKEEPING_CALL_MS,
      })
      entry.usedAtMs = performance.now()
    } catch (error) {
      // Whatever happened, whoever acquires it later would meet it: a session that cannot be used is no loss.
      if (toBackendError(error).failure.kind !== 'session-not-found') return
      const at = this.#idle.indexOf(entry)
      if (at < 0) return
      this.#idle.splice(at, 1)
      this.#dropped++
    }
  }

  /** How a call in `session` is addressed. */
  target(session: Session, method: string, toLeader: boolean): RpcTarget {
    return {
      method: `google.spanner.v1.Spanner/${method}`,
      resource: this.#options.database,
      routing: ['session', session.name],
      channel: session.channel,
      toLeader,
    }
  }

  async #deleteQuietly(session: Session): Promise<void> {
    try {
      await this.#rpc.unaryOnce(
        this.target(session, 'DeleteSession', false),
        encodeDeleteSession(session.name),
        { timeoutMs: HOUSEKEEPING_CALL_MS },
      )
    } catch (error) {
      // Spanner drops idle sessions by itself; a server that is gone has none.
      toBackendError(error)
    }
  }

  #longestHeldMs(): number {
    const [oldest] = this.#inUse.values()
    return oldest === undefined ? 0 : performance.now() - oldest
  }
}

function closedFailure(): Error {
  return backendFailure({ kind: 'unavailable' }, GRPC_CODE.UNAVAILABLE, 'the database was closed')
}

function exhaustedFailure(stats: SessionPoolStats): Error {
  return backendFailure(
    { kind: 'resource-exhausted' },
    GRPC_CODE.RESOURCE_EXHAUSTED,
    `no session came free in time: ${stats.inUse} in use, ${stats.creating} being created, ${stats.waiting} waiting`,
  )
}
