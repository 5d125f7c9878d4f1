import t from 'tap'
import { failureOf, openFakeDatabase } from '../helpers/fake-database.ts'
import { FakeStatus } from '../helpers/fake-spanner.ts'
import type { Message } from '../helpers/spanner-protos.ts'

const call = { timeoutMs: 10_000 }
const NOT_FOUND = 5
const INVALID_ARGUMENT = 3
const ABORTED = 10
const UNAVAILABLE = 14
const statement = { sql: 'DELETE FROM t WHERE true', params: [] }

function changed(rows: number): Message[] {
  return [{ metadata: { rowType: { fields: [] } }, stats: { rowCountLowerBound: String(rows) } }]
}

t.test('a begin of its own, the statement, no commit', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', () => changed(41))
  const requestOptions = { priority: 'low', requestTag: 'purge' } as const
  const rows = await database.executePartitionedDml(statement, { ...call, requestOptions })
  test.equal(rows, 41n)
  test.same(fake.methods(), ['BeginTransaction', 'ExecuteStreamingSql'])
  test.match(fake.requests('BeginTransaction')[0], {
    options: { mode: 'partitionedDml', partitionedDml: {} },
  })
  test.match(fake.requests('ExecuteStreamingSql')[0], {
    sql: statement.sql,
    transaction: { id: Buffer.from('tx1') },
    requestOptions: { priority: 1, requestTag: 'purge' },
  })
  await database.executePartitionedDml(statement, call)
  test.equal(new Set(fake.calls.map(({ request }) => request['session'])).size, 1, 'it came back')
})

t.test('one that was aborted is begun again: it runs at least once by its nature', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let attempts = 0
  fake.on('ExecuteStreamingSql', () => {
    if (++attempts === 1) throw new FakeStatus(ABORTED, 'wounded')
    return changed(7)
  })
  test.equal(await database.executePartitionedDml(statement, call), 7n)
  test.same(fake.methods(), [
    'BeginTransaction',
    'ExecuteStreamingSql',
    'BeginTransaction',
    'ExecuteStreamingSql',
  ])
})

t.test('a broken stream goes on, a lost session is replaced', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let attempts = 0
  fake.on('ExecuteStreamingSql', () => {
    attempts++
    if (attempts === 1) throw new FakeStatus(UNAVAILABLE, 'gone')
    if (attempts === 2) throw new FakeStatus(NOT_FOUND, 'Session not found: s')
    return changed(7)
  })
  test.equal(await database.executePartitionedDml(statement, call), 7n)
  test.same(fake.methods(), [
    'BeginTransaction',
    'ExecuteStreamingSql',
    'ExecuteStreamingSql',
    'BeginTransaction',
    'ExecuteStreamingSql',
  ])
})

t.test('what cannot be cut is refused, and its session comes back', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown, { sessions: { max: 1 } })
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(INVALID_ARGUMENT, 'statement is not partitionable')
  })
  for (let at = 0; at < 2; at++) {
    test.same(await failureOf(database.executePartitionedDml(statement, call)), {
      kind: 'unsupported',
    })
  }
})
