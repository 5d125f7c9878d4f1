import t, { type Test } from 'tap'
import type { BackendDatabase, BackendTransaction } from '../../server/backend/backend.ts'
import { BackendError } from '../../server/backend/backend-error.ts'
import { ProtoWriter } from '../../server/base/protobuf-writer.ts'
import { createSpannerBackend } from '../../server/spanner/spanner-backend.ts'
import { failureOf, openFakeDatabase } from '../helpers/fake-database.ts'
import { type FakeSpanner, FakeStatus, isBegin } from '../helpers/fake-spanner.ts'
import { drain } from '../helpers/rows.ts'
import type { Message } from '../helpers/spanner-protos.ts'

const call = { timeoutMs: 10_000 }
const dml = { ...call, isDml: true }
const NOT_FOUND = 5
const ABORTED = 10
const OUT_OF_RANGE = 11
const INTERNAL = 13
const UNAVAILABLE = 14

const noRows = { rowType: { fields: [] } }

async function run(transaction: BackendTransaction, sql: string): Promise<bigint | undefined> {
  return (await drain(transaction.execute({ sql, params: [] }, dml))).rowCount
}

/** A database of a server that says it is the official emulator. */
async function openAsEmulator(
  test: Test,
): Promise<{ readonly fake: FakeSpanner; readonly database: BackendDatabase }> {
  const { fake } = await openFakeDatabase(test.teardown)
  fake.on('GetInstance', () => ({ config: 'projects/p/instanceConfigs/emulator-config' }))
  const backend = await createSpannerBackend({
    project: 'p',
    instance: 'i',
    endpoint: { kind: 'emulator', address: fake.address },
  })
  test.teardown(() => backend.close())
  const database = await backend.openDatabase('d', call)
  fake.calls.length = 0
  return { fake, database }
}

function transactionOf(request: Message): Message {
  return (request['transaction'] ?? {}) as Message
}

t.test('the first statement begins, and commit ends: two calls', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const transaction = database.beginReadWrite({ isolation: 'repeatable-read', tag: 'tag' })
  test.equal(transaction.isBegun, false)
  test.same(fake.calls, [], 'a begin alone sends nothing')
  test.equal(await run(transaction, 'one'), 1n)
  test.equal(transaction.isBegun, true)
  test.equal(await run(transaction, 'two'), 1n)
  await drain(transaction.execute({ sql: 'read', params: [] }, { ...call, isDml: false }))
  await drain(transaction.execute({ sql: 'last', params: [] }, { ...dml, isLast: true }))
  test.same(await transaction.commit(call), { commitTimestamp: '2023-11-14T22:13:20.000005Z' })
  test.same(fake.methods(), [...Array(4).fill('ExecuteStreamingSql'), 'Commit'])
  const [first, second, read, last] = fake.requests('ExecuteStreamingSql')
  test.same(transactionOf(first ?? {}), {
    selector: 'begin',
    begin: { mode: 'readWrite', readWrite: { readLockMode: 1 }, isolationLevel: 2 },
  })
  test.same(transactionOf(second ?? {}), { selector: 'id', id: Buffer.from('tx1') })
  test.same(
    [first, second, read, last].map((request) => request?.['seqno']),
    ['1', '2', undefined, '3'],
  )
  test.equal(last?.['lastStatement'], true)
  test.match(fake.requests('Commit'), [
    { transactionId: Buffer.from('tx1'), requestOptions: { transactionTag: 'tag' } },
  ])
  test.same(new Set(fake.calls.map(({ request }) => request['session'])).size, 1)
})

t.test('headers', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  await transaction.commit(call)
  await drain(database.singleUse({ sql: 'q', params: [] }, call))
  const [write, commit, read] = fake.calls.map(({ metadata }) => metadata)
  const session = String(fake.calls[0]?.request['session'])
  test.equal(write?.['google-cloud-resource-prefix'], 'projects/p/instances/i/databases/d')
  test.equal(write?.['x-goog-request-params'], `session=${encodeURIComponent(session)}`)
  test.same(
    [write, commit, read].map((metadata) => metadata?.['x-goog-spanner-route-to-leader']),
    ['true', 'true', undefined],
  )
  const ids = [write, commit, read].map((metadata) =>
    String(metadata?.['x-goog-spanner-request-id']),
  )
  for (const id of ids) test.match(id, /^1\.[0-9a-f]{8}\.\d+\.1\.\d+\.1$/)
  test.equal(new Set(ids).size, 3)
})

