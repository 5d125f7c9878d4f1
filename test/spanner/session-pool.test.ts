import t from 'tap'
import type { BackendTransaction } from '../../server/backend/backend.ts'
import { failureOf, openFakeDatabase } from '../helpers/fake-database.ts'
import { FakeStatus } from '../helpers/fake-spanner.ts'
import { drain } from '../helpers/rows.ts'

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
    test.same(await failureOf(drain(stream)), { kind: 'resource-exhausted' })
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
  for (let at = 0; fake.requests('DeleteSession').length < 2 && at < 100; at++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  test.same(
    fake.requests('DeleteSession').map((request) => request['name']),
    [idle, held],
  )
  const methods = fake.calls.map(({ method }) => method)
  test.ok(methods.lastIndexOf('Rollback') < methods.lastIndexOf('DeleteSession'))
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.same(await failureOf(drain(stream)), { kind: 'unavailable' })
})
