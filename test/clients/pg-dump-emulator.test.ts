import t from 'tap'
import { startEmulator } from '../helpers/emulator.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkPgDump } from './pg-dump.ts'

t.test('pg_dump of the schema, on the emulator', async (t) => {
  const emulator = await startEmulator()
  if (emulator === undefined) {
    t.pass('SKIPPED: the Spanner emulator is not on this machine', { skip: true })
    return
  }
  t.teardown(() => emulator.stop())
  const spanwire = await startSpanwire({ env: { SPANNER_EMULATOR_HOST: emulator.address } })
  t.teardown(() => spanwire.stop())
  await checkPgDump(t, spanwire)
})
