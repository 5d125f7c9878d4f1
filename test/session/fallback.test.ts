import { serialize } from 'pg-protocol'
import t from 'tap'
import { startRecordedEmbedded } from '../helpers/recorded-backend.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerMessage, WireClient } from '../helpers/wire-client.ts'

const backend = await startRecordedEmbedded()
const spanwire = await startSpanwire({ env: backend.env, refusals: 'expected' })
t.teardown(async () => {
  await spanwire.stop()
  await backend.stop()
})

const REFUSED = /"title" > 'a'/

t.before(async () => {
  const client = await connect()
  await client.query('create table book (id bigint primary key, title text)')
  await client.query(`insert into book values (1, 'a'), (2, 'b'), (3, 'c')`)
  await client.end()
  backend.proxy.intercept((call) =>
    call.method === 'ExecuteStreamingSql' && REFUSED.test(String(call.request()['sql']))
      ? { kind: 'status', code: 12, message: 'The Postgres operator is not supported: >' }
      : undefined,
  )
})

async function connect(options = ''): Promise<WireClient> {
  const { client } = await WireClient.connect(spanwire, {
    user: 'me',
    database: 'postgres',
    options: `-c spanwire.emulation=on ${options}`,
  })
  return client
}

const told = (messages: readonly ServerMessage[]) =>
  messages.flatMap((message) => {
    if (message.name === 'dataRow') return [(message['fields'] as readonly string[]).join('|')]
    if (message.name === 'commandComplete') return [String(message['text'])]
    if (message.name !== 'error') return []
    return [`${message['code']}: ${message['message']}`]
  })

async function fallbacks(): Promise<number> {
  const text = await (await fetch(`${spanwire.healthUrl}/metrics`)).text()
  return Number(/^spanwire_fallbacks_total (\d+)/m.exec(text)?.[1] ?? 0)
}

const SELECT = `select id from book where title > 'a' and id > 1 order by id`

t.test('what Spanner refuses as unsupported is emulated, and told of', async (t) => {
  const client = await connect()
  t.strictSame(told(await client.query(SELECT)), ['2', '3', 'SELECT 2'])
  t.equal(await fallbacks(), 1)
  t.match(spanwire.output(), /Spanner refused a statement, which was emulated instead/)
  t.strictSame(told(await client.query(SELECT)), ['2', '3', 'SELECT 2'])
  t.equal(await fallbacks(), 1, 'the second time Spanner is not asked')
  await client.end()
})

t.test('in a transaction, among its changes', async (t) => {
  const client = await connect()
  await client.query('begin')
  await client.query(`insert into book values (4, 'd')`)
  const inBlock = `select id from book where title > 'a' and id > 2 order by id`
  t.strictSame(told(await client.query(inBlock)), ['3', '4', 'SELECT 2'])
  await client.query(`delete from book where id = 4`)
  t.strictSame(told(await client.query('commit')), ['COMMIT'])
  t.equal(await fallbacks(), 2)
  await client.end()
})

t.test('prepared, with parameters and a row limit', async (t) => {
  const client = await connect()
  const text = `select id from book where title > 'a' and id > $1 order by id`
  client.send(
    serialize.parse({ name: 's', text, types: [20] }),
    serialize.bind({ statement: 's', values: ['0'] }),
    serialize.execute({ rows: 1 }),
    serialize.sync(),
  )
  t.strictSame(told(await client.untilReady()), ['2'])
  await client.end()
})

t.test('off, the client gets the refusal', async (t) => {
  const client = await connect('-c spanwire.fallback=off')
  const [error] = told(await client.query(`select 1 from book where title > 'a' and id = 7`))
  t.match(error, /^0A000: /)
  await client.end()
})
