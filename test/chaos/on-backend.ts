import tap, { type Test } from 'tap'
import { orSkip } from '../helpers/on-emulator.ts'
import { type BackendName, type FaultySpanwire, startFaultySpanwire } from './faulty-spanwire.ts'

/** How long a workload lasts in a test: `CHAOS_SECONDS`, else ten seconds. */
export const CHAOS_SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 10)

/** `CHAOS_SEED` adds to the seeds of all faults. */
export const MORE_SEED = Number(process.env['CHAOS_SEED'] ?? 0)

/** Under load a run takes longer than tap's own patience. */
export const CHAOS_TIMEOUT_MS = (600 + 10 * CHAOS_SECONDS) * 1000

/** Runs a test on a product with a faulty backend; skips it, saying so, where this machine has no such backend. */
export async function onBackend(
  t: Test,
  backend: BackendName,
  test: (faulty: FaultySpanwire) => Promise<void>,
): Promise<void> {
  // Of the file, too.
  tap.setTimeout(CHAOS_TIMEOUT_MS)
  t.setTimeout(CHAOS_TIMEOUT_MS)
  await orSkip(t, () => startFaultySpanwire(backend), test)
}
