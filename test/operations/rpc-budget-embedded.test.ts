import t from 'tap'
import { checkBudget } from './check-budget.ts'

t.test('what clients cost on the embedded backend', (t) => checkBudget(t, 'embedded'))
