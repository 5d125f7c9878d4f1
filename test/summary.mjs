/**
 * Ends a run with one line, `N passed, N failed, N skipped`, and with exit code 1 where anything failed or nothing ran. The
 * counts are tap's own; what it does not count is added: files that died in the middle, and steps before the tests that failed.
 * Before it stands what failed, file by file, because of a long log only the end may be kept.
 * Usage: summary.mjs LOG EXIT_CODE [FAILED_STEPS]
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'

const [log, exitCode, failedSteps = '0'] = process.argv.slice(2)
const DIAGNOSTIC_LINES = 60
const lines = readFileSync(log, 'utf8').split('\n')

/** Files that a signal ended: each is `not ok`, but none of its assertions is, and so tap's sum does not know of it. */
function countDeadFiles() {
  let [dead, points, failures] = [0, 0, 0]
  for (const line of lines) {
    const [, indent, not] = /^( *)(not )?ok \d+\b/.exec(line) ?? []
    if (indent === undefined) continue
    if (indent !== '') {
      points += 1
      if (not && !/ # TODO\b/i.test(line)) failures += 1
      continue
    }
    if (not && points > 0 && failures === 0) dead += 1
    points = 0
    failures = 0
  }
  return dead
}

/** Every `not ok` with its diagnostics, without what is only planned; a file comes after what failed in it. */
function printFailures() {
  for (let at = 0; at < lines.length; at++) {
    if (!/^ *not ok \d/.test(lines[at]) || / # TODO\b/i.test(lines[at])) continue
    const last = /^ *---$/.test(lines[at + 1] ?? '') ? endOfDiagnostics(at + 1) : at
    const shown = lines.slice(at, Math.min(last + 1, at + DIAGNOSTIC_LINES))
    process.stdout.write(`${shown.join('\n')}\n`)
    at = last
  }
}

function endOfDiagnostics(first) {
  const indent = /^ */.exec(lines[first])[0]
  const end = lines.indexOf(`${indent}...`, first)
  return end < 0 ? first : end
}

const totals = lines.findLast((line) => line.startsWith('# { total:'))
const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals ?? '')?.[1] ?? 0)
const [passed, skipped] = [count('pass'), count('skip') + count('todo')]
const inTests = count('fail') + countDeadFiles()
// Whatever tap died of, it did not succeed.
const failed = Number(failedSteps) + Math.max(inTests, exitCode === '0' && totals ? 0 : 1)
if (failed > 0) printFailures()
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
