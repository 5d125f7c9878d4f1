import t from 'tap'
import { onEmulator } from '../helpers/on-emulator.ts'
import { checkPgDump } from './pg-dump.ts'

t.test('pg_dump of the schema, on the emulator', async (t) => {
  await onEmulator(t, (spanwire) => checkPgDump(t, spanwire))
})
