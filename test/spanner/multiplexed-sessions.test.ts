import t from 'tap'
import type { BackendDatabase, BackendTransaction } from '../../server/backend/backend.ts'
import { type SessionLeakEvent, sessionLeakEvents } from '../../server/base/channels.ts'
import { plaintextCredentials } from '../../server/spanner/credentials.ts'
import { GrpcJsTransport } from '../../server/spanner/grpc-js-transport.ts'
import {
  type MultiplexedSessionOptions,
  MultiplexedSessions,
} from '../../server/spanner/multiplexed-sessions.ts'
import { RpcClient } from '../../server/spanner/rpc-client.ts'
import { SessionClient } from '../../server/spanner/session-client.ts'
import {
  createSpannerBackend,
  type SpannerBackendOptions,
} from '../../server/spanner/spanner-backend.ts'
import { failureOf } from '../helpers/fake-database.ts'
import { FakeSpanner, FakeStatus, isBegin } from '../helpers/fake-spanner.ts'
import { drain } from '../helpers/rows.ts'
import type { Message } from '../helpers/spanner-protos.ts'
import { until } from '../helpers/until.ts'

const call = { timeoutMs: 10_000 }
const dml = { ...call, isDml: true }
const NOT_FOUND = 5
const ABORTED = 10
const UNAVAILABLE = 14

type Teardown = (end: () => Promise<void>) => void

/** A Spanner whose multiplexed sessions can do what production's can: every answer of a read-write transaction has a token. */
async function startFake(): Promise<FakeSpanner> {
  const fake = await FakeSpanner.start()
  let sessions = 0
  let begins = 0
  let seqNum = 0
  const token = (): Message => ({ precommitToken: Buffer.from(`t${++seqNum}`), seqNum })
  const begin = (): Message => ({ id: Buffer.from(`m${++begins}`), precommitToken: token() })
  fake.on('CreateSession', ({ request }) => ({
    name: `${String(request['database'])}/sessions/multiplexed${++sessions}`,
    multiplexed: true,
  }))
  fake.on('BeginTransaction', begin)
  fake.on('ExecuteStreamingSql', ({ request }) => [
    {
      metadata: {
        rowType: { fields: [] },
        ...(isBegin(request) ? { transaction: begin() } : {}),
      },
      stats: { rowCountExact: '1' },
      precommitToken: token(),
    },
  ])
  return fake
}

async function open(
  fake: FakeSpanner,
  teardown: Teardown,
  options: Partial<SpannerBackendOptions> = {},
): Promise<BackendDatabase> {
  const backend = await createSpannerBackend({
    project: 'p',
    instance: 'i',
    endpoint: { kind: 'emulator', address: fake.address },
    channels: 2,
    ensureInstance: false,
    ...options,
  })
  teardown(async () => {
    await backend.close()
    fake.stop()
  })
  return backend.openDatabase('d', call)
}

async function run(transaction: BackendTransaction, sql: string): Promise<void> {
  await drain(transaction.execute({ sql, params: [] }, dml))
}

t.test('one session for all, where read-write transactions can share it', async (test) => {
  const fake = await startFake()
  const database = await open(fake, test.teardown, { databaseRole: 'reader' })
  test.match(fake.requests('CreateSession'), [
    { session: { multiplexed: true, creatorRole: 'reader' } },
  ])
  test.same(fake.methods(), [
    'BeginTransaction',
    'Rollback',
    ...Array<string>(fake.requests('ExecuteSql').length).fill('ExecuteSql'),
  ])
  fake.calls.length = 0
  const transactions = [1, 2, 3].map(() => database.beginReadWrite({ isolation: 'serializable' }))
  await Promise.all(transactions.map((transaction) => run(transaction, 'w')))
  await drain(database.singleUse({ sql: 'q', params: [] }, call))
  await Promise.all(transactions.map((transaction) => transaction.commit(call)))
  test.same(
    [...new Set(fake.calls.map(({ request }) => request['session']))],
    ['projects/p/instances/i/databases/d/sessions/multiplexed1'],
  )
  test.notOk(fake.calls.some(({ method }) => method.includes('Session')))
})

t.test('regular sessions where they cannot, or where that is asked for', async (test) => {
  const withoutTokens = await startFake()
  withoutTokens.on('BeginTransaction', () => ({ id: Buffer.from('x') }))
  const withoutSessions = await startFake()
  withoutSessions.on('CreateSession', () => {
    throw new FakeStatus(12, 'multiplexed sessions are not supported')
  })
  const emulator = await startFake()
  emulator.on('GetInstance', () => ({ config: 'projects/p/instanceConfigs/emulator-config' }))
  const asked = await startFake()
  const cases = [
    [withoutTokens, {}],
    [withoutSessions, {}],
    [emulator, {}],
    [asked, { sessions: { multiplexed: false } }],
  ] as const
  for (const [fake, options] of cases) {
    const database = await open(fake, test.teardown, options)
    await drain(database.singleUse({ sql: 'q', params: [] }, call))
    const session = String(fake.requests('ExecuteStreamingSql').at(-1)?.['session'])
    test.match(session, /\/sessions\/\d+$/)
  }
  test.equal(emulator.requests('CreateSession').length, 0, 'the emulator is not even asked')
  test.equal(asked.requests('CreateSession').length, 0)
})

