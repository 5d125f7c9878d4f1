import type { Test } from 'tap'
import { startEmulator } from './emulator.ts'
import { type RunningSpanwire, startSpanwire } from './spanwire.ts'

/** Says in the results that a test needs the emulator and did not run; {@link startEmulator} has said so on stderr. */
export function skipWithoutEmulator(t: Pick<Test, 'pass'>): void {
  t.pass('SKIPPED: the Spanner emulator is not on this machine', { skip: true })
}

/** Runs `work` with what `start` gives, and stops that after the test. Skips the test where there is no emulator to start. */
export async function orSkip<T extends { stop(): Promise<unknown> }>(
  t: Test,
  start: () => Promise<T | undefined>,
  work: (started: T) => Promise<void>,
): Promise<void> {
  const started = await start()
  if (started === undefined) {
    skipWithoutEmulator(t)
    return
  }
  t.teardown(async () => {
    await started.stop()
  })
  await work(started)
}

/** As {@link orSkip}, with the product in front of an emulator. */
export function onEmulator(
  t: Test,
  work: (spanwire: RunningSpanwire) => Promise<void>,
): Promise<void> {
  return orSkip(t, startEmulator, async ({ address }) => {
    const spanwire = await startSpanwire({ env: { SPANNER_EMULATOR_HOST: address } })
    t.teardown(async () => {
      await spanwire.stop()
    })
    await work(spanwire)
  })
}

/** Runs `work` as one subtest with the product on its embedded backend, and as another with an emulator behind it. */
export async function onEachBackend(
  t: Test,
  work: (t: Test, spanwire: RunningSpanwire) => Promise<void>,
): Promise<void> {
  await t.test('embedded', async (test) => {
    const spanwire = await startSpanwire()
    test.teardown(async () => {
      await spanwire.stop()
    })
    await work(test, spanwire)
  })
  await t.test('emulator', (test) => onEmulator(test, (spanwire) => work(test, spanwire)))
}
