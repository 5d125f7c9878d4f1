import { readFile } from 'node:fs/promises'
import { asError } from '../base/as-error.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ServerConnection } from './server-connection.ts'

export interface PoolOptions {
  /** Opens one more connection. */
  readonly open: (signal: AbortSignal) => Promise<ServerConnection>
  /** Connections at most. */
  readonly max: number
  /** Idle connections that are kept when they have been unused for `idleMs`. */
  readonly min: number
  /** How long a caller waits for a connection before 53300. */
  readonly waitMs: number
  /** A connection older than this is not used again. */
  readonly maxAgeMs: number
  /** A connection above `min` that has been idle for this long is closed. */
  readonly idleMs: number
  /** A server process with more private memory than this is not used again (catalog caches grow and never shrink). Looked at on Linux only. */
  readonly maxPrivateKiB: number
}

interface Waiter {
  readonly give: (connection: ServerConnection) => void
  readonly fail: (error: unknown) => void
}

/** How many uses of a connection lie between two looks at its memory. */
const USES_PER_MEMORY_CHECK = 64

/**
 * Connections that are lent one at a time, first come first served. A connection that comes back lost, busy or inside a transaction is
 * not lent again; old and large ones are replaced.
 */
export class ConnectionPool {
  readonly #options: PoolOptions
  /** Most recently used last: the pool shrinks from the front. */
  readonly #idle: { connection: ServerConnection; sinceMs: number }[] = []
  readonly #lent = new Set<ServerConnection>()
  readonly #uses = new WeakMap<ServerConnection, number>()
  readonly #waiters: Waiter[] = []
  #opening = 0
  readonly #closing = new AbortController()
  readonly #sweeper: NodeJS.Timeout

  constructor(options: PoolOptions) {
    this.#options = options
    this.#sweeper = setInterval(() => this.#sweep(), Math.max(options.idleMs / 2, 1_000))
    this.#sweeper.unref()
  }

  /** Connections that exist or are being opened. */
  get size(): number {
    return this.#idle.length + this.#lent.size + this.#opening
  }

  /** Lends a connection to `work` and takes it back afterwards, on every path. */
  async use<T>(
    signal: AbortSignal,
    work: (connection: ServerConnection) => Promise<T>,
  ): Promise<T> {
    const connection = await this.acquire(signal)
    try {
      return await work(connection)
    } finally {
      this.release(connection)
    }
  }

  /** Lends a connection until `release`. Throws 53300 when none came free in time, the signal's reason, or what opening one throws. */
  async acquire(signal: AbortSignal): Promise<ServerConnection> {
    signal.throwIfAborted()
    this.#closing.signal.throwIfAborted()
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      if (entry.connection.isLost) continue
      this.#lent.add(entry.connection)
      return entry.connection
    }
    if (this.size < this.#options.max) void this.#openForWaiters()
    return this.#wait(signal)
  }

  /** Takes a connection back. */
  release(connection: ServerConnection): void {
    if (!this.#lent.delete(connection)) return
    const isClean =
      !(connection.isLost || connection.isBusy) && connection.transactionStatus === 'I'
    const isOld = performance.now() - connection.openedAtMs > this.#options.maxAgeMs
    if (!isClean || isOld || this.#closing.signal.aborted) {
      this.#discard(connection, isClean)
      return
    }
    const uses = (this.#uses.get(connection) ?? 0) + 1
    this.#uses.set(connection, uses)
    if (uses % USES_PER_MEMORY_CHECK === 0) void this.#checkMemory(connection)
    else this.#offer(connection)
  }

  /** Closes idle connections down to none: somebody else needs their places. Returns how many. */
  trim(): number {
    const idle = this.#idle.splice(0)
    for (const entry of idle) void entry.connection.close()
    return idle.length
  }

  /** Ends all waiting and closes idle connections; lent ones are closed when they come back. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    const reason = new PgError(SQL_STATE.adminShutdown, 'the connection pool is closed')
    this.#closing.abort(reason)
    clearInterval(this.#sweeper)
    for (const waiter of this.#waiters.splice(0)) waiter.fail(reason)
    await Promise.all(this.#idle.splice(0).map((entry) => entry.connection.close()))
  }

  #wait(signal: AbortSignal): Promise<ServerConnection> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
      }
      const waiter: Waiter = {
        give: (connection) => {
          settle()
          resolve(connection)
        },
        fail: (error) => {
          settle()
          reject(asError(error))
        },
      }
      const leave = (error: unknown) => {
        const index = this.#waiters.indexOf(waiter)
        if (index >= 0) this.#waiters.splice(index, 1)
        waiter.fail(error)
      }
      const abort = () => leave(signal.reason)
      const timer = setTimeout(() => {
        leave(
          new PgError(SQL_STATE.tooManyConnections, 'timed out waiting for a server connection'),
        )
      }, this.#options.waitMs)
      signal.addEventListener('abort', abort, { once: true })
      this.#waiters.push(waiter)
    })
  }

  /** Opens one connection for whoever waits longest by then. A failure to open goes to the one who waits longest. */
  async #openForWaiters(): Promise<void> {
    this.#opening++
    let outcome: { connection: ServerConnection } | { error: unknown }
    try {
      const signal = AbortSignal.any([
        this.#closing.signal,
        AbortSignal.timeout(this.#options.waitMs),
      ])
      outcome = { connection: await this.#options.open(signal) }
    } catch (error) {
      outcome = { error }
    }
    this.#opening--
    if ('error' in outcome) {
      this.#waiters.shift()?.fail(outcome.error)
      this.#serveWaiters()
      return
    }
    if (this.#closing.signal.aborted) await outcome.connection.close()
    else this.#offer(outcome.connection)
  }

  #offer(connection: ServerConnection): void {
    if (connection.isLost) {
      this.#serveWaiters()
      return
    }
    const waiter = this.#waiters.shift()
    if (waiter === undefined) {
      this.#idle.push({ connection, sinceMs: performance.now() })
    } else {
      this.#lent.add(connection)
      waiter.give(connection)
    }
  }

  #discard(connection: ServerConnection, isClean: boolean): void {
    // close() itself gives up after a second; nobody needs to wait for it.
    if (isClean) void connection.close()
    else connection.destroy()
    this.#serveWaiters()
  }

  #serveWaiters(): void {
    const isShort = this.#waiters.length > this.#opening && this.size < this.#options.max
    if (isShort && !this.#closing.signal.aborted) void this.#openForWaiters()
  }

  async #checkMemory(connection: ServerConnection): Promise<void> {
    // The connection belongs to nobody while this runs, but it counts.
    this.#lent.add(connection)
    const privateKiB = await readPrivateKiB(connection.processId)
    this.#lent.delete(connection)
    if (privateKiB > this.#options.maxPrivateKiB || this.#closing.signal.aborted) {
      this.#discard(connection, true)
    } else {
      this.#offer(connection)
    }
  }

  #sweep(): void {
    const now = performance.now()
    const { min, idleMs, maxAgeMs } = this.#options
    for (let index = 0; index < this.#idle.length; ) {
      const entry = this.#idle[index]
      if (entry === undefined) return
      const isSurplus = this.size > min && now - entry.sinceMs > idleMs
      const isOld = now - entry.connection.openedAtMs > maxAgeMs
      if (entry.connection.isLost || isSurplus || isOld) {
        this.#idle.splice(index, 1)
        void entry.connection.close()
      } else {
        index++
      }
    }
  }
}

/** Private memory of a process; 0 where the system does not say. */
async function readPrivateKiB(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => '')
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0)
}
