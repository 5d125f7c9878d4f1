import t from 'tap'
import { onEmulator } from '../helpers/on-emulator.ts'
import { checkOrdinaryErrors } from './ordinary-errors-check.ts'

t.test('ordinary errors, on the emulator', async (t) => {
  await onEmulator(t, (spanwire) => checkOrdinaryErrors(t, 'emulator', spanwire))
})
