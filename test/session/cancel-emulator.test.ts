import t from 'tap'
import { checkCancel } from './cancel.ts'

t.test('cancelling on the emulator', (t) => checkCancel(t, 'emulator'))
