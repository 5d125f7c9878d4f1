import { test } from 'tap'
import type { LoadResult } from './pgload-output.ts'
import { comparisonTable, endpointTable, failures, median, workloadTable } from './report.ts'

const A: LoadResult = {
  workload: 'a',
  name: 'point SELECT',
  conc: 16,
  phase: 'steady',
  ops: 300,
  ops_per_s: 5000.4,
  p50_us: 2000,
  p99_us: 9000,
  cpu_us_per_op: 200,
  other_cpu_cores: 0.26,
  rpcs_per_op: { ExecuteStreamingSql: 1 },
  errors: 0,
  endpoint: 'A',
}
const B: LoadResult = { ...A, endpoint: 'B', ops_per_s: 10000, p50_us: 1.5, cpu_us_per_op: 50 }

test('one line a window', async (t) => {
  t.equal(
    workloadTable([B]),
    `| workload       | conc | ops/s  | p50 us | p99 us | CPU us/op | RPC/op | other cores busy |
| -------------- | ---- | ------ | ------ | ------ | --------- | ------ | ---------------- |
| a point SELECT | 16   | 10,000 | 1.50   | 9,000  | 50.0      | 1.00   | 0.3              |`,
  )
})

test('two endpoints share a line, with ratios', async (t) => {
  const [, , line, end] = comparisonTable([A, B, { ...A, ops_per_s: 0 }, B]).split('\n')
  t.strictSame(
    line?.split('|').map((cell) => cell.trim()),
    [
      '',
      'a point SELECT',
      '16',
      '5,000',
      '10,000',
      '2.00',
      '2,000',
      '1.50',
      '0.00',
      '9,000',
    ].concat(['9,000', '1.00', '200', '50.0', '0.25', '']),
  )
  t.match(end, /\| 0.00 +\| 10,000 +\| - /, 'no ratio to nothing')
})

test('memory and starts of the endpoints', async (t) => {
  const table = endpointTable([
    {
      endpoint: 'Spanwire',
      memory: [{ connections: 200, when: 'after SELECT 1 (0.7s)', rssMb: 236.9, pssMb: 109.3 }],
      starts: [
        {
          kind: 'later start',
          starts: [
            { seconds: 0.5, cpuSeconds: 0.47 },
            { seconds: 0.6, cpuSeconds: 0.49 },
            { seconds: 9, cpuSeconds: 0.4 },
          ],
        },
      ],
    },
  ])
  t.match(table, /\| Spanwire \| 200 connections, after SELECT 1 \| 109 MB PSS, 237 MB RSS +\|/)
  t.match(table, /\| Spanwire \| later start +\| 0.60 s, 0.47 s of CPU +\|/)
})

test('a window with errors, or without an operation, is named', async (t) => {
  t.strictSame(failures([A, B]), [])
  t.strictSame(
    failures([
      { ...A, errors: 2, first_error: '42P01 no such table' },
      { ...B, ops_per_s: 0 },
    ]),
    ['A a at 16: 2 errors, first: 42P01 no such table', 'B a at 16: 0 errors, first: none'],
  )
})

test('the median is the middle', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.ok(Number.isNaN(median([])))
})
