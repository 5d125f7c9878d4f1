import { setTimeout as delay } from 'node:timers/promises'
import type { BackendDatabase, BackendTransaction, CallOptions } from '../backend/backend.ts'
import { isAborted } from '../backend/backend-error.ts'

const FIRST_PAUSE_MS = 20
const MAX_PAUSE_MS = 1_000

/**
 * A read-write transaction of the proxy's own, committed after `work`. One that Spanner aborts is run again until the deadline,
 * with the seniority of the attempt before.
 */
export async function runOwnTransaction<T>(
  backend: BackendDatabase,
  work: (transaction: BackendTransaction) => Promise<T>,
  options: CallOptions,
): Promise<T> {
  const deadlineMs = performance.now() + options.timeoutMs
  let previousAttempt: BackendTransaction | undefined
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    const transaction = backend.beginReadWrite({ isolation: 'serializable', previousAttempt })
    try {
      const result = await work(transaction)
      await transaction.commit(options)
      return result
    } catch (error) {
      await transaction.rollback()
      if (!isAborted(error) || performance.now() + pauseMs > deadlineMs) throw error
      previousAttempt = transaction
    }
    await delay(
      pauseMs * (0.5 + Math.random() / 2),
      undefined,
      options.signal === undefined ? {} : { signal: options.signal },
    )
  }
}