t.test('a database that is not there, or a server that is not, is told at once', async (test) => {
  const fake = await startFake()
  fake.on('CreateSession', () => {
    throw new FakeStatus(NOT_FOUND, 'Database not found: projects/p/instances/i/databases/d')
  })
  test.same(await failureOf(open(fake, test.teardown)), { kind: 'database-not-found' })
  test.equal(fake.requests('BatchCreateSessions').length, 0)
})

t.test('Commit shows the token with the highest number', async (test) => {
  const fake = await startFake()
  const database = await open(fake, test.teardown)
  fake.on('ExecuteBatchDml', () => ({
    resultSets: [{ metadata: { rowType: { fields: [] } }, stats: { rowCountExact: '1' } }],
    status: {},
    precommitToken: { precommitToken: Buffer.from('batch'), seqNum: 1000 },
  }))
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  await transaction.executeBatch([{ sql: 'two', params: [] }], dml)
  await run(transaction, 'its token is older than that of the batch')
  await transaction.commit(call)
  test.match(fake.requests('Commit'), [
    { precommitToken: { precommitToken: Buffer.from('batch'), seqNum: 1000 } },
  ])
})

t.test('the token of the begin will do where there is no other', async (test) => {
  const fake = await startFake()
  const database = await open(fake, test.teardown)
  const begun = { id: Buffer.from('m'), precommitToken: { seqNum: 7 } }
  fake.on('ExecuteStreamingSql', () => [
    { metadata: { rowType: { fields: [] }, transaction: begun } },
  ])
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  await transaction.commit(call)
  test.match(fake.requests('Commit'), [{ precommitToken: { seqNum: 7 } }])
})

t.test('a Commit that is answered with a token is sent again with it', async (test) => {
  const fake = await startFake()
  const database = await open(fake, test.teardown)
  let attempts = 0
  fake.on('Commit', () =>
    ++attempts === 1 ? { precommitToken: { seqNum: 99 } } : { commitTimestamp: { seconds: '1' } },
  )
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  await run(transaction, 'one')
  test.same(await transaction.commit(call), { commitTimestamp: '1970-01-01T00:00:01Z' })
  test.match(fake.requests('Commit')[1], { precommitToken: { seqNum: 99 } })
})

t.test('an attempt names the one before it, and keeps its place', async (test) => {
  const fake = await startFake()
  const database = await open(fake, test.teardown)
  const first = database.beginReadWrite({ isolation: 'serializable' })
  await run(first, 'one')
  const id = fake.requests('ExecuteStreamingSql').length
  test.equal(id, 1)
  fake.on('Commit', () => {
    throw new FakeStatus(ABORTED, 'wounded')
  })
  test.same(await failureOf(first.commit(call)), { kind: 'aborted' })
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(ABORTED, 'wounded again, before there was an id')
  })
  const second = database.beginReadWrite({ isolation: 'serializable', previousAttempt: first })
  test.same(await failureOf(run(second, 'one')), { kind: 'aborted' })
  await second.rollback()
  const third = database.beginReadWrite({ isolation: 'serializable', previousAttempt: second })
  await failureOf(run(third, 'one'))
  const begun = fake.requests('Commit')[0]?.['transactionId']
  test.same(
    fake
      .requests('ExecuteStreamingSql')
      .slice(1)
      .map(({ transaction }) => transaction),
    Array(2).fill({
      selector: 'begin',
      begin: {
        mode: 'readWrite',
        readWrite: { multiplexedSessionPreviousTransactionId: begun },
      },
    }),
  )
})

t.test('a begin whose answer is lost cannot be taken back, and is not', async (test) => {
  const fake = await startFake()
  const database = await open(fake, test.teardown, { maxRetryMs: 100 })
  fake.calls.length = 0
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(UNAVAILABLE, 'lost')
  })
  const transaction = database.beginReadWrite({ isolation: 'serializable' })
  test.same(await failureOf(run(transaction, 'one')), { kind: 'aborted' })
  await transaction.rollback()
  test.notOk(fake.methods().some((method) => method !== 'ExecuteStreamingSql'))
})

