import t from 'tap'
import type { BackendTransaction } from '../../server/backend/backend.ts'
import { type SessionLeakEvent, sessionLeakEvents } from '../../server/base/channels.ts'
import { plaintextCredentials } from '../../server/spanner/credentials.ts'
import { GrpcJsTransport } from '../../server/spanner/grpc-js-transport.ts'
import { RpcClient } from '../../server/spanner/rpc-client.ts'
import { SessionClient } from '../../server/spanner/session-client.ts'
import { SessionPool, type SessionPoolOptions } from '../../server/spanner/session-pool.ts'
import { failureOf, openFakeDatabase } from '../helpers/fake-database.ts'
import { FakeSpanner, FakeStatus } from '../helpers/fake-spanner.ts'
import { drain } from '../helpers/rows.ts'
import { until } from '../helpers/until.ts'

const call = { timeoutMs: 10_000 }

async function write(transaction: BackendTransaction): Promise<void> {
  await drain(transaction.execute({ sql: 'w', params: [] }, { ...call, isDml: true }))
}

t.test('one session serves one transaction after the other', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  for (let at = 0; at < 5; at++) {
    const transaction = database.beginReadWrite({ isolation: 'serializable' })
    await write(transaction)
    if (at % 2 === 0) await transaction.commit(call)
    else await transaction.rollback()
    await drain(database.singleUse({ sql: 'q', params: [] }, call))
  }
  test.same(new Set(fake.calls.map(({ request }) => request['session'])).size, 1)
  test.notOk(fake.calls.some(({ method }) => method.includes('Session')))
})

t.test('transactions at the same time have sessions of their own, made together', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const transactions = Array.from({ length: 6 }, () =>
    database.beginReadWrite({ isolation: 'serializable' }),
  )
  await Promise.all(transactions.map(write))
  const sessions = fake.requests('ExecuteStreamingSql').map((request) => request['session'])
  test.equal(new Set(sessions).size, 6)
  const created = fake
    .requests('BatchCreateSessions')
    .map((request) => Number(request['sessionCount']))
  test.equal(
    created.reduce((sum, count) => sum + count, 0),
    5,
  )
  test.ok(created.length <= 2, 'in one or two calls')
  await Promise.all(transactions.map((transaction) => transaction.rollback()))
})

t.test(
  'at the maximum, the next waits for a session, in the order of their coming',
  async (test) => {
    const { database } = await openFakeDatabase(test.teardown, { sessions: { max: 1 } })
    const holder = database.beginReadWrite({ isolation: 'serializable' })
    await write(holder)
    const order: string[] = []
    const waiting = ['first', 'second'].map(async (name) => {
      const transaction = database.beginReadWrite({ isolation: 'serializable' })
      await write(transaction)
      order.push(name)
      await transaction.commit(call)
    })
    const stream = database.singleUse({ sql: 'q', params: [] }, { timeoutMs: 50 })
    const error = await drain(stream).catch((caught: unknown) => caught)
    test.match(error, {
      failure: { kind: 'too-many-sessions' },
      message:
        /^no Spanner session came free within \d+ ms: 1 in use, 0 being created, [123] waiting$/,
    })
    const controller = new AbortController()
    const aborted = failureOf(
      drain(database.singleUse({ sql: 'q', params: [] }, { ...call, signal: controller.signal })),
    )
    controller.abort()
    test.same(await aborted, { kind: 'cancelled' })
    test.same(order, [])
    await holder.commit(call)
    await Promise.all(waiting)
    test.same(order, ['first', 'second'])
  },
)

t.test('nobody waits longer than the pool allows', async (test) => {
  const { database } = await openFakeDatabase(test.teardown, {
    sessions: { max: 1, acquireTimeoutMs: 50 },
  })
  const holder = database.beginReadWrite({ isolation: 'serializable' })
  await write(holder)
  const stream = database.singleUse({ sql: 'q', params: [] }, { timeoutMs: 3_600_000 })
  test.same(await failureOf(drain(stream)), { kind: 'too-many-sessions' })
  await holder.rollback()
})

