import t from 'tap'
import type { PgError } from '../../server/base/pg-error.ts'
import { CallRecord, type HeardCall, type Performer } from '../../server/session/call-record.ts'
import type { PerformedFunction } from '../../server/sql/performed-functions.ts'

type Call = (name: PerformedFunction, ...args: (string | null)[]) => string | null

interface Outcome<T> {
  readonly result: T
  readonly runs: number
  /** What was done, as `name(arguments)`. */
  readonly done: readonly string[]
  readonly record: CallRecord
}

/** Runs `statement` with stand-ins as a server does, until it is settled; `perform` answers the calls. */
async function run<T>(
  statement: (call: Call, runNumber: number) => T,
  perform: (name: string, args: HeardCall['args']) => string | null = () => 't',
): Promise<Outcome<T>> {
  const record = new CallRecord(({ name }) => name === 'set_config')
  const done: string[] = []
  let next = 100
  const performer: Performer = {
    async perform({ name, args }) {
      done.push(`${name}(${args.join()})`)
      return perform(name, args)
    },
    async draw(sequence, count) {
      done.push(`draw ${count} of ${sequence}`)
      return Array.from({ length: count }, () => String(next++))
    },
  }
  for (let runs = 1; ; runs++) {
    record.begin()
    const result = statement(standIns(record), runs)
    if (await record.settle(performer)) return { result, runs, done, record }
  }
}

const NO_RESULT = /^pg_(notify|sleep)/
const SECOND = /^set/

/** As their SQL has it. */
function standIns(record: CallRecord): Call {
  const { performed, drawn, guesses } = record.answers()
  const draws = new Map<string, number>()
  let count = 0
  return (name, ...args) => {
    record.hear({ name, args })
    if (name === 'nextval') {
      const sequence = args[0] ?? ''
      const draw = draws.get(sequence) ?? 0
      draws.set(sequence, draw + 1)
      return drawn.get(sequence)?.[draw] ?? '1'
    }
    const answer = performed[count++]
    if (answer !== undefined) return answer
    if (NO_RESULT.test(name)) return ''
    return SECOND.test(name) ? (args[1] ?? null) : (guesses.get(name) ?? 't')
  }
}

t.test('what gives nothing is done after one run', async (t) => {
  const { result, runs, done } = await run(
    (call) => ['a', 'b', 'c'].map((note) => call('pg_notify', 'x', note)),
    () => '',
  )
  t.strictSame(result, ['', '', ''])
  t.equal(runs, 1)
  t.strictSame(done, ['pg_notify(x,a)', 'pg_notify(x,b)', 'pg_notify(x,c)'])
})

t.test('a queue of jobs: nothing is locked but what PostgreSQL would lock', async (t) => {
  const busy = new Set(Array.from({ length: 50 }, (_, id) => String(id)))
  const { result, runs, done } = await run(
    (call) => {
      for (let id = 0; id < 1_000; id++) {
        if (call('pg_try_advisory_lock', String(id)) === 't') return id
      }
      return undefined
    },
    (_, [id]) => (busy.has(id ?? '') ? 'f' : 't'),
  )
  t.equal(result, 50)
  t.equal(done.length, 51)
  t.equal(new Set(done).size, 51, 'each once')
  t.equal(runs, 3)
})

t.test('behind a wrong guess nothing is done that was called because of it', async (t) => {
  const { result, done } = await run(
    (call) => (call('pg_try_advisory_lock', '1') === 't' ? call('pg_notify', 'x', 'yes') : 'no'),
    (name) => (name === 'pg_notify' ? '' : 'f'),
  )
  t.equal(result, 'no')
  t.strictSame(done, ['pg_try_advisory_lock(1)'])
})

t.test('values of a sequence are drawn together', async (t) => {
  const { result, runs, done, record } = await run((call) =>
    [1, 2, 3].map(() => [call('nextval', 's'), call('nextval', 'other')]),
  )
  t.strictSame(result, [
    ['100', '103'],
    ['101', '104'],
    ['102', '105'],
  ])
  t.equal(runs, 2)
  t.strictSame(done, ['draw 3 of s', 'draw 3 of other'])
  t.strictSame(
    [...record.lastDrawn()],
    [
      ['s', '102'],
      ['other', '105'],
    ],
  )
})

t.test('what depends on a value waits for it', async (t) => {
  const { result, runs, done } = await run(
    (call) => [1, 2].map(() => call('pg_notify', 'x', call('nextval', 's'))),
    () => '',
  )
  t.strictSame(result, ['', ''])
  t.equal(runs, 2)
  t.strictSame(done, ['draw 2 of s', 'pg_notify(x,100)', 'pg_notify(x,101)'])
})

t.test('of what was drawn too much nobody is told', async (t) => {
  const { result, record } = await run((call) => {
    const value = Number(call('nextval', 's'))
    if (value < 50) for (let more = 0; more < 5; more++) call('nextval', 's')
    return value
  })
  t.equal(result, 100)
  t.strictSame([...record.lastDrawn()], [['s', '100']])
})

t.test('an answer other than the guess is told in the next run', async (t) => {
  const { result, runs, done } = await run(
    (call) => `${call('setval', 's', '5')} ${call('setval', 's', '6')}`,
    (_, args) => args[1] ?? null,
  )
  t.equal(result, '5 6')
  t.equal(runs, 1)
  t.strictSame(done, ['setval(s,5)', 'setval(s,6)'])
  const settings = await run(
    (call) => call('set_config', 'work_mem', '1024kB', 'false'),
    () => '1MB',
  )
  t.equal(settings.result, '1MB')
  t.equal(settings.runs, 2)
  t.strictSame(settings.done, ['set_config(work_mem,1024kB,false)'])
})

t.test('after a setting everything else is read again', async (t) => {
  const { runs, done } = await run(
    (call) => call('set_config', 'x', 'same', 'false'),
    () => 'same',
  )
  t.equal(runs, 2)
  t.equal(done.length, 1)
})

t.test('calls that are others in each run are refused', async (t) => {
  const random = run(
    (call, runNumber) => call('pg_try_advisory_lock', String(runNumber)),
    () => 'f',
  )
  await t.rejects(random, { code: '0A000' } satisfies Partial<PgError>)
  const fewer = await run(
    (call, runNumber) => (runNumber === 1 ? call('pg_try_advisory_lock', '1') : 'none'),
    () => 'f',
  )
  t.equal(fewer.result, 'none')
})

t.test('what a call rejects with ends the statement', async (t) => {
  const failing = run(
    (call) => call('pg_try_advisory_lock', '1'),
    () => {
      throw new Error('lock timeout')
    },
  )
  await t.rejects(failing, { message: 'lock timeout' })
})
