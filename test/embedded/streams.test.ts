import tap from 'tap'
import { until } from '../helpers/until.ts'
import {
  askPostgres,
  connectTo,
  failure,
  type Message,
  READ_ONLY,
  READ_WRITE,
  startTestServer,
} from './embedded-client.ts'

const server = await startTestServer()
const client = await connectTo(server, 'streams')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl(
  'CREATE TABLE r (id bigint PRIMARY KEY, v text)',
  'CREATE TABLE big (id bigint PRIMARY KEY, s text, b bytea)',
)
const ROWS = 5_000
await client.write(
  `INSERT INTO r (id, v) SELECT g, repeat('x', 100) FROM generate_series(1, ${ROWS}) g`,
)

/** Values of a stream, chunks put together. */
function valuesOf(messages: readonly Message[]): unknown[] {
  const values: unknown[] = []
  let open: string | undefined
  for (const message of messages) {
    for (const [index, value] of (message.values ?? []).entries()) {
      const isOpen = message.chunkedValue === true && index === message.values.length - 1
      const text = open === undefined ? value.stringValue : open + value.stringValue
      open = isOpen ? text : undefined
      if (!isOpen) values.push(text)
    }
  }
  return values
}

const IDS = Array.from({ length: ROWS }, (_, index) => String(index + 1))

tap.test('a small result is one message', async (t) => {
  const messages = await client.stream({ sql: 'SELECT id FROM r WHERE id < 3 ORDER BY id' })
    .messages
  t.equal(messages.length, 1)
  t.strictSame(valuesOf(messages), ['1', '2'])
  t.notOk(messages[0].last, 'the stream has its end, and no mark of it')
  t.equal(messages[0].metadata.rowType.fields[0].name, 'id')
})

tap.test('a large result comes in messages with tokens', async (t) => {
  const messages = await client.stream({ sql: 'SELECT id, v FROM r ORDER BY id' }).messages
  t.ok(messages.length > 3)
  t.equal(
    messages.filter((message) => message.metadata !== undefined && message.metadata !== null)
      .length,
    1,
  )
  t.ok(messages.every((message) => message.resumeToken.length > 0))
  t.strictSame(
    valuesOf(messages).filter((_, index) => index % 2 === 0),
    IDS,
  )
})

tap.test('long values are cut into chunks and are whole again', async (t) => {
  const text = 'a€\u{1f600}z'.repeat(300_000)
  const bytes = Buffer.alloc(1_300_001, 'binary!')
  const session = await client.newSession()
  const inserted = await client.run('INSERT INTO big (id, s, b) VALUES (1, $1, $2)', {
    params: [text, bytes.toString('base64')],
    types: ['STRING', 'BYTES'],
    in: READ_WRITE,
    session,
    seqno: 1,
  })
  await client.call('commit', { session, transactionId: inserted.transaction })
  const messages = await client.stream({ sql: 'SELECT id, s, b, id FROM big' }).messages
  t.ok(messages.filter((message) => message.chunkedValue).length > 3)
  const [id, s, b, again] = valuesOf(messages)
  t.strictSame([id, again], ['1', '1'])
  t.ok(s === text, 'text')
  t.ok(b === bytes.toString('base64'), 'bytes')
})

tap.test('a broken single-use stream goes on while nothing has been committed', async (t) => {
  const sql = 'SELECT id FROM r ORDER BY id'
  const messages = await client.stream({ sql: 'SELECT id, v FROM r ORDER BY id' }).messages
  const { resumeToken } = messages[1]
  const seen = valuesOf(messages.slice(0, 2)).length / 2
  const rest = await client.stream({ sql: 'SELECT id, v FROM r ORDER BY id', resumeToken }).messages
  t.strictSame(
    valuesOf(rest).filter((_, index) => index % 2 === 0),
    IDS.slice(seen),
  )
  await client.write('UPDATE r SET v = v WHERE id = 1')
  t.equal((await failure(client.stream({ sql, resumeToken }).messages)).code, 13)
  const last = messages.at(-1).resumeToken
  t.same(await client.stream({ sql, resumeToken: last }).messages, [], 'nothing was missing')
})

