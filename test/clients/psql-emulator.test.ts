import t from 'tap'
import { onEmulator } from '../helpers/on-emulator.ts'
import { checkPsqlCatalog } from './psql-catalog-check.ts'

t.test('psql’s catalog commands, on the emulator', async (t) => {
  await onEmulator(t, (spanwire) => checkPsqlCatalog(t, spanwire))
})
