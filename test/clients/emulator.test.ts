import t from 'tap'
import { onEmulator } from '../helpers/on-emulator.ts'
import { checkClients } from './suites.ts'

t.test('client libraries on the emulator', async (t) => {
  await onEmulator(t, (spanwire) => checkClients(t, spanwire))
})
