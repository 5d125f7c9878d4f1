import t from 'tap'
import type { BackendTransaction } from '../../server/backend/backend.ts'
import { ProtoWriter } from '../../server/base/protobuf-writer.ts'
import { type FakeDatabase, failureOf, openFakeDatabase } from '../helpers/fake-database.ts'
import { FakeStatus } from '../helpers/fake-spanner.ts'
import { drain } from '../helpers/rows.ts'

const call = { timeoutMs: 10_000 }
const dml = { ...call, isDml: true }
const CANCELLED = 1
const UNKNOWN = 2
const NOT_FOUND = 5
const RESOURCE_EXHAUSTED = 8
const FAILED_PRECONDITION = 9
const ABORTED = 10
const INTERNAL = 13
const UNAVAILABLE = 14

const committed = { commitTimestamp: { seconds: '1' } }
const timestamp = '1970-01-01T00:00:01Z'

async function run(transaction: BackendTransaction, sql: string): Promise<bigint | undefined> {
  return (await drain(transaction.execute({ sql, params: [] }, dml))).rowCount
}

/** A transaction with one statement in it, whose Commit fails as scripted before it succeeds. */
async function begun(
  { fake, database }: FakeDatabase,
  failures: readonly FakeStatus[],
): Promise<BackendTransaction> {
  const left = [...failures]
  fake.on('Commit', () => {
    const failure = left.shift()
    if (failure !== undefined) throw failure
    return committed
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  return transaction
}

t.test('a commit whose answer got lost is sent again', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let attempts = 0
  fake.on('Commit', () => {
    if (++attempts === 1) throw new FakeStatus(UNAVAILABLE, 'connection lost')
    return { commitTimestamp: { seconds: '1' } }
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  test.same(await transaction.commit(call), { commitTimestamp: '1970-01-01T00:00:01Z' })
  const [first, second] = fake.requests('Commit')
  test.same(first, second)
  test.same(fake.methods(), ['ExecuteStreamingSql', 'Commit', 'Commit'])
})

t.test('a commit that took too long is inquired after', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let attempts = 0
  fake.on('Commit', async ({ signal }) => {
    if (++attempts === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return { commitTimestamp: { seconds: '1' } }
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  test.same(await transaction.commit({ timeoutMs: 200 }), {
    commitTimestamp: '1970-01-01T00:00:01Z',
  })
  test.equal(attempts, 2)
})

t.test(
  'a commit whose outcome stays unknown says so, and its session is not used again',
  async (test) => {
    const { fake, database } = await openFakeDatabase(test.teardown)
    let attempts = 0
    fake.on('Commit', () => {
      if (++attempts === 1) throw new FakeStatus(UNAVAILABLE, 'connection lost')
      throw new FakeStatus(NOT_FOUND, 'Session not found: s')
    })
    const transaction = database.beginReadWrite({ isolation: 'serializable' })
    await run(transaction, 'one')
    test.same(await failureOf(transaction.commit(call)), { kind: 'commit-unknown' })
    await transaction.rollback()
    test.same(fake.methods(), ['ExecuteStreamingSql', 'Commit', 'Commit'])
    await drain(database.singleUse({ sql: 'q', params: [] }, call))
    const [first, second] = fake.requests('ExecuteStreamingSql')
    test.not(first?.['session'], second?.['session'])
  },
)

t.test('a commit that is refused rolls back by itself', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('Commit', () => {
    throw new FakeStatus(FAILED_PRECONDITION, 'c must not be NULL in table t')
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  test.same(await failureOf(transaction.commit(call)), {
    kind: 'not-null-violation',
    table: 't',
    column: 'c',
  })
  test.same(fake.methods(), ['ExecuteStreamingSql', 'Commit', 'Rollback'])
  await transaction.rollback()
  test.equal(fake.methods().length, 3)
})

t.test('a commit asked for another token is sent again with it', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let attempts = 0
  fake.on('Commit', () =>
    ++attempts === 1 ? { precommitToken: { seqNum: 7 } } : { commitTimestamp: { seconds: '1' } },
  )
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  await transaction.commit(call)
  test.same(
    fake.requests('Commit').map((request) => request['precommitToken']),
    [undefined, { seqNum: 7 }],
  )
})

t.test('whatever leaves the outcome open is inquired after', async (test) => {
  const failures = [
    new FakeStatus(UNAVAILABLE, 'gone'),
    new FakeStatus(INTERNAL, 'Received RST_STREAM with code 2'),
    new FakeStatus(INTERNAL, 'RET_CHECK failure'),
    new FakeStatus(UNKNOWN, 'who knows'),
    new FakeStatus(CANCELLED, 'somebody in between gave up'),
  ]
  for (const failure of failures) {
    const fixture = await openFakeDatabase(test.teardown)
    const transaction = await begun(fixture, [failure])
    test.same(await transaction.commit(call), { commitTimestamp: timestamp }, failure.message)
    test.same(fixture.fake.methods(), ['ExecuteStreamingSql', 'Commit', 'Commit'])
  }
})

t.test('a server that fails again and again leaves the outcome open', async (test) => {
  const fixture = await openFakeDatabase(test.teardown)
  const failures = Array.from({ length: 9 }, () => new FakeStatus(INTERNAL, 'RET_CHECK failure'))
  const transaction = await begun(fixture, failures)
  test.same(await failureOf(transaction.commit(call)), { kind: 'commit-unknown' })
  test.equal(fixture.fake.requests('Commit').length, 4)
})

t.test('an answer that cannot be read leaves the outcome open', async (test) => {
  const fixture = await openFakeDatabase(test.teardown)
  const transaction = await begun(fixture, [])
  let attempts = 0
  // No calendar has that second.
  fixture.fake.on('Commit', () =>
    ++attempts === 1 ? { commitTimestamp: { seconds: '9007199254740993' } } : committed,
  )
  test.same(await transaction.commit(call), { commitTimestamp: timestamp })
})

t.test('a commit that was refused for want of room is sent again, a few times', async (test) => {
  const full = (): FakeStatus => new FakeStatus(RESOURCE_EXHAUSTED, 'no room')
  const once = await openFakeDatabase(test.teardown)
  const transaction = await begun(once, [full()])
  test.same(await transaction.commit(call), { commitTimestamp: timestamp })
  const always = await openFakeDatabase(test.teardown)
  const other = await begun(always, [full(), full(), full(), full()])
  test.same(await failureOf(other.commit(call)), { kind: 'resource-exhausted' })
  test.same(always.fake.methods(), [
    'ExecuteStreamingSql',
    ...Array<string>(4).fill('Commit'),
    'Rollback',
  ])
})

t.test('RetryInfo says when Commit is sent again', async (test) => {
  const fixture = await openFakeDatabase(test.teardown)
  const delay = new ProtoWriter().uint(1, 3600).take()
  const trailers = { 'google.rpc.retryinfo-bin': new ProtoWriter().message(1, delay).take() }
  const transaction = await begun(fixture, [new FakeStatus(UNAVAILABLE, 'later', trailers)])
  test.same(await failureOf(transaction.commit(call)), { kind: 'commit-unknown' })
  test.equal(fixture.fake.requests('Commit').length, 1)
})

t.test('ABORTED after an answer that got lost means that nothing was committed', async (test) => {
  const fixture = await openFakeDatabase(test.teardown)
  const transaction = await begun(fixture, [
    new FakeStatus(UNAVAILABLE, 'gone'),
    new FakeStatus(ABORTED, 'wounded'),
  ])
  test.same(await failureOf(transaction.commit(call)), { kind: 'aborted' })
})

t.test(
  'what the server says of a transaction that it may have committed is no answer',
  async (test) => {
    const fixture = await openFakeDatabase(test.teardown)
    const transaction = await begun(fixture, [
      new FakeStatus(UNAVAILABLE, 'gone'),
      new FakeStatus(
        FAILED_PRECONDITION,
        'This transaction has been invalidated by a later transaction in the same session.',
      ),
    ])
    test.same(await failureOf(transaction.commit(call)), { kind: 'commit-unknown' })
  },
)

t.test('a backend that is closed ends the inquiry', async (test) => {
  const { fake, backend, database } = await openFakeDatabase(test.teardown)
  let arrived = (): void => undefined
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve
  })
  fake.on('Commit', async ({ signal }) => {
    arrived()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return committed
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  const outcome = failureOf(transaction.commit(call))
  await arrival
  await backend.close()
  test.same(await outcome, { kind: 'commit-unknown' })
  test.equal(fake.requests('Commit').length, 1)
})

t.test('the options of a commit reach the request', async (test) => {
  const fixture = await openFakeDatabase(test.teardown)
  const transaction = await begun(fixture, [])
  fixture.fake.on('Commit', () => ({ ...committed, commitStats: { mutationCount: '12' } }))
  const result = await transaction.commit({
    ...call,
    maxCommitDelayMs: 20,
    returnCommitStats: true,
    requestOptions: { priority: 'low' },
  })
  test.same(result, { commitTimestamp: timestamp, mutationCount: 12n })
  test.match(fixture.fake.requests('Commit')[0], {
    maxCommitDelay: { nanos: 20_000_000 },
    returnCommitStats: true,
    requestOptions: { priority: 1 },
  })
})
