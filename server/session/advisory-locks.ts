import type { BackendDatabase } from '../backend/backend.ts'
import { PgError } from '../base/pg-error.ts'
import { raceAbort } from '../base/race-abort.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  AdvisoryLockTable,
  type LockOwner,
  type LockRequest,
  lockTimeout,
  type WaitOptions,
} from './advisory-lock-table.ts'
import { StoredLocks } from './stored-locks.ts'

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 1_000
/** How long one attempt at the database may take. */
const ATTEMPT_TIMEOUT_MS = 30_000

/** Ends a client's connection with an error. */
export type Terminate = (error: PgError) => void

/**
 * The advisory locks of one database. Among the clients of this process the table in memory decides; where other proxies can serve
 * the same database, what it grants is taken in the database, too, before the client hears of it.
 */
export class AdvisoryLocks {
  readonly #table = new AdvisoryLockTable()
  readonly #stored: StoredLocks | undefined
  readonly #terminate = new WeakMap<LockOwner, Terminate>()

  /** Without `shared` they hold in this process only. */
  constructor(shared?: { readonly backend: BackendDatabase; readonly leaseMs: number }) {
    if (shared === undefined) return
    this.#stored = new StoredLocks({
      ...shared,
      table: this.#table,
      onLost: (owners) => {
        for (const owner of owners) this.#terminate.get(owner)?.(locksLost())
      },
    })
  }

  /** Makes an owner known: `terminate` is called when locks that it holds are lost. */
  join(owner: LockOwner, terminate: Terminate): void {
    this.#terminate.set(owner, terminate)
  }

  /** False where somebody else is in the way. */
  async tryAcquire(request: LockRequest, signal: AbortSignal): Promise<boolean> {
    const stored = this.#stored
    if (stored === undefined) return this.#table.tryAcquire(request)
    const isTaken = await stored.run(request.key, async () => {
      if (!this.#table.tryAcquire(request)) return false
      try {
        const options = { timeoutMs: ATTEMPT_TIMEOUT_MS, signal }
        if (await stored.take(request.key, request.strength, options)) return true
      } catch (error) {
        this.#table.release(request)
        void stored.settle(request.key)
        throw error
      }
      this.#table.release(request)
      return false
    })
    if (!isTaken) await stored.settle(request.key)
    return isTaken
  }

  /** Rejects with 55P03 after the timeout, 40P01 where the wait would never end among the clients of this process, or the signal's reason. */
  async acquire(request: LockRequest, options: WaitOptions): Promise<void> {
    const startMs = performance.now()
    await this.#table.acquire(request, options)
    if (this.#stored === undefined) return
    const { timeoutMs, signal } = options
    const deadlineMs = timeoutMs > 0 ? startMs + timeoutMs : Number.POSITIVE_INFINITY
    try {
      await takeUntil(this.#stored, request, { deadlineMs, signal })
    } catch (error) {
      this.#table.release(request)
      void this.#stored.settle(request.key)
      throw error
    }
  }

  /** False where the owner does not hold it so. Other proxies can have it when `settled` has resolved. */
  release(request: LockRequest): boolean {
    return this.#table.release(request)
  }

  /** Resolves when other proxies can have what was released of a key. Never rejects. */
  settled(key: string): Promise<void> | undefined {
    return this.#stored?.settle(key)
  }

  async close(): Promise<void> {
    await this.#stored?.close()
  }
}

/** Asks the database again and again: no proxy tells another that a lock is free. How long it takes to ask is no wait for the lock. */
async function takeUntil(
  stored: StoredLocks,
  { key, strength }: LockRequest,
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    const attempt = { timeoutMs: ATTEMPT_TIMEOUT_MS, signal }
    if (await stored.run(key, () => stored.take(key, strength, attempt))) return
    if (performance.now() >= deadlineMs) throw lockTimeout()
    const restMs = deadlineMs - performance.now()
    await pause(Math.max(0, Math.min(restMs, pauseMs * (0.5 + Math.random() / 2))), signal)
    if (performance.now() >= deadlineMs) throw lockTimeout()
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await raceAbort(over, signal).finally(() => clearTimeout(timer))
}

/**
 * FATAL, because a session that goes on would believe in locks that others may have; 57P01, because drivers and pools know it as a
 * connection that the server has ended and that is to be opened anew, which nothing else of PostgreSQL's class 57 says as well.
 */
function locksLost(): PgError {
  return new PgError(
    SQL_STATE.adminShutdown,
    'terminating connection because its advisory locks were lost',
    {
      severity: 'FATAL',
      detail: 'The lease on them could not be renewed in time.',
    },
  )
}
