import t from 'tap'
import { checkBudget } from './check-budget.ts'

t.test('what clients cost on the emulator', (t) => checkBudget(t, 'emulator'))
