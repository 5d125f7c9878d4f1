import t from 'tap'
import type { BackendTransaction } from '../../server/backend/backend.ts'
import { failureOf, openFakeDatabase } from '../helpers/fake-database.ts'
import { FakeStatus, isBegin } from '../helpers/fake-spanner.ts'
import { drain } from '../helpers/rows.ts'
import type { Message } from '../helpers/spanner-protos.ts'

const call = { timeoutMs: 10_000 }
const NOT_FOUND = 5
const readTimestamp = { seconds: '1700000000', nanos: 7 }
const asText = '2023-11-14T22:13:20.000000007Z'

function transactionOf(request: Message): Message {
  return (request['transaction'] ?? {}) as Message
}

async function read(transaction: BackendTransaction, sql: string): Promise<void> {
  await drain(transaction.execute({ sql, params: [] }, { ...call, isDml: false }))
}

t.test('a single-use read says how old it may be, and learns when it read', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', () => [
    { metadata: { rowType: { fields: [] }, transaction: { readTimestamp } } },
  ])
  const stream = database.singleUse(
    { sql: 'q', params: [] },
    {
      ...call,
      bound: { kind: 'max-staleness', nanoseconds: 10_000_000_000n },
      requestOptions: { priority: 'medium', requestTag: 'app' },
    },
  )
  test.equal(stream.readTimestamp, undefined)
  await drain(stream)
  test.equal(stream.readTimestamp, asText)
  const [request] = fake.requests('ExecuteStreamingSql')
  test.same(transactionOf(request ?? {}), {
    selector: 'singleUse',
    singleUse: {
      mode: 'readOnly',
      readOnly: {
        timestampBound: 'maxStaleness',
        maxStaleness: { seconds: '10' },
        returnReadTimestamp: true,
      },
    },
  })
  test.same(request?.['requestOptions'], { priority: 2, requestTag: 'app' })
})

t.test('a read-only transaction has a bound and a moment of its own', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', ({ request }) => [
    {
      metadata: {
        rowType: { fields: [] },
        ...(isBegin(request) ? { transaction: { id: Buffer.from('r'), readTimestamp } } : {}),
      },
    },
  ])
  const transaction = database.beginReadOnly({
    bound: { kind: 'exact-staleness', nanoseconds: 5n },
  })
  test.equal(transaction.readTimestamp, undefined)
  await read(transaction, 'one')
  await read(transaction, 'two')
  test.equal(transaction.readTimestamp, asText)
  const [first, second] = fake.requests('ExecuteStreamingSql').map(transactionOf)
  test.match(first, { begin: { readOnly: { exactStaleness: { nanos: 5 } } } })
  test.match(second, { id: Buffer.from('r') })
})

t.test('a snapshot outlives its session', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let calls = 0
  fake.on('ExecuteStreamingSql', ({ request }) => {
    calls++
    if (calls === 2) throw new FakeStatus(NOT_FOUND, 'Session not found: s')
    const id = Buffer.from(`r${calls}`)
    return [
      {
        metadata: {
          rowType: { fields: [] },
          ...(isBegin(request) ? { transaction: { id, readTimestamp } } : {}),
        },
      },
    ]
  })
  const transaction = database.beginReadOnly()
  await read(transaction, 'one')
  await read(transaction, 'two')
  await read(transaction, 'three')
  const requests = fake.requests('ExecuteStreamingSql')
  test.same(
    requests.map((request) => [request['sql'], transactionOf(request)['selector']]),
    [
      ['one', 'begin'],
      ['two', 'id'],
      ['two', 'begin'],
      ['three', 'id'],
    ],
  )
  test.match(transactionOf(requests[2] ?? {}), {
    begin: { readOnly: { timestampBound: 'readTimestamp', readTimestamp } },
  })
  test.match(transactionOf(requests[3] ?? {}), { id: Buffer.from('r3') })
  test.not(requests[2]?.['session'], requests[1]?.['session'])
})

t.test('what is older than the database keeps is told as such', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(
      9,
      'Read-only transaction timestamp 2023-11-14T22:13:20Z has exceeded the maximum timestamp staleness',
    )
  })
  const bound = { kind: 'read-timestamp', timestamp: '2023-11-14T22:13:20Z' } as const
  const stream = database.singleUse({ sql: 'q', params: [] }, { ...call, bound })
  test.same(await failureOf(drain(stream)), { kind: 'stale-read' })
})
