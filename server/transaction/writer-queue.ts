import { lockTimeout } from './lock-timeout.ts'

/** Gives the place in a {@link WriterQueue} back; harmless when called twice. */
export type ReleaseWriter = () => void

/** Whoever holds the place. */
export interface Writer {
  /**
   * Somebody has waited for {@link PATIENCE_MS}: true where the writer has nothing under way and gives its place back now, of its own
   * accord.
   */
  yieldPlace(): boolean
}

/** How long the first in the queue waits before the holder is asked to yield, and how often it is asked again. */
export const PATIENCE_MS = 300
const ASK_AGAIN_MS = 50

/** How long somebody whose lock_timeout is 0 waits without seeing the place change hands. */
const STANDSTILL_MS = 10_000

interface Waiter {
  readonly writer: Writer
  readonly admit: () => void
  readonly refuse: (error: Error) => void
}

/**
 * The fair queue in front of a backend that allows one read-write transaction at a time in a database (the emulator): first
 * come, first served. A holder whose client is idle makes room for those behind it, and has to come back for its place. Where the
 * backend has real locks there is no queue.
 */
export class WriterQueue {
  readonly #waiting: Waiter[] = []
  #holder: Writer | undefined
  #heldSinceMs = 0
  readonly #standstillMs: number
  #asking: NodeJS.Timeout | undefined

  constructor(standstillMs = STANDSTILL_MS) {
    this.#standstillMs = standstillMs
  }

  /**
   * Waits for the place. Rejects with 55P03 after `timeoutMs` (lock_timeout; 0: after 10 s in which the place did not change hands), or
   * with the signal's reason.
   */
  async acquire(
    writer: Writer,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<ReleaseWriter> {
    signal?.throwIfAborted()
    if (this.#holder === undefined) this.#handTo(writer)
    else await this.#wait(writer, timeoutMs, signal)
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      this.#passOn()
    }
  }

  #wait(writer: Writer, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        act()
      }
      const waiter: Waiter = {
        writer,
        admit: () => settle(resolve),
        refuse: (error) => settle(() => reject(error)),
      }
      const leave = (error: Error) => {
        const place = this.#waiting.indexOf(waiter)
        if (place >= 0) this.#waiting.splice(place, 1)
        waiter.refuse(error)
        if (this.#waiting.length === 0) this.#stopAsking()
      }
      const giveUp = () => {
        const leftMs =
          timeoutMs > 0 ? 0 : this.#heldSinceMs + this.#standstillMs - performance.now()
        if (leftMs > 0) timer = setTimeout(giveUp, leftMs)
        else leave(lockTimeout())
      }
      let timer = setTimeout(giveUp, timeoutMs || this.#standstillMs)
      const onAbort = () => leave(signal?.reason as Error)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
      if (this.#asking === undefined) this.#askAfter(PATIENCE_MS)
    })
  }

  #askAfter(delayMs: number): void {
    this.#asking = setTimeout(() => {
      this.#asking = undefined
      if (this.#waiting.length > 0 && this.#holder?.yieldPlace() !== true) {
        this.#askAfter(ASK_AGAIN_MS)
      }
    }, delayMs)
  }

  #stopAsking(): void {
    clearTimeout(this.#asking)
    this.#asking = undefined
  }

  #handTo(writer: Writer | undefined): void {
    this.#holder = writer
    this.#heldSinceMs = performance.now()
  }

  #passOn(): void {
    this.#stopAsking()
    const next = this.#waiting.shift()
    this.#handTo(next?.writer)
    next?.admit()
    if (this.#waiting.length > 0) this.#askAfter(PATIENCE_MS)
  }
}
