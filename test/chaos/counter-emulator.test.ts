import t from 'tap'
import { checkCounter } from './workload/check-workloads.ts'

t.test('sixteen clients add to one number, and none is told of a conflict', (t) =>
  checkCounter(t, 'emulator'),
)