t.test('what was never begun ends without a call', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  test.same(await database.beginReadWrite({ isolation: 'serializable' }).commit(call), {})
  await database.beginReadWrite({ isolation: 'serializable' }).rollback()
  test.same(fake.calls, [])
})

t.test('a batch begins, counts and stops at its first failure', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  const statements = ['a', 'b', 'c'].map((sql) => ({ sql, params: [] }))
  test.same(await transaction.executeBatch([], dml), { rowCounts: [] })
  test.same(await transaction.executeBatch(statements, dml), { rowCounts: [1n, 1n, 1n] })
  test.equal(transaction.isBegun, true)
  fake.on('ExecuteBatchDml', () => ({
    resultSets: [{ metadata: noRows, stats: { rowCountExact: '4' } }],
    status: { code: OUT_OF_RANGE, message: 'Check constraint `t`.`c` is violated for key {}' },
  }))
  const { rowCounts, error } = await transaction.executeBatch(statements, dml)
  test.same(rowCounts, [4n])
  test.ok(error instanceof BackendError)
  test.same(error instanceof BackendError && error.failure, {
    kind: 'check-violation',
    table: 't',
    constraint: 'c',
  })
  await transaction.commit(call)
  const requests = fake.requests('ExecuteBatchDml')
  test.same(
    requests.map((request) => request['seqno']),
    ['1', '2'],
  )
  test.same(requests.map(isBegin), [true, false])
})

t.test('ABORTED is told with its delay, and needs no rollback', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  const delay = new ProtoWriter().uint(2, 7_000_000).take()
  const retryInfo = new ProtoWriter().message(1, delay).take()
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(ABORTED, 'wounded', { 'google.rpc.retryinfo-bin': retryInfo })
  })
  test.same(await failureOf(run(transaction, 'two')), { kind: 'aborted', retryDelayMs: 7 })
  await transaction.rollback()
  test.same(fake.methods(), ['ExecuteStreamingSql', 'ExecuteStreamingSql'])
})

t.test('ABORTED in a batch rejects, with its delay', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const delay = new ProtoWriter().uint(1, 2).take()
  const details = [
    {
      type_url: 'type.googleapis.com/google.rpc.RetryInfo',
      value: new ProtoWriter().message(1, delay).take(),
    },
  ]
  fake.on('ExecuteBatchDml', () => ({
    resultSets: [],
    status: { code: ABORTED, message: 'x', details },
  }))
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  test.same(await failureOf(transaction.executeBatch([{ sql: 'a', params: [] }], dml)), {
    kind: 'aborted',
    retryDelayMs: 2000,
  })
  await transaction.rollback()
})

t.test('ABORTED after some rows is told with the delay in the status details', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const delay = new ProtoWriter().uint(2, 9_000_000).take()
  const retryInfo = new ProtoWriter().message(1, delay).take()
  const detail = new ProtoWriter()
    .string(1, 'type.googleapis.com/google.rpc.RetryInfo')
    .message(2, retryInfo)
    .take()
  const status = new ProtoWriter().uint(1, ABORTED).message(3, detail).take()
  fake.on('ExecuteStreamingSql', async function* () {
    const fields = [{ name: 'a', type: { code: 6 } }]
    yield {
      metadata: { rowType: { fields }, transaction: { id: Buffer.from('t') } },
      // More than is held back.
      values: [{ stringValue: 'x'.repeat(70_000) }],
      resumeToken: Buffer.from('r'),
    }
    throw new FakeStatus(ABORTED, 'wounded', { 'grpc-status-details-bin': status })
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  const stream = transaction.execute({ sql: 'one', params: [] }, dml)
  test.equal((await stream.next())?.rowCount, 1)
  test.same(await failureOf(stream.next()), { kind: 'aborted', retryDelayMs: 9 })
  await transaction.rollback()
  test.same(fake.methods(), ['ExecuteStreamingSql'], 'Spanner has rolled it back already')
})

t.test('the next attempt runs in the same session', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown, { sessions: { min: 3 } })
  const other = database.beginReadWrite({ isolation: 'serializable' })
  await run(other, 'holds a session')
  const first = database.beginReadWrite({ isolation: 'serializable' })
  await run(first, 'one')
  await first.rollback()
  await other.rollback()
  const second = database.beginReadWrite({ isolation: 'serializable', previousAttempt: first })
  await run(second, 'one')
  await second.rollback()
  const [, before, after] = fake.requests('ExecuteStreamingSql')
  test.equal(after?.['session'], before?.['session'])
})

