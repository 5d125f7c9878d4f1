import { setTimeout as delay } from 'node:timers/promises'
import type { BackendDatabase } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import type { Capabilities } from '../backend/capabilities.ts'

/** Bounds of running a transaction again. */
export const MAX_ATTEMPTS = 100
export const MAX_ELAPSED_MS = 60_000

const FIRST_PAUSE_MS = 4
const MAX_PAUSE_MS = 2_000

/**
 * Where transactions exclude each other (the emulator), a call is aborted as long as a transaction that its proxy left behind holds the
 * database: each call has one chance in five to end it. Long pauses only keep everybody waiting then.
 */
const MAX_PAUSE_OF_ONE_WRITER_MS = 100

/**
 * Waits after the ABORTED number `count` in a row: as long as the server asks for (google.rpc.RetryInfo), else exponentially with
 * jitter. Rejects when `signal` fires.
 */
export async function backOff(
  aborted: unknown,
  count: number,
  backend: Pick<BackendDatabase, 'capabilities'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const pause = pauseMs(aborted, count, backend.capabilities)
  await delay(pause, undefined, signal === undefined ? {} : { signal })
}

/** How long that is, in milliseconds. */
export function pauseMs(
  aborted: unknown,
  count: number,
  { concurrentWrites }: Pick<Capabilities, 'concurrentWrites'>,
): number {
  if (aborted instanceof BackendError && aborted.failure.kind === 'aborted') {
    const { retryDelayMs } = aborted.failure
    if (retryDelayMs !== undefined) return retryDelayMs
  }
  const maxMs = concurrentWrites ? MAX_PAUSE_MS : MAX_PAUSE_OF_ONE_WRITER_MS
  return Math.min(maxMs, FIRST_PAUSE_MS * 2 ** (count - 1)) * (0.5 + Math.random() / 2)
}
