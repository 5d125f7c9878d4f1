/**
 * Ends a run of the tests with one line, `N passed, N failed, N skipped`, from the counts of tap's own last line, and with
 * exit code 1 where anything failed or nothing ran. Usage: summary.mjs LOG EXIT_CODE
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'

const [log, exitCode] = process.argv.slice(2)
const totals = readFileSync(log, 'utf8')
  .split('\n')
  .findLast((line) => line.startsWith('# { total:'))
const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals ?? '')?.[1] ?? 0)
const [passed, skipped, todo] = [count('pass'), count('skip'), count('todo')]
// A test file that died counts as failed even where none of its assertions did.
const failed = Math.max(count('fail'), exitCode === '0' && totals !== undefined ? 0 : 1)
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped + todo} skipped\n`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
