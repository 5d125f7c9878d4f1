import t from 'tap'
import { checkListAppend } from './workload/check-workloads.ts'

t.test('what clients see could have happened one after the other', (t) =>
  checkListAppend(t, 'embedded'),
)
