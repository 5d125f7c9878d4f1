import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions } from '../backend/backend.ts'

/** A moment on this process' clock by which something must be done, over however many calls it takes. */
export class Deadline {
  readonly #atMs: number

  constructor(timeoutMs: number) {
    this.#atMs = performance.now() + timeoutMs
  }

  /** Never negative. */
  get remainingMs(): number {
    return Math.max(0, this.#atMs - performance.now())
  }

  /** The same call's options with what is left of the time. */
  options(signal: AbortSignal | undefined): CallOptions {
    return { timeoutMs: this.remainingMs, signal }
  }
}

/** Exponential pauses with jitter: between half of `firstMs * factor^n` and all of it, at most `maxMs`. */
export class Backoff {
  #nextMs: number
  readonly #factor: number
  readonly #maxMs: number

  constructor(firstMs: number, factor: number, maxMs: number) {
    this.#nextMs = firstMs
    this.#factor = factor
    this.#maxMs = maxMs
  }

  nextDelayMs(): number {
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(this.#maxMs, delayMs * this.#factor)
    return delayMs * (0.5 + Math.random() / 2)
  }
}

/** Sleeps `delayMs` if the deadline leaves room for it; false at once where it does not, or as soon as `signal` fires. */
export async function pause(
  delayMs: number,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (delayMs >= deadline.remainingMs || signal?.aborted === true) return false
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal })
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return false
    throw error
  }
}