t.test('a session that Spanner has forgotten is replaced', async (test) => {
  const fake = await startFake()
  const database = await open(fake, test.teardown)
  const begun = database.beginReadWrite({ isolation: 'serializable' })
  await run(begun, 'one')
  const gone = fake.requests('ExecuteStreamingSql')[0]?.['session']
  const refused = new Set<unknown>()
  fake.on('ExecuteStreamingSql', ({ request }) => {
    if (request['session'] === gone) {
      refused.add(request['sql'])
      throw new FakeStatus(NOT_FOUND, 'Session not found: s')
    }
    return [{ metadata: { rowType: { fields: [] }, transaction: { id: Buffer.from('n') } } }]
  })
  fake.calls.length = 0
  const reads = ['a', 'b', 'c'].map((sql) => drain(database.singleUse({ sql, params: [] }, call)))
  await Promise.all(reads)
  test.same(await failureOf(run(begun, 'two')), { kind: 'aborted' })
  test.same([...refused].sort(), ['a', 'b', 'c', 'two'])
  test.equal(fake.requests('CreateSession').length, 1, 'once for all')
})

async function sessionsOf(
  teardown: Teardown,
  options: Partial<MultiplexedSessionOptions>,
): Promise<{ readonly fake: FakeSpanner; readonly sessions: MultiplexedSessions }> {
  const fake = await startFake()
  const transport = new GrpcJsTransport({
    target: fake.address,
    credentials: plaintextCredentials(),
    channels: 1,
  })
  const sessions = new MultiplexedSessions(new SessionClient(new RpcClient(transport, 1000), 'd'), {
    acquireTimeoutMs: 10_000,
    maxAgeMs: 60_000,
    leakAfterMs: 60_000,
    housekeepingMs: 10,
    ...options,
  })
  teardown(async () => {
    await sessions.close()
    await transport.close()
    fake.stop()
  })
  return { fake, sessions }
}

function currentName(sessions: MultiplexedSessions): string | undefined {
  const session = sessions.acquire(call)
  return session instanceof Promise ? undefined : session.name
}

t.test('a session is replaced before it is too old, and serves until then', async (test) => {
  const { fake, sessions } = await sessionsOf(test.teardown, { maxAgeMs: 30 })
  await sessions.warmUp(call)
  const first = await sessions.acquire(call)
  fake.on('CreateSession', () => {
    throw new FakeStatus(8, 'not now')
  })
  await until(() => fake.requests('CreateSession').length >= 2)
  test.equal((await sessions.acquire(call)).name, first.name)
  fake.on('CreateSession', () => ({ name: 'd/sessions/new' }))
  await until(() => currentName(sessions) !== first.name)
  test.equal(currentName(sessions), 'd/sessions/new')
})

t.test('nobody waits longer than the sessions allow', async (test) => {
  const { fake, sessions } = await sessionsOf(test.teardown, { acquireTimeoutMs: 50 })
  fake.on('CreateSession', () => new Promise<Message>(() => undefined))
  const session = failureOf(Promise.resolve(sessions.acquire({ timeoutMs: 3_600_000 })))
  test.same(await session, { kind: 'too-many-sessions' })
})

t.test('who needs one while there is none waits for it, and not for ever', async (test) => {
  const { fake, sessions } = await sessionsOf(test.teardown, {})
  let goOn = (): void => undefined
  const wait = new Promise<void>((resolve) => {
    goOn = resolve
  })
  fake.on('CreateSession', async () => {
    await wait
    return { name: 'd/sessions/late' }
  })
  const early = failureOf(Promise.resolve(sessions.acquire({ timeoutMs: 50 })))
  test.same(await early, { kind: 'too-many-sessions' })
  const later = [sessions.acquire(call), sessions.acquire(call)]
  goOn()
  for (const session of later) test.equal((await session).name, 'd/sessions/late')
  test.equal(fake.requests('CreateSession').length, 1)
})

t.test('those who wait hear why none can be made', async (test) => {
  const { fake, sessions } = await sessionsOf(test.teardown, {})
  fake.on('CreateSession', () => {
    throw new FakeStatus(7, 'not allowed')
  })
  const session = failureOf(Promise.resolve(sessions.acquire(call)))
  test.same(await session, { kind: 'permission-denied' })
  await sessions.close()
  test.same(await failureOf(Promise.resolve(sessions.acquire(call))), { kind: 'unavailable' })
})

t.test('a transaction that nobody ends is reported, once', async (test) => {
  const { sessions } = await sessionsOf(test.teardown, { leakAfterMs: 20 })
  const leaks: SessionLeakEvent[] = []
  test.teardown(sessionLeakEvents.subscribe((event) => leaks.push(event)))
  await sessions.warmUp(call)
  const ended = await sessions.acquire(call)
  sessions.release(ended)
  const forgotten = await sessions.acquire(call)
  await until(() => leaks.length > 0)
  test.match(leaks, [{ database: 'd', count: 1 }])
  test.match(sessions.stats, { inUse: 1, idle: 1, waiting: 0 })
  sessions.release(forgotten)
})
