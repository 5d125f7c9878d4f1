import { test } from 'tap'
import {
  parseColdStarts,
  parseLoadResults,
  parseMemory,
  rpcsPerOperation,
} from './pgload-output.ts'

const RESULT = {
  workload: 'd',
  name: 'autocommit INSERT, prepared',
  conc: 16,
  phase: 'steady',
  ops: 6420,
  seconds: 3.003,
  ops_per_s: 2134.9,
  p50_us: 6260.1,
  p95_us: 13803,
  p99_us: 20427,
  cpu_us_per_op: 446.8,
  client_cpu_us_per_op: 41,
  fake_cpu_us_per_op: 43.8,
  other_cpu_cores: 0.81,
  rpcs_per_op: { Commit: 1.25, ExecuteSql: 1.25, mutation_rows: 5, '(aborted)': 0.25 },
  errors: 0,
}

test('results are read as they were written', async (t) => {
  t.strictSame(parseLoadResults(JSON.stringify([RESULT])), [RESULT])
})

test('what is no list of results is refused', async (t) => {
  t.throws(() => parseLoadResults('{}'), { message: /no list/ })
  t.throws(() => parseLoadResults('[null]'), { message: /without workload/ })
  const { p99_us: _, ...incomplete } = RESULT
  t.throws(() => parseLoadResults(JSON.stringify([incomplete])), { message: /without p99_us/ })
})

test('only calls count as calls', async (t) => {
  t.equal(rpcsPerOperation(RESULT), 2.5)
  const { rpcs_per_op: _, ...none } = RESULT
  t.equal(rpcsPerOperation(none), 0)
})

test('memory is read line by line', async (t) => {
  const output = `cold start 0.566 s
    0 connections idle after start             RSS   211.9 MB  PSS    97.2 MB
  200 connections after SELECT 1 (0.7s)        RSS  1236.9 MB  PSS   109.3 MB
    0 connections after all have gone          RSS   237.1 MB  PSS   110.9 MB
`
  t.strictSame(parseMemory(output), [
    { connections: 0, when: 'idle after start', rssMb: 211.9, pssMb: 97.2 },
    { connections: 200, when: 'after SELECT 1 (0.7s)', rssMb: 1236.9, pssMb: 109.3 },
    { connections: 0, when: 'after all have gone', rssMb: 237.1, pssMb: 110.9 },
  ])
})

test('connections that could not be opened make the memory worthless', async (t) => {
  const output = `    0 connections idle after start             RSS   211.9 MB  PSS    97.2 MB
connection 150: server error: 53300 sorry, too many clients already
`
  t.throws(() => parseMemory(output), { message: /connection 150: server error: 53300/ })
  t.throws(() => parseMemory(''), { message: /no memory/ })
})

test('starts are read line by line', async (t) => {
  const output = `process start to first SELECT 1: 1.051 s, 0.99 s of CPU
process start to first SELECT 1: 0.992 s, 0.92 s of CPU
median 1.051 s
`
  t.strictSame(parseColdStarts(output), [
    { seconds: 1.051, cpuSeconds: 0.99 },
    { seconds: 0.992, cpuSeconds: 0.92 },
  ])
  t.throws(() => parseColdStarts('not ready in 1m0s: connection refused\n'), {
    message: /no start/,
  })
})
