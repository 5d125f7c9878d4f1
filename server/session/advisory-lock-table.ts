import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

export type LockStrength = 'shared' | 'exclusive'

/** Whoever holds locks: one session. */
export type LockOwner = object

export interface LockRequest {
  readonly owner: LockOwner
  /** Tells keys of one bigint from keys of two integers. */
  readonly key: string
  readonly strength: LockStrength
}

interface Waiter extends LockRequest {
  readonly admit: () => void
}

interface Lock {
  /** How often each owner holds it, in either strength. */
  readonly holders: Map<LockOwner, Record<LockStrength, number>>
  readonly queue: Waiter[]
}

export interface WaitOptions {
  /** 0: without end. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * The advisory locks of one database among the clients of this process (manual, section 13.3.5): shared or exclusive, held as
 * often as they were taken, waited for in the order of asking.
 */
export class AdvisoryLockTable {
  readonly #locks = new Map<string, Lock>()
  /** What each owner waits for. */
  readonly #waits = new Map<LockOwner, Waiter>()

  /** False where somebody else is in the way. */
  tryAcquire(request: LockRequest): boolean {
    const lock = this.#lock(request.key)
    if (!isFree(lock, request)) return false
    hold(lock, request)
    return true
  }

  /** Rejects with 55P03 after the timeout, 40P01 where the wait would never end, or the signal's reason. */
  async acquire(request: LockRequest, options: WaitOptions): Promise<void> {
    if (this.tryAcquire(request)) return
    options.signal.throwIfAborted()
    if (this.#wouldDeadlock(request)) throw deadlock()
    await this.#wait(request, options)
  }

  /** False where the owner does not hold it so. */
  release({ owner, key, strength }: LockRequest): boolean {
    const lock = this.#locks.get(key)
    const counts = lock?.holders.get(owner)
    if (lock === undefined || counts === undefined || counts[strength] === 0) return false
    counts[strength]--
    if (counts.shared + counts.exclusive === 0) lock.holders.delete(owner)
    this.#admit(key, lock)
    return true
  }

  /** In which mode it is held, by whomever; the stronger of the two. */
  strength(key: string): LockStrength | undefined {
    const counts = [...(this.#locks.get(key)?.holders.values() ?? [])]
    if (counts.some(({ exclusive }) => exclusive > 0)) return 'exclusive'
    return counts.length > 0 ? 'shared' : undefined
  }

  /** Whoever holds it. */
  owners(key: string): readonly LockOwner[] {
    return [...(this.#locks.get(key)?.holders.keys() ?? [])]
  }

  #lock(key: string): Lock {
    const found = this.#locks.get(key)
    if (found !== undefined) return found
    const lock: Lock = { holders: new Map(), queue: [] }
    this.#locks.set(key, lock)
    return lock
  }

  #wait(request: LockRequest, { timeoutMs, signal }: WaitOptions): Promise<void> {
    const lock = this.#lock(request.key)
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#waits.delete(request.owner)
        act()
      }
      const waiter: Waiter = { ...request, admit: () => settle(resolve) }
      const leave = (error: Error) => {
        lock.queue.splice(lock.queue.indexOf(waiter), 1)
        settle(() => reject(error))
        this.#admit(request.key, lock)
      }
      const onAbort = () => leave(signal.reason as Error)
      const timer = timeoutMs > 0 ? setTimeout(() => leave(lockTimeout()), timeoutMs) : undefined
      signal.addEventListener('abort', onAbort, { once: true })
      lock.queue.push(waiter)
      this.#waits.set(request.owner, waiter)
    })
  }

  /** Lets in whoever stands first in the queue, as long as nobody is in the way. */
  #admit(key: string, lock: Lock): void {
    for (let first = lock.queue[0]; first !== undefined; first = lock.queue[0]) {
      if (conflicts(lock, first)) return
      lock.queue.shift()
      hold(lock, first)
      first.admit()
    }
    if (lock.holders.size === 0) this.#locks.delete(key)
  }

  /** Whether somebody whom the request would wait for waits, over however many others, for its owner. */
  #wouldDeadlock(request: LockRequest): boolean {
    const seen = new Set<LockOwner>()
    const open: LockRequest[] = [request]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const blocker of this.#blockers(next)) {
        if (blocker === request.owner) return true
        const wait = this.#waits.get(blocker)
        if (wait === undefined || seen.has(blocker)) continue
        seen.add(blocker)
        open.push(wait)
      }
    }
    return false
  }

  #blockers(request: LockRequest): readonly LockOwner[] {
    const lock = this.#lock(request.key)
    const holders = [...lock.holders].filter(
      ([owner, counts]) => owner !== request.owner && conflictsWith(counts, request.strength),
    )
    const ahead = lock.queue.filter((waiter) => waiter.owner !== request.owner)
    return [...holders.map(([owner]) => owner), ...ahead.map(({ owner }) => owner)]
  }
}

/** Whoever holds the lock already does not queue behind those who want it. */
function isFree(lock: Lock, request: LockRequest): boolean {
  if (conflicts(lock, request)) return false
  return lock.queue.length === 0 || lock.holders.has(request.owner)
}

function conflicts(lock: Lock, { owner, strength }: LockRequest): boolean {
  for (const [holder, counts] of lock.holders) {
    if (holder !== owner && conflictsWith(counts, strength)) return true
  }
  return false
}

function conflictsWith(counts: Record<LockStrength, number>, strength: LockStrength): boolean {
  return counts.exclusive > 0 || (strength === 'exclusive' && counts.shared > 0)
}

function hold(lock: Lock, { owner, strength }: LockRequest): void {
  const counts = lock.holders.get(owner) ?? { shared: 0, exclusive: 0 }
  counts[strength]++
  lock.holders.set(owner, counts)
}

/** src/backend/tcop/postgres.c, ProcessInterrupts. */
export function lockTimeout(): PgError {
  return new PgError(SQL_STATE.lockNotAvailable, 'canceling statement due to lock timeout')
}

/** src/backend/storage/lmgr/deadlock.c, DeadLockReport. */
function deadlock(): PgError {
  return new PgError(SQL_STATE.deadlockDetected, 'deadlock detected', {
    hint: 'See server log for query details.',
  })
}
