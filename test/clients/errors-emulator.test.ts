import t from 'tap'
import { startEmulator } from '../helpers/emulator.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkOrdinaryErrors } from './ordinary-errors-check.ts'

t.test('ordinary errors, on the emulator', async (t) => {
  const emulator = await startEmulator()
  if (emulator === undefined) {
    t.pass('SKIPPED: the Spanner emulator is not on this machine', { skip: true })
    return
  }
  t.teardown(() => emulator.stop())
  const spanwire = await startSpanwire({ env: { SPANNER_EMULATOR_HOST: emulator.address } })
  t.teardown(() => spanwire.stop())
  await checkOrdinaryErrors(t, 'emulator', spanwire)
})
