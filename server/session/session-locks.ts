import type { AdvisoryLockTable, LockStrength, WaitOptions } from './advisory-lock-table.ts'

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
  readonly #table: AdvisoryLockTable
  readonly #ofSession: HeldLock[] = []
  readonly #ofTransaction: HeldLock[] = []
  /** How many locks the transaction held at each savepoint. */
  readonly #marks: number[] = []

  constructor(table: AdvisoryLockTable) {
    this.#table = table
  }

  async acquire(lock: HeldLock, scope: LockScope, options: WaitOptions): Promise<void> {
    await this.#table.acquire({ ...lock, owner: this }, options)
    this.#note(lock, scope)
  }

  tryAcquire(lock: HeldLock, scope: LockScope): boolean {
    const isHeld = this.#table.tryAcquire({ ...lock, owner: this })
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
    return this.#table.release({ key, strength, owner: this })
  }

  /** All of the session's own. */
  releaseAll(): void {
    this.#releaseDownTo(this.#ofSession, 0)
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
    for (const lock of held.splice(length)) this.#table.release({ ...lock, owner: this })
  }
}
