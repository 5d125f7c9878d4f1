import t from 'tap'
import { startEmulator } from '../helpers/emulator.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkScripts } from './check.ts'

t.test('the emulator behind Spanwire answers as PostgreSQL', async (t) => {
  const emulator = await startEmulator()
  if (emulator === undefined) {
    t.pass('SKIPPED: the Spanner emulator is not on this machine', { skip: true })
    return
  }
  t.teardown(() => emulator.stop())
  const spanwire = await startSpanwire({ env: { SPANNER_EMULATOR_HOST: emulator.address } })
  t.teardown(() => spanwire.stop())
  await checkScripts(t, 'emulator', spanwire)
})
