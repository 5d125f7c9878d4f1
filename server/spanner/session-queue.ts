import type { CallOptions } from '../backend/backend.ts'
import type { Session } from './session.ts'
import { backendFailure, cancelledFailure } from './status.ts'
import { GRPC_CODE } from './transport.ts'

interface Waiter {
  readonly give: (session: Session) => void
  readonly fail: (error: Error) => void
}

/** Those who wait for a session, in the order of their coming. */
export class SessionQueue {
  readonly #waiters = new Set<Waiter>()
  readonly #maxWaitMs: number

  /** Nobody waits longer than `maxWaitMs`, whatever their own deadline. */
  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs
  }

  get size(): number {
    return this.#waiters.size
  }

  /** Rejects with kind `too-many-sessions` when the time is over; `describe` says how things stand then. */
  wait(options: CallOptions, describe: () => string): Promise<Session> {
    const { signal } = options
    if (signal?.aborted === true) return Promise.reject(cancelledFailure())
    const maxWaitMs = Math.min(options.timeoutMs, this.#maxWaitMs)
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        give: (session) => {
          end()
          resolve(session)
        },
        fail: (error) => {
          end()
          reject(error)
        },
      }
      const onAbort = (): void => waiter.fail(cancelledFailure())
      const timer = setTimeout(() => waiter.fail(tooManySessions(maxWaitMs, describe())), maxWaitMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  /** Gives a session to who waits longest. False where nobody waits: `lend` is not called then. */
  serve(lend: () => Session): boolean {
    const [waiter] = this.#waiters
    if (waiter === undefined) return false
    waiter.give(lend())
    return true
  }

  /** Sends away the `count` that wait longest. */
  fail(error: Error, count = this.#waiters.size): void {
    for (const waiter of [...this.#waiters].slice(0, count)) waiter.fail(error)
  }
}

function tooManySessions(waitedMs: number, state: string): Error {
  return backendFailure(
    { kind: 'too-many-sessions' },
    GRPC_CODE.RESOURCE_EXHAUSTED,
    `no Spanner session came free within ${Math.round(waitedMs)} ms: ${state}`,
  )
}

/** The failure of who asks a pool that was closed. */
export function poolClosed(): Error {
  return backendFailure({ kind: 'unavailable' }, GRPC_CODE.UNAVAILABLE, 'the database was closed')
}
