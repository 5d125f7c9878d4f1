import type { CallOptions } from '../backend/backend.ts'
import type { Session, SessionStats, Sessions } from './session.ts'
import type { SessionClient } from './session-client.ts'
import { SessionLedger } from './session-ledger.ts'
import { poolClosed, SessionQueue } from './session-queue.ts'
import { toBackendError } from './status.ts'

const CREATE_TIMEOUT_MS = 30_000

export interface MultiplexedSessionOptions {
  /** How long a session is waited for at most. */
  readonly acquireTimeoutMs: number
  /** Spanner drops sessions of 28 days; its libraries replace them after seven (its page on sessions). */
  readonly maxAgeMs: number
  /** A transaction that is open for so long is reported: it was forgotten, or its client is. */
  readonly leakAfterMs: number
  readonly housekeepingMs: number
}

interface Current {
  readonly name: string
  readonly createdAtMs: number
}

/**
 * One session for any number of transactions over all channels (Spanner's page on multiplexed sessions). It needs no keeping
 * awake and cannot be deleted; it is replaced before it grows too old, and when Spanner has forgotten it.
 */
export class MultiplexedSessions implements Sessions {
  readonly isMultiplexed = true
  readonly #client: SessionClient
  readonly #options: MultiplexedSessionOptions
  readonly #ledger: SessionLedger<undefined>
  readonly #queue: SessionQueue
  #current: Current | undefined
  #isCreating = false
  #dropped = 0
  #isClosed = false
  readonly #timer: NodeJS.Timeout

  constructor(client: SessionClient, options: MultiplexedSessionOptions) {
    this.#client = client
    this.#options = options
    this.#ledger = new SessionLedger(client.database)
    this.#queue = new SessionQueue(options.acquireTimeoutMs)
    this.#timer = setInterval(() => this.#keepHouse(), options.housekeepingMs)
    this.#timer.unref()
  }

  get stats(): SessionStats {
    return {
      idle: this.#current === undefined ? 0 : 1,
      inUse: this.#ledger.size,
      creating: this.#isCreating ? 1 : 0,
      waiting: this.#queue.size,
      dropped: this.#dropped,
      longestHeldMs: this.#ledger.longestHeldMs,
    }
  }

  async warmUp(options: CallOptions): Promise<void> {
    if (this.#current === undefined) await this.#create(options)
  }

  acquire(options: CallOptions): Session | Promise<Session> {
    if (this.#isClosed) return Promise.reject(poolClosed())
    if (this.#current !== undefined) return this.#lend(this.#current)
    const session = this.#queue.wait(options, () => `${this.#queue.size} waiting for a new one`)
    this.#createForQueue()
    return session
  }

  release(session: Session): void {
    this.#ledger.takeBack(session)
  }

  /** The next attempt says itself which transaction it follows: any session will do. */
  park(session: Session): void {
    this.#ledger.takeBack(session)
  }

  drop(session: Session, reason: 'gone' | 'in-doubt'): void {
    this.#ledger.takeBack(session)
    if (reason === 'in-doubt' || session.name !== this.#current?.name) return
    this.#current = undefined
    this.#dropped++
    this.#createForQueue()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#queue.fail(poolClosed())
    this.#ledger.reportAll()
  }

  #lend({ name }: Current): Session {
    return this.#ledger.lend({ name, channel: this.#client.rpc.transport.pickChannel() }, undefined)
  }

  #keepHouse(): void {
    this.#ledger.reportLeaks(this.#options.leakAfterMs)
    const { createdAtMs } = this.#current ?? {}
    if (createdAtMs !== undefined && performance.now() - createdAtMs > this.#options.maxAgeMs) {
      this.#createForQueue()
    }
  }

  /** While the new session is made, the old one serves; where it cannot be made, the next round tries again. */
  #createForQueue(): void {
    if (this.#isCreating || this.#isClosed) return
    this.#create({ timeoutMs: CREATE_TIMEOUT_MS }).catch((error: unknown) => {
      this.#queue.fail(toBackendError(error))
    })
  }

  async #create(options: CallOptions): Promise<void> {
    this.#isCreating = true
    try {
      const name = await this.#client.createMultiplexed(options)
      const current = { name, createdAtMs: performance.now() }
      this.#current = current
      while (this.#queue.serve(() => this.#lend(current)));
    } finally {
      this.#isCreating = false
    }
  }
}