t.test('those who wait are told when no session can be made', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const holder = database.beginReadWrite({ isolation: 'serializable' })
  await write(holder)
  fake.on('BatchCreateSessions', () => {
    throw new FakeStatus(7, 'not allowed')
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.same(await failureOf(drain(stream)), { kind: 'permission-denied' })
  await holder.rollback()
})

t.test('fewer sessions than asked for are not the end', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let made = 0
  fake.on('BatchCreateSessions', () => ({ session: [{ name: `few/${++made}` }] }))
  const transactions = Array.from({ length: 4 }, () => database.beginReadOnly())
  await Promise.all(
    transactions.map(async (transaction) =>
      drain(transaction.execute({ sql: 'q', params: [] }, { ...call, isDml: false })),
    ),
  )
  test.equal(made, 3)
  await Promise.all(transactions.map((transaction) => transaction.rollback()))
})

t.test('closing deletes the idle sessions, and no session with a transaction', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const open = database.beginReadWrite({ isolation: 'serializable' })
  await write(open)
  await drain(database.singleUse({ sql: 'q', params: [] }, call))
  const [held, idle] = fake.requests('ExecuteStreamingSql').map((request) => request['session'])
  await database.close()
  test.same(
    fake.requests('DeleteSession').map((request) => request['name']),
    [idle],
  )
  await open.rollback()
  await until(() => fake.requests('DeleteSession').length === 2)
  test.same(
    fake.requests('DeleteSession').map((request) => request['name']),
    [idle, held],
  )
  const methods = fake.calls.map(({ method }) => method)
  test.ok(methods.lastIndexOf('Rollback') < methods.lastIndexOf('DeleteSession'))
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.same(await failureOf(drain(stream)), { kind: 'unavailable' })
})

async function poolOf(
  teardown: (end: () => Promise<void>) => void,
  options: Partial<SessionPoolOptions>,
): Promise<{ readonly fake: FakeSpanner; readonly pool: SessionPool }> {
  const fake = await FakeSpanner.start()
  const transport = new GrpcJsTransport({
    target: fake.address,
    credentials: plaintextCredentials(),
    channels: 1,
  })
  const pool = new SessionPool(new SessionClient(new RpcClient(transport, 1000), 'd'), {
    minSessions: 1,
    maxSessions: 10,
    acquireTimeoutMs: 60_000,
    idleReleaseMs: 60_000,
    keepAliveMs: 60_000,
    maxAgeMs: 60_000,
    leakAfterMs: 60_000,
    housekeepingMs: 10,
    ...options,
  })
  teardown(async () => {
    await pool.close()
    await transport.close()
    fake.stop()
  })
  return { fake, pool }
}

/** Holds so many sessions at once, and lets them go. */
async function holdAtOnce(pool: SessionPool, count: number): Promise<void> {
  const sessions = await Promise.all(Array.from({ length: count }, () => pool.acquire(call)))
  for (const session of sessions) pool.release(session)
}

t.test('sessions beyond the minimum go when they have been idle', async (test) => {
  const { fake, pool } = await poolOf(test.teardown, { minSessions: 2, idleReleaseMs: 30 })
  await holdAtOnce(pool, 5)
  test.equal(pool.stats.idle, 5)
  await until(() => fake.requests('DeleteSession').length === 3)
  await new Promise((resolve) => setTimeout(resolve, 50))
  test.equal(pool.stats.idle, 2)
  test.equal(fake.requests('DeleteSession').length, 3)
})

t.test(
  'an idle session is kept awake, and forgotten where Spanner has forgotten it',
  async (test) => {
    const { fake, pool } = await poolOf(test.teardown, { keepAliveMs: 30 })
    await holdAtOnce(pool, 1)
    await until(() => fake.requests('ExecuteSql').length >= 2 && pool.stats.idle === 1)
    test.match(fake.requests('ExecuteSql')[0], { sql: 'SELECT 1' })
    const [gone] = fake.requests('ExecuteSql').map((request) => request['session'])
    fake.on('ExecuteSql', ({ request }) => {
      if (request['session'] === gone) throw new FakeStatus(5, 'Session not found: s')
      return {}
    })
    await until(() => pool.stats.dropped === 1 && pool.stats.idle === 1)
    test.match(pool.stats, { dropped: 1, idle: 1 }, 'and replaced')
    test.not((await pool.acquire(call)).name, gone)
  },
)