t.test('the session waits for the next attempt, whoever comes meanwhile', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const first = database.beginReadWrite({ isolation: 'serializable' })
  await run(first, 'one')
  fake.on('Commit', () => {
    throw new FakeStatus(ABORTED, 'wounded')
  })
  test.same(await failureOf(first.commit(call)), { kind: 'aborted' })
  const others = [1, 2].map(() => database.beginReadWrite({ isolation: 'serializable' }))
  await Promise.all(others.map((other) => run(other, 'other')))
  const second = database.beginReadWrite({ isolation: 'serializable', previousAttempt: first })
  await run(second, 'one again')
  const sessions = fake.requests('ExecuteStreamingSql').map((request) => request['session'])
  test.equal(sessions[3], sessions[0])
  test.equal(new Set(sessions).size, 3)
  await Promise.all([...others, second].map((transaction) => transaction.rollback()))
})

t.test('a begin whose answer is lost is sent again, in the same session', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let attempts = 0
  fake.on('ExecuteStreamingSql', () => {
    if (++attempts === 1) throw new FakeStatus(UNAVAILABLE, 'lost')
    return [{ metadata: { ...noRows, transaction: { id: Buffer.from('second') } } }]
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  await transaction.commit(call)
  const requests = fake.requests('ExecuteStreamingSql')
  test.same(requests.map(isBegin), [true, true])
  test.same(new Set(requests.map((request) => request['session'])).size, 1)
  test.match(fake.requests('Commit'), [{ transactionId: Buffer.from('second') }])
})

t.test(
  'one whose answer never comes aborts the transaction: nothing is committed',
  async (test) => {
    const { fake, database } = await openFakeDatabase(test.teardown, { maxRetryMs: 100 })
    fake.on('ExecuteStreamingSql', () => {
      throw new FakeStatus(UNAVAILABLE, 'lost')
    })
    fake.on('ExecuteBatchDml', () => {
      throw new FakeStatus(UNAVAILABLE, 'lost')
    })
    const one = database.beginReadWrite({ isolation: 'serializable' })
    test.same(await failureOf(run(one, 'one')), { kind: 'aborted' })
    await one.rollback()
    const batch = database.beginReadWrite({ isolation: 'serializable' })
    test.same(await failureOf(batch.executeBatch([{ sql: 'a', params: [] }], dml)), {
      kind: 'aborted',
    })
    await batch.rollback()
    test.same(
      fake.methods().filter((method) => !method.startsWith('Execute')),
      ['BeginTransaction', 'Rollback', 'BeginTransaction', 'Rollback'],
      'a begin on its session voids what may be open there',
    )
  },
)

t.test('a server that cannot be reached is unavailable, not a conflict', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown, { maxRetryMs: 100 })
  fake.stop()
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  test.same(await failureOf(run(transaction, 'one')), { kind: 'unavailable' })
})

t.test('a session that is gone before anything was done is replaced', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let refused = 0
  fake.on('ExecuteStreamingSql', ({ request }) => {
    if (refused++ === 0) throw new FakeStatus(NOT_FOUND, 'Session not found: s')
    return [{ metadata: { ...noRows, transaction: { id: Buffer.from(String(request['seqno'])) } } }]
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  await transaction.commit(call)
  const [first, second] = fake.requests('ExecuteStreamingSql')
  test.not(first?.['session'], second?.['session'])
  test.same(
    fake.calls.map(({ method }) => method),
    ['ExecuteStreamingSql', 'BatchCreateSessions', 'ExecuteStreamingSql', 'Commit'],
  )
})

t.test('a session that goes with a transaction in it aborts the transaction', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(NOT_FOUND, 'Session not found: s')
  })
  test.same(await failureOf(run(transaction, 'two')), { kind: 'aborted' })
  await transaction.rollback()
  test.same(fake.methods(), ['ExecuteStreamingSql', 'ExecuteStreamingSql'])
  const unlucky = database.beginReadWrite({ isolation: 'serializable' })
  test.same(await failureOf(run(unlucky, 'one')), { kind: 'aborted' }, 'no session lives')
  await unlucky.rollback()
  test.notOk(fake.methods().includes('Rollback'))
})

