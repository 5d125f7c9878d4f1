import type { LockStrength, WaitOptions } from './advisory-lock-table.ts'
import type { AdvisoryLocks, Terminate } from './advisory-locks.ts'

/** Until when a lock is held: its session's end, or its transaction's. */
export type LockScope = 'session' | 'transaction'

interface HeldLock {
  readonly key: string
  readonly strength: LockStrength
}

/**
 * The advisory locks of one session. Those of its transaction go with it, and with a savepoint that is rolled back to
 * (src/backend/utils/adt/lockfuncs.c).
 */
export class SessionLocks {
  readonly #locks: AdvisoryLocks
  readonly #ofSession: HeldLock[] = []
  readonly #ofTransaction: HeldLock[] = []
  /** How many locks the transaction held at each savepoint. */
  readonly #marks: number[] = []

  /** Keys released that other proxies cannot have yet. */
  #releases: Promise<void>[] = []

  constructor(locks: AdvisoryLocks, terminate: Terminate) {
    this.#locks = locks
    locks.join(this, terminate)
  }

  async acquire(lock: HeldLock, scope: LockScope, options: WaitOptions): Promise<void> {
    await this.#locks.acquire({ ...lock, owner: this }, options)
    this.#note(lock, scope)
  }

  async tryAcquire(lock: HeldLock, scope: LockScope, signal: AbortSignal): Promise<boolean> {
    const isHeld = await this.#locks.tryAcquire({ ...lock, owner: this }, signal)
    if (isHeld) this.#note(lock, scope)
    return isHeld
  }

  /** Of the session's own; false where it holds no such lock. */
  release({ key, strength }: HeldLock): boolean {
    const index = this.#ofSession.findLastIndex(
      (held) => held.key === key && held.strength === strength,
    )
    if (index < 0) return false
    this.#ofSession.splice(index, 1)
    return this.#release({ key, strength })
  }

  /** All of the session's own. */
  releaseAll(): void {
    this.#releaseDownTo(this.#ofSession, 0)
  }

  /** Resolves when all clients of all proxies can have what was released. Never rejects. */
  async settled(): Promise<void> {
    const releases = this.#releases
    if (releases.length === 0) return
    this.#releases = []
    await Promise.all(releases)
  }

  savepoint(): void {
    this.#marks.push(this.#ofTransaction.length)
  }

  releaseSavepoint(level: number): void {
    this.#marks.length = level - 1
  }

  rollbackTo(level: number): void {
    this.#marks.length = level
    this.#releaseDownTo(this.#ofTransaction, this.#marks[level - 1] ?? 0)
  }

  endTransaction(): void {
    this.#marks.length = 0
    this.#releaseDownTo(this.#ofTransaction, 0)
  }

  #note(lock: HeldLock, scope: LockScope): void {
    if (scope === 'session') this.#ofSession.push(lock)
    else this.#ofTransaction.push(lock)
  }

  #releaseDownTo(held: HeldLock[], length: number): void {
    for (const lock of held.splice(length)) this.#release(lock)
  }

  #release(lock: HeldLock): boolean {
    const wasHeld = this.#locks.release({ ...lock, owner: this })
    const settled = this.#locks.settled(lock.key)
    if (settled !== undefined) this.#releases.push(settled)
    return wasHeld
  }
}