tap.test('in a transaction a stream goes on whatever others commit', async (t) => {
  const sql = 'SELECT id, v FROM r ORDER BY id'
  const session = await client.newSession()
  const messages = await client.stream({ session, sql, transaction: READ_ONLY }).messages
  const { id } = messages[0].metadata.transaction
  await client.write('DELETE FROM r WHERE id = 5000')
  const rest = await client.stream({
    session,
    sql,
    transaction: { id },
    resumeToken: messages[0].resumeToken,
  }).messages
  const seen = valuesOf(messages.slice(0, 1)).length / 2
  t.strictSame(
    valuesOf(rest).filter((_, index) => index % 2 === 0),
    IDS.slice(seen),
  )
  await client.write("INSERT INTO r (id, v) VALUES (5000, 'x')")
})

tap.test('DML streams its RETURNING and its count', async (t) => {
  const session = await client.newSession()
  const request = { session, sql: 'UPDATE r SET v = v WHERE id < 4 RETURNING id', seqno: '1' }
  const messages = await client.stream({ ...request, transaction: READ_WRITE }).messages
  t.strictSame(valuesOf(messages).sort(), ['1', '2', '3'])
  t.equal(messages.at(-1).stats.rowCountExact, '3')
  const { id } = messages[0].metadata.transaction
  const second = { ...request, transaction: { id }, seqno: '2' }
  const once = valuesOf(await client.stream(second).messages)
  t.strictSame([...once].sort(), ['1', '2', '3'])
  t.strictSame(valuesOf(await client.stream(second).messages), once, 'answered once more')
  await client.call('commit', { session, transactionId: id })
})

tap.test(
  'DML that begins a transaction goes on after its token, and does not run twice',
  async (t) => {
    const session = await client.newSession()
    await client.write("UPDATE r SET v = '' WHERE id < 4")
    const request = {
      session,
      sql: "UPDATE r SET v = v || '+' WHERE id < 4 RETURNING id",
      seqno: '1',
    }
    const first = await client.stream({ ...request, transaction: READ_WRITE }).messages
    const { id } = first[0].metadata.transaction
    const again = { ...request, transaction: { id } }
    t.strictSame(valuesOf(await client.stream(again).messages), valuesOf(first), 'without a token')
    const { resumeToken } = first.at(-1)
    t.strictSame(await client.stream({ ...again, resumeToken }).messages, [], 'with the last token')
    await client.call('commit', { session, transactionId: id })
    const { rows } = await client.run('SELECT DISTINCT v FROM r WHERE id < 4')
    t.strictSame(rows, [['+']])
  },
)

tap.test('an error after rows ends the stream', async (t) => {
  const error = await failure(
    client.stream({ sql: 'SELECT id, 1 / (id - 4900) FROM r ORDER BY id' }).messages,
  )
  t.equal(error.code, 11)
})

tap.test('a cancelled stream frees its transaction for the next statement', async (t) => {
  const session = await client.newSession()
  const first = await client.run('SELECT 1', { session, in: READ_WRITE, seqno: 1 })
  const stream = client.stream({
    session,
    transaction: { id: first.transaction },
    sql: 'SELECT count(*) FROM r a, r b, r c',
  })
  setTimeout(() => stream.cancel(), 200)
  t.equal((await failure(stream.messages)).code, 1)
  t.strictSame((await client.run('SELECT 2', { session, in: first.transaction })).rows, [['2']])
  await client.call('commit', { session, transactionId: first.transaction })
})

tap.test('a client that does not read holds PostgreSQL back', async (t) => {
  const stream = client.stream({
    sql: 'SELECT a.v, b.v AS held_back FROM r a, r b WHERE b.id < 200',
  })
  stream.pause()
  const state =
    "SELECT wait_event FROM pg_stat_activity WHERE query LIKE '%held_' || 'back%' AND wait_event = 'ClientWrite'"
  await until(async () => (await askPostgres(server, state)).length === 1)
  stream.cancel()
  t.equal((await failure(stream.messages)).code, 1)
})