t.test('a failed first statement needs no rollback in production', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(OUT_OF_RANGE, 'division by zero: 1 / 0')
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  test.same(await failureOf(run(transaction, 'one')), { kind: 'sql', sqlState: '22012' })
  test.equal(transaction.isBegun, false)
  await transaction.rollback()
  test.same(fake.methods(), ['ExecuteStreamingSql'])
})

t.test('on the emulator it leaves a lock, which a begin on the same session ends', async (test) => {
  const { fake, database } = await openAsEmulator(test)
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(OUT_OF_RANGE, 'division by zero: 1 / 0')
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await failureOf(run(transaction, 'one'))
  await transaction.rollback()
  test.same(fake.methods(), ['ExecuteStreamingSql', 'BeginTransaction', 'Rollback'])
  test.same(new Set(fake.calls.map(({ request }) => request['session'])).size, 1)
})

t.test('a sequence that the emulator has mixed up is asked for again', async (test) => {
  for (const [code, text] of [
    [NOT_FOUND, 'Sequence not found: s'],
    [INTERNAL, 'Sequence function needs access to the schema in the Emulator'],
  ] as const) {
    const lost = () => {
      throw new FakeStatus(code, text)
    }
    const emulator = await openAsEmulator(test)
    emulator.fake.on('ExecuteStreamingSql', lost)
    const transaction = emulator.database.beginReadWrite({ isolation: 'serializable' })
    test.same(await failureOf(run(transaction, 'one')), { kind: 'aborted' }, text)
    await transaction.rollback()
    test.same(emulator.fake.methods(), ['ExecuteStreamingSql', 'BeginTransaction', 'Rollback'])
    const production = await openFakeDatabase(test.teardown)
    production.fake.on('ExecuteStreamingSql', lost)
    const other = production.database.beginReadWrite({ isolation: 'serializable' })
    test.not((await failureOf(run(other, 'one'))).kind, 'aborted')
    await other.rollback()
  }
})

t.test('a begin whose answer was not waited for is looked after', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let arrived = (): void => undefined
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve
  })
  fake.on('ExecuteStreamingSql', async function* ({ signal }) {
    arrived()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    yield {}
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  const stream = transaction.execute({ sql: 'one', params: [] }, dml)
  const columns = failureOf(stream.columns())
  await arrival
  await transaction.rollback()
  test.same(await columns, { kind: 'cancelled' })
  test.same(fake.methods(), ['ExecuteStreamingSql', 'BeginTransaction', 'Rollback'])
})

t.test('a rollback that fails rejects nobody, and its session is not used again', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('Rollback', () => {
    throw new FakeStatus(13, 'broken')
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  await transaction.rollback()
  await drain(database.singleUse({ sql: 'q', params: [] }, call))
  const [first, second] = fake.requests('ExecuteStreamingSql')
  test.not(first?.['session'], second?.['session'])
})

t.test('DML that breaks is sent again under the same number', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  let attempts = 0
  fake.on('ExecuteStreamingSql', async function* () {
    if (++attempts === 1) throw new FakeStatus(UNAVAILABLE, 'gone')
    yield { metadata: noRows, stats: { rowCountExact: '3' } }
  })
  test.equal(await run(transaction, 'two'), 3n)
  test.same(
    fake.requests('ExecuteStreamingSql').map((request) => request['seqno']),
    ['1', '2', '2'],
  )
  await transaction.rollback()
})

t.test('a begin without an id is an error', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', () => [{ metadata: noRows }])
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  test.same(await failureOf(run(transaction, 'one')), { kind: 'internal' })
  await transaction.rollback()
})

t.test(
  'a read-only transaction begins with its first read and ends without a call',
  async (test) => {
    const { fake, database } = await openFakeDatabase(test.teardown)
    const transaction = database.beginReadOnly()
    const read = async (sql: string): Promise<unknown> =>
      drain(transaction.execute({ sql, params: [] }, { ...call, isDml: false }))
    await read('one')
    test.equal(transaction.isBegun, true)
    await read('two')
    test.same(await transaction.commit(call), {})
    await transaction.rollback()
    test.same(fake.methods(), ['ExecuteStreamingSql', 'ExecuteStreamingSql'])
    test.same(fake.requests('ExecuteStreamingSql').map(transactionOf), [
      {
        selector: 'begin',
        begin: {
          mode: 'readOnly',
          readOnly: { timestampBound: 'strong', strong: true, returnReadTimestamp: true },
        },
      },
      { selector: 'id', id: Buffer.from('tx1') },
    ])
  },
)
