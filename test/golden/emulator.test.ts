import t from 'tap'
import { onEmulator } from '../helpers/on-emulator.ts'
import { checkScripts } from './check.ts'

t.test('the emulator behind Spanwire answers as PostgreSQL', async (t) => {
  await onEmulator(t, (spanwire) => checkScripts(t, 'emulator', spanwire))
})
