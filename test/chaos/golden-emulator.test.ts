import t from 'tap'
import { checkScriptsWithFaults } from './golden-with-faults.ts'

t.test('no fault shows in an answer', (t) => checkScriptsWithFaults(t, 'emulator'))
