import t from 'tap'
import { checkBank } from './workload/check-workloads.ts'

t.test('money moves once or not at all, whatever breaks', (t) => checkBank(t, 'embedded'))
