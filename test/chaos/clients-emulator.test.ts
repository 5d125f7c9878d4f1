import t from 'tap'
import { checkClientsWithFaults } from './clients-with-faults.ts'

t.test('client libraries notice no fault', (t) => checkClientsWithFaults(t, 'emulator'))