t.test('where one session is forgotten, all are: a read meets one of them', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const transactions = Array.from({ length: 20 }, () =>
    database.beginReadWrite({ isolation: 'serializable' }),
  )
  await Promise.all(transactions.map(write))
  const forgotten = new Set(
    fake.requests('ExecuteStreamingSql').map((request) => request['session']),
  )
  await Promise.all(transactions.map((transaction) => transaction.rollback()))
  let met = 0
  const refuse = (session: unknown) => {
    if (forgotten.has(session)) throw new FakeStatus(5, 'Session not found: s')
  }
  fake.on('ExecuteSql', ({ request }) => {
    refuse(request['session'])
    return {}
  })
  fake.on('ExecuteStreamingSql', ({ request }) => {
    met++
    refuse(request['session'])
    return [{ metadata: { rowType: { fields: [] } } }]
  })
  await drain(database.singleUse({ sql: 'q', params: [] }, call))
  test.equal(met, 2, 'and then a new one')
  await drain(database.singleUse({ sql: 'q', params: [] }, call))
  test.equal(met, 3)
})

t.test('sessions that are too old are replaced, up to the minimum', async (test) => {
  const { fake, pool } = await poolOf(test.teardown, { minSessions: 2, maxAgeMs: 40 })
  await holdAtOnce(pool, 2)
  await until(() => fake.requests('DeleteSession').length >= 2)
  const first = fake.requests('DeleteSession').slice(0, 2)
  test.same(first.map((request) => request['name']).sort(), ['d/sessions/1', 'd/sessions/2'])
  await until(() => pool.stats.idle === 2)
  test.match(await pool.acquire(call), { name: /^d\/sessions\/([3-9]|\d\d+)$/ })
})

t.test('a large minimum is made in several calls, and made up for', async (test) => {
  const { fake, pool } = await poolOf(test.teardown, { minSessions: 60, maxSessions: 100 })
  // The first two take longer than the house is left alone: nobody else may make up for sessions that are on their way.
  const delays = [30, 60]
  let created = 0
  fake.on('BatchCreateSessions', async ({ request }) => {
    await new Promise((resolve) => setTimeout(resolve, delays.shift() ?? 0))
    const count = Number(request['sessionCount'])
    return { session: Array.from({ length: count }, () => ({ name: `d/sessions/${++created}` })) }
  })
  await pool.warmUp(call)
  test.equal(pool.stats.idle, 60)
  test.same(
    fake.requests('BatchCreateSessions').map((request) => request['sessionCount']),
    [25, 25, 10],
  )
  pool.drop(await pool.acquire(call), 'in-doubt')
  await until(() => pool.stats.idle === 60)
  test.match(pool.stats, { idle: 60, dropped: 1 })
})

t.test('the session of an aborted transaction waits for its next attempt', async (test) => {
  const { pool } = await poolOf(test.teardown, { housekeepingMs: 60_000 })
  const aborted = await pool.acquire(call)
  pool.park(aborted)
  const other = await pool.acquire(call)
  test.not(other.name, aborted.name, 'others do not get it')
  const again = await pool.acquire(call, aborted)
  test.equal(again.name, aborted.name)
  pool.release(again)
  pool.release(other)
  test.match(pool.stats, { idle: 2, inUse: 0 })
})

t.test('at the maximum, whoever comes gets it all the same', async (test) => {
  const { pool } = await poolOf(test.teardown, { maxSessions: 1 })
  const aborted = await pool.acquire(call)
  pool.park(aborted)
  const other = await pool.acquire(call)
  test.equal(other.name, aborted.name)
  const waiting = pool.acquire(call, aborted)
  pool.park(other)
  test.equal((await waiting).name, aborted.name, 'and whoever waits')
  pool.release(await waiting)
})

t.test('a session that does not come back is reported, once', async (test) => {
  const { pool } = await poolOf(test.teardown, { leakAfterMs: 20 })
  const leaks: SessionLeakEvent[] = []
  test.teardown(sessionLeakEvents.subscribe((event) => leaks.push(event)))
  const forgotten = await pool.acquire(call)
  await until(() => leaks.length > 0)
  test.match(leaks, [{ database: 'd', count: 1 }])
  test.ok((leaks[0]?.longestHeldMs ?? 0) > 20)
  await new Promise((resolve) => setTimeout(resolve, 100))
  test.equal(leaks.length, 1)
  pool.release(forgotten)
})

t.test('the pool accounts for what is out, and tells of it at its end', async (test) => {
  const { pool } = await poolOf(test.teardown, {})
  const session = await pool.acquire(call)
  test.match(pool.stats, { idle: 0, inUse: 1, creating: 0, waiting: 0 })
  const leaks: SessionLeakEvent[] = []
  test.teardown(sessionLeakEvents.subscribe((event) => leaks.push(event)))
  await pool.close()
  test.match(leaks, [{ database: 'd', count: 1 }])
  pool.release(session)
  pool.release(session)
  test.equal(pool.stats.inUse, 0)
})
