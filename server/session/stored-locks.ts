import type { BackendDatabase, CallOptions } from '../backend/backend.ts'
import { lowerLock, takeLock } from '../schema/advisory-lock-storage.ts'
import { Serial } from '../schema/serial.ts'
import type { AdvisoryLockTable, LockOwner, LockStrength } from './advisory-lock-table.ts'
import { LockLease } from './lock-lease.ts'

const RELEASE_TIMEOUT_MS = 10_000

/** What the database has of one key for this process. */
interface StoredKey {
  /** What is surely stored. */
  stored: LockStrength | undefined
  /** Whether more than `stored` may be there: a call ended without a clear answer. */
  isDoubtful: boolean
  /** Callers that are about it. */
  users: number
  /** One call about it at a time. */
  readonly calls: Serial
}

/**
 * The advisory locks of this process as rows of the database, so that other proxies respect them. For each key there is as much as
 * the clients of this process hold between them: the table in memory says who of them it is.
 */
export class StoredLocks {
  readonly #backend: BackendDatabase
  readonly #table: AdvisoryLockTable
  readonly #keys = new Map<string, StoredKey>()
  readonly #lease: LockLease

  /** `onLost` gets the owners of locks that other proxies may have by now. */
  constructor(parts: {
    readonly backend: BackendDatabase
    readonly table: AdvisoryLockTable
    readonly leaseMs: number
    readonly onLost: (owners: ReadonlySet<LockOwner>) => void
  }) {
    this.#backend = parts.backend
    this.#table = parts.table
    this.#lease = new LockLease({
      backend: parts.backend,
      leaseMs: parts.leaseMs,
      isInUse: () => this.#keys.size > 0,
      onRenewed: () => this.#settleAll(),
      onLost: () => parts.onLost(this.#lose()),
    })
  }

  /** Runs work about a key when the work about it that came before is done. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const entry = this.#entry(key)
    entry.users++
    try {
      return await entry.calls.run(work)
    } finally {
      entry.users--
      this.#tidy(key)
    }
  }

  /** One attempt, from within `run`, for what the table in memory has granted already: false where another proxy is in the way. */
  async take(key: string, strength: LockStrength, options: CallOptions): Promise<boolean> {
    options.signal?.throwIfAborted()
    const entry = this.#entry(key)
    if (this.#lease.current !== undefined && covers(entry.stored, strength)) return true
    const holder = await this.#lease.take()
    const wasDoubtful = entry.isDoubtful
    entry.isDoubtful = true
    const attempt = await takeLock(this.#backend, { key, holder, mode: strength }, options)
    if (attempt === 'lost' && this.#lease.current === holder) this.#lease.lose()
    // Under a lease that has ended, what was stored is nobody's.
    if (this.#lease.current !== holder) return this.take(key, strength, options)
    entry.isDoubtful = attempt === 'in-use' && wasDoubtful
    if (attempt === 'taken') entry.stored = strength
    return attempt === 'taken'
  }

  /**
   * Gives up what no client of this process holds any more; undefined where there is nothing to do. Never rejects: what cannot be given up now is
   * tried again with each renewal of the lease.
   */
  settle(key: string): Promise<void> | undefined {
    const entry = this.#keys.get(key)
    if (entry === undefined || (entry.users === 0 && this.#isSettled(key, entry))) return undefined
    return this.run(key, () => this.#settleNow(key, entry))
  }

  close(): Promise<void> {
    return this.#lease.close()
  }

  async #settleNow(key: string, entry: StoredKey): Promise<void> {
    const holder = this.#lease.current
    if (holder === undefined || this.#isSettled(key, entry)) return
    const mode =
      entry.stored !== undefined && this.#table.strength(key) === 'shared' ? 'shared' : undefined
    // Until the answer is there, no more than what is left is sure.
    entry.stored = mode
    entry.isDoubtful = true
    try {
      await lowerLock(this.#backend, { key, holder, mode }, { timeoutMs: RELEASE_TIMEOUT_MS })
    } catch {
      return
    }
    if (this.#lease.current === holder) entry.isDoubtful = false
  }

  /** Whoever wants it exclusively, and holds it in memory, asks for it next. */
  #isSettled(key: string, { stored, isDoubtful }: StoredKey): boolean {
    const held = this.#table.strength(key)
    return held === 'exclusive' || (!isDoubtful && covers(held, stored ?? held))
  }

  #settleAll(): void {
    for (const key of this.#keys.keys()) void this.settle(key)
  }

  #lose(): ReadonlySet<LockOwner> {
    const owners = new Set<LockOwner>()
    for (const [key, entry] of this.#keys) {
      if (entry.stored !== undefined) for (const owner of this.#table.owners(key)) owners.add(owner)
      entry.stored = undefined
      entry.isDoubtful = false
      this.#tidy(key)
    }
    return owners
  }

  #entry(key: string): StoredKey {
    const found = this.#keys.get(key)
    if (found !== undefined) return found
    const entry = { stored: undefined, isDoubtful: false, users: 0, calls: new Serial() }
    this.#keys.set(key, entry)
    return entry
  }

  #tidy(key: string): void {
    const entry = this.#keys.get(key)
    if (entry?.stored === undefined && entry?.isDoubtful === false && entry.users === 0)
      this.#keys.delete(key)
  }
}

function covers(held: LockStrength | undefined, wanted: LockStrength | undefined): boolean {
  return held === wanted || held === 'exclusive' || wanted === undefined
}
