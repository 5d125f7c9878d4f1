import t from 'tap'
import type { BackendDatabase, BackendTransaction } from '../../server/backend/backend.ts'
import { BackendError, isAborted } from '../../server/backend/backend-error.ts'
import { createSpannerBackend } from '../../server/spanner/spanner-backend.ts'
import { startTestServer } from '../embedded/embedded-client.ts'
import type { Fault } from '../helpers/proxy-fault.ts'
import { RecordingProxy } from '../helpers/recording-proxy.ts'
import { drain } from '../helpers/rows.ts'

/*
 * A server that keeps its word behind a network that does not: connections break before and after the server has acted, answers
 * are lost, the server is busy. Whatever happens, what was told to be committed is there once, and nothing else.
 */

const call = { timeoutMs: 30_000 }
const dml = { ...call, isDml: true }
const WORKERS = 4
const ROUNDS = 25
const SHARED_ROW = 0

const FAULTS: readonly Fault[] = [
  { kind: 'status', code: 14, message: 'the server went away' },
  { kind: 'status', code: 8, message: 'the server is busy' },
  { kind: 'lose-answer', code: 14, message: 'the server went away' },
  { kind: 'lose-answer', code: 13, message: 'Received RST_STREAM with code 2' },
  { kind: 'reset', isDelivered: false },
  { kind: 'reset', isDelivered: true },
]

/** The same series of numbers in 0..1 for every run (a linear congruential generator; Numerical Recipes' constants). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const server = await startTestServer()
const proxy = await RecordingProxy.start(server.address.slice('unix:'.length))
const backend = await createSpannerBackend({
  project: 'spanwire',
  instance: 'spanwire',
  endpoint: { kind: 'emulator', address: proxy.address },
  ensureInstance: false,
  channels: 2,
})
t.teardown(async () => {
  await backend.close()
  await proxy.stop()
  await server.remove()
})
await backend.createDatabase('faults', call)
const database = await backend.openDatabase('faults', call)
await database.updateDdl(['CREATE TABLE n (id bigint PRIMARY KEY, v bigint NOT NULL)'], call)
const setup = database.beginReadWrite({ isolation: 'serializable' })
for (let id = 0; id <= WORKERS; id++) await run(setup, `INSERT INTO n VALUES (${id}, 0)`)
await setup.commit(call)

async function run(transaction: BackendTransaction, sql: string): Promise<bigint | undefined> {
  return (await drain(transaction.execute({ sql, params: [] }, dml))).rowCount
}

/** Adds one to the worker's row and to the shared one, in one transaction, as often as Spanner aborts it. */
async function addOne(on: BackendDatabase, worker: number): Promise<'committed' | 'unknown'> {
  let previousAttempt: BackendTransaction | undefined
  for (;;) {
    const transaction = on.beginReadWrite({ isolation: 'serializable', previousAttempt })
    try {
      await run(transaction, `UPDATE n SET v = v + 1 WHERE id = ${worker}`)
      const shared = { sql: `UPDATE n SET v = v + 1 WHERE id = ${SHARED_ROW}`, params: [] }
      const { error } = await transaction.executeBatch([shared], dml)
      if (error !== undefined) throw error
      await transaction.commit(call)
      return 'committed'
    } catch (error) {
      await transaction.rollback()
      if (error instanceof BackendError && error.failure.kind === 'commit-unknown') return 'unknown'
      if (!isAborted(error)) throw error
      previousAttempt = transaction
    }
  }
}

t.test('what was told to be committed is there once', async (test) => {
  const random = numbers(20_260_930)
  let faults = 0
  proxy.intercept(({ method }) => {
    if (method.includes('Session') || random() > 0.2) return undefined
    faults++
    return FAULTS[Math.floor(random() * FAULTS.length)]
  })
  const outcomes = await Promise.all(
    Array.from({ length: WORKERS }, async (_, index) => {
      const counts = { committed: 0, unknown: 0 }
      for (let round = 0; round < ROUNDS; round++) counts[await addOne(database, index + 1)]++
      return counts
    }),
  )
  proxy.intercept(() => undefined)
  const { rows } = await drain(
    database.singleUse({ sql: 'SELECT v FROM n ORDER BY id', params: [] }, call),
  )
  const [shared = 0, ...own] = rows.map(([value]) => Number(value))
  test.ok(faults > WORKERS * ROUNDS * 0.4, `${faults} faults`)
  outcomes.forEach(({ committed, unknown }, index) => {
    const value = own[index] ?? -1
    test.ok(value >= committed && value <= committed + unknown, `${value}: ${committed}+${unknown}`)
    test.equal(committed + unknown, ROUNDS)
  })
  test.equal(
    shared,
    own.reduce((sum, value) => sum + value, 0),
    'both rows of each transaction, or none',
  )
})

t.test('reads come through', async (test) => {
  const random = numbers(7)
  proxy.intercept(({ method }) =>
    method.includes('Session') || random() > 0.3
      ? undefined
      : FAULTS[Math.floor(random() * FAULTS.length)],
  )
  const reader = database.beginReadOnly()
  for (let round = 0; round < 20; round++) {
    const statement = { sql: 'SELECT id FROM n ORDER BY id', params: [] }
    const streams = [
      database.singleUse(statement, call),
      reader.execute(statement, { ...call, isDml: false }),
    ]
    const results = await Promise.all(streams.map(drain))
    for (const { rows } of results) test.same(rows, [['0'], ['1'], ['2'], ['3'], ['4']])
  }
  await reader.commit(call)
  proxy.intercept(() => undefined)
})
