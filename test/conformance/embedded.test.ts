import { writeFile } from 'node:fs/promises'
import tap from 'tap'
import { startEmulatorProfile } from '../embedded/embedded-client.ts'
import { casesDirectory, readCases } from './cases.ts'
import { type Result, runCases } from './run-cases.ts'

/** How many cases must come out right: the outcome, the code too, everything. To be raised, never lowered. */
const FLOORS = { ok: 2779, code: 2764, all: 2743 }

const LEVELS = ['ok', 'code', 'all'] as const

type Level = (typeof LEVELS)[number]

const directory = casesDirectory()
/** `CONFORMANCE=ddl.fk` runs the cases whose ids match, without the floors. */
const chosen = new RegExp(process.env['CONFORMANCE'] ?? '')
const cases = await readCases(directory)
if (cases === undefined) {
  const text = `SKIPPED: the conformance cases are not at ${directory} (SPANWIRE_CONFORMANCE_DIR)`
  process.stderr.write(`${text}\n`)
  tap.pass(text, { skip: text })
} else {
  const server = await startEmulatorProfile()
  tap.teardown(() => server.remove())
  const results = await runCases(server, {
    ...cases,
    cases: cases.cases.filter((one) => chosen.test(one.id)),
  })
  tap.comment(table(results))
  const report = process.env['SPANWIRE_CONFORMANCE_REPORT']
  if (report !== undefined) await writeFile(report, differences(results))
  tap.ok(results.length > 0, 'there are cases')
  for (const level of chosen.source === '(?:)' ? LEVELS : []) {
    const right = count(results, level)
    tap.ok(right >= FLOORS[level], `${level}: ${right}, at least ${FLOORS[level]}`)
  }
}

function count(results: readonly Result[], level: Level): number {
  return results.filter(({ verdict }) => verdict[level]).length
}

/** How many are ok or not for a backend that accepts every statement: the baseline. */
function countAccepted(results: readonly Result[]): number {
  return results.filter(({ case: { expect } }) => expect.ok).length
}

/** One line an area: cases, how many are right in each of the three senses, and how many are for who accepts everything. */
function table(results: readonly Result[]): string {
  const areas = new Map<string, Result[]>()
  for (const result of results)
    areas.set(result.case.area, [...(areas.get(result.case.area) ?? []), result])
  const line = (name: string, list: readonly Result[]) =>
    [
      name.padEnd(28),
      list.length,
      ...LEVELS.map((level) => count(list, level)),
      countAccepted(list),
    ]
      .map((cell) => String(cell).padStart(7))
      .join('')
  const head = ['area'.padEnd(28), 'cases', ...LEVELS, 'accept']
    .map((cell) => cell.padStart(7))
    .join('')
  const percent = (part: number) => ((100 * part) / results.length).toFixed(1)
  const share = (level: Level) => percent(count(results, level))
  return [
    head,
    ...[...areas].map(([name, list]) => line(name, list)),
    line('all areas', results),
    `${share('ok')} % ok or not, ${share('code')} % code too, ${share('all')} % everything`,
    `${percent(countAccepted(results))} % would be ok or not, were every statement accepted`,
  ].join('\n')
}

/** What went otherwise, a line a case. */
function differences(results: readonly Result[]): string {
  return results
    .filter(({ verdict }) => verdict.difference !== undefined)
    .map(({ case: one, verdict }) => {
      const kind = verdict.ok ? (verdict.code ? 'fields' : 'code') : 'OK'
      return `${kind}\t${one.id}\t${JSON.stringify(one.sql)}\t${verdict.difference}\n`
    })
    .sort()
    .join('')
}
