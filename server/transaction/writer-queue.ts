import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** Gives the place in a {@link WriterQueue} back; harmless when called twice. */
export type ReleaseWriter = () => void

interface Waiter {
  readonly admit: () => void
  readonly refuse: (error: Error) => void
}

/**
 * The fair queue in front of a backend that allows one read-write transaction at a time in a database (the emulator): first
 * come, first served. Where the backend has real locks there is no queue.
 */
export class WriterQueue {
  readonly #waiting: Waiter[] = []
  #isHeld = false

  /**
   * Waits for the place. Rejects with 55P03 after `timeoutMs`, in the words of PostgreSQL's lock_timeout
   * (src/backend/tcop/postgres.c, ProcessInterrupts), or with the signal's reason.
   */
  async acquire(timeoutMs: number, signal: AbortSignal): Promise<ReleaseWriter> {
    signal.throwIfAborted()
    if (this.#isHeld) await this.#wait(timeoutMs, signal)
    this.#isHeld = true
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      this.#passOn()
    }
  }

  #wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        act()
      }
      const waiter: Waiter = {
        admit: () => settle(resolve),
        refuse: (error) => settle(() => reject(error)),
      }
      const leave = (error: Error) => {
        const place = this.#waiting.indexOf(waiter)
        if (place >= 0) this.#waiting.splice(place, 1)
        waiter.refuse(error)
      }
      const timer = setTimeout(() => leave(lockTimeout()), timeoutMs)
      const onAbort = () => leave(signal.reason as Error)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
    })
  }

  #passOn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#isHeld = false
    else next.admit()
  }
}

function lockTimeout(): PgError {
  return new PgError(SQL_STATE.lockNotAvailable, 'canceling statement due to lock timeout')
}
