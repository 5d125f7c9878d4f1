import { setTimeout as delay } from 'node:timers/promises'
import { BackendError } from '../backend/backend-error.ts'

/** Bounds of running a transaction again. */
export const MAX_ATTEMPTS = 100
export const MAX_ELAPSED_MS = 60_000

const FIRST_PAUSE_MS = 4
const MAX_PAUSE_MS = 2_000

/**
 * Waits after the ABORTED number `count` in a row: as long as the server asks for (google.rpc.RetryInfo), else exponentially with
 * jitter. Rejects when `signal` fires.
 */
export async function backOff(
  aborted: unknown,
  count: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await delay(pauseMs(aborted, count), undefined, signal === undefined ? {} : { signal })
}

function pauseMs(aborted: unknown, count: number): number {
  if (aborted instanceof BackendError && aborted.failure.kind === 'aborted') {
    const { retryDelayMs } = aborted.failure
    if (retryDelayMs !== undefined) return retryDelayMs
  }
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (count - 1)) * (0.5 + Math.random() / 2)
}
