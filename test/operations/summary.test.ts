import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const log = join(t.testdir(), 'log')

/** The end of a run, from what tap printed and its exit code. */
function runSummary(printed: string, ...args: readonly string[]) {
  writeFileSync(log, printed)
  const run = spawnSync(process.execPath, ['test/summary.mjs', log, ...args], { encoding: 'utf8' })
  return { text: run.stdout, code: run.status }
}

function summary(printed: string, ...args: readonly string[]) {
  const { text, code } = runSummary(printed, ...args)
  return { line: text.slice(text.lastIndexOf('\n', text.length - 2) + 1), code }
}

const GOOD = `TAP version 14
1..1
# Subtest: dist/test/good.test.js
    ok 1 - should be equal
    ok 2 - x # SKIP no
    not ok 3 - later # TODO
    1..3
ok 1 - dist/test/good.test.js # time=5ms
`
const KILLED = `# Subtest: dist/test/killed.test.js
    ok 1 - should be equal
    # Subtest: a
        ok 1 - should be equal
    # test count(1) != plan(null)
not ok 2 - dist/test/killed.test.js # time=986ms
  ---
  exitCode: null
  signal: SIGKILL
  ...
`
const FAILED = `# Subtest: dist/test/failed.test.js
    # Subtest: a
        not ok 1 - should be equal
          ---
          diff: |
            -1
            +2
          ...
        1..1
    not ok 1 - a # time=3ms
    1..1
not ok 3 - dist/test/failed.test.js # time=4ms
`
const EXITED = `# Subtest: dist/test/exited.test.js
    1..0 # no tests found
not ok 4 - dist/test/exited.test.js # time=4ms
`

t.test('what passed, failed and was skipped', async (t) => {
  const totals = '# { total: 3, pass: 1, todo: 1, skip: 1 }\n'
  t.strictSame(summary(GOOD + totals, '0'), { line: '1 passed, 0 failed, 2 skipped\n', code: 0 })
  const failed = '# { total: 2, pass: 1, fail: 1 }\n'
  t.strictSame(summary(GOOD + FAILED + failed, '1'), {
    line: '1 passed, 1 failed, 0 skipped\n',
    code: 1,
  })
})

t.test('a file that a signal ended is a failure beside others', async (t) => {
  const totals = '# { total: 7, pass: 3, fail: 2, todo: 1, skip: 1 }\n'
  t.strictSame(summary(GOOD + KILLED + FAILED + EXITED + totals, '1'), {
    line: '3 passed, 3 failed, 2 skipped\n',
    code: 1,
  })
  const alone = '# { total: 2, pass: 2 }\n'
  t.strictSame(summary(KILLED + alone, '1'), { line: '2 passed, 1 failed, 0 skipped\n', code: 1 })
})

t.test('a run that ended without a sum, and steps that failed before it', async (t) => {
  t.strictSame(summary(GOOD, '134'), { line: '0 passed, 1 failed, 0 skipped\n', code: 1 })
  t.strictSame(summary('', '0'), { line: '0 passed, 1 failed, 0 skipped\n', code: 1 })
  const totals = '# { total: 1, pass: 1 }\n'
  t.strictSame(summary(totals, '0', '2'), { line: '1 passed, 2 failed, 0 skipped\n', code: 1 })
  t.strictSame(summary('# { total: 0, pass: 0 }\n', '0').code, 1, 'nothing ran')
})

t.test('what failed is told before the counts', async (t) => {
  const { text } = runSummary(`${GOOD}${FAILED}${KILLED}# { total: 5, pass: 2, fail: 1 }\n`, '1')
  t.equal(
    text,
    `        not ok 1 - should be equal
          ---
          diff: |
            -1
            +2
          ...
    not ok 1 - a # time=3ms
not ok 3 - dist/test/failed.test.js # time=4ms
not ok 2 - dist/test/killed.test.js # time=986ms
  ---
  exitCode: null
  signal: SIGKILL
  ...
2 passed, 2 failed, 0 skipped
`,
  )
  t.notMatch(runSummary(`${GOOD}# { total: 1, pass: 1 }\n`, '0').text, 'not ok')
})
