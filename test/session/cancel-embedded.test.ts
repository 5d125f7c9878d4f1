import t from 'tap'
import { checkCancel } from './cancel.ts'

t.test('cancelling on the embedded backend', (t) => checkCancel(t, 'embedded'))
