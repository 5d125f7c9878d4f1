import { serialize } from 'pg-protocol/dist/index.js'
import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerMessage, WireClient } from '../helpers/wire-client.ts'

const spanwire = await startSpanwire()
t.teardown(() => spanwire.stop())

async function connect(): Promise<WireClient> {
  const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
  return client
}

const ROW_COUNT = 2_500

/** So many that rows share statements; `change` is what the line of one row is made into. */
function lines(change: (line: string, id: number) => string = (line) => line): Buffer {
  const all = Array.from({ length: ROW_COUNT }, (_, n) => change(`${n}\trow ${n}\t${n % 7}`, n))
  return Buffer.from(`${all.join('\n')}\n`)
}

/** The data in pieces that end anywhere. */
function inPieces(data: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < data.length; at += 1_000) pieces.push(data.subarray(at, at + 1_000))
  return pieces
}

const find = (messages: readonly ServerMessage[], name: string) =>
  messages.find((message) => message.name === name)

const rows = (messages: readonly ServerMessage[]) =>
  messages.filter(({ name }) => name === 'dataRow').map((message) => message['fields'])

t.before(async () => {
  const client = await connect()
  await client.query('create table c (id int primary key, name text, n smallint check (n < 10))')
  await client.end()
})

t.afterEach(async () => {
  const client = await connect()
  await client.query('delete from c')
  await client.end()
})

t.test('many rows go in and come out as they were', async (t) => {
  const client = await connect()
  client.copyData = inPieces(lines())
  const copied = await client.query('copy c from stdin')
  t.equal(find(copied, 'commandComplete')?.['text'], `COPY ${ROW_COUNT}`)
  const out = await client.query('copy (select * from c order by id) to stdout')
  const chunks = out.filter(({ name }) => name === 'copyData').map((message) => message['chunk'])
  t.equal(Buffer.concat(chunks as Buffer[]).compare(lines()), 0)
  await client.end()
})

t.test('all or nothing', async (t) => {
  const client = await connect()
  client.copyData = [lines((line, id) => (id === ROW_COUNT - 1 ? `${id}\tx\t10` : line))]
  const refused = await client.query('copy c from stdin')
  t.equal(find(refused, 'error')?.['code'], '23514')
  t.strictSame(rows(await client.query('select count(*) from c')), [['0']])
  await client.end()
})

t.test('what a transaction block copied is rolled back with it', async (t) => {
  const client = await connect()
  await client.query('begin')
  client.copyData = [lines()]
  await client.query('copy c from stdin')
  await client.query('savepoint s')
  await client.query(`insert into c values (-1, 'x', 1)`)
  await client.query('rollback to s')
  t.strictSame(rows(await client.query('select count(*) from c')), [[String(ROW_COUNT)]])
  await client.query('rollback')
  t.strictSame(rows(await client.query('select count(*) from c')), [['0']])
  await client.end()
})

t.test('too much data is refused, and the rest of it passed over', async (t) => {
  const client = await connect()
  client.copyData = Array.from({ length: 26 }, () => Buffer.alloc(1024 * 1024, 'x'))
  const refused = await client.query('copy c from stdin')
  t.equal(find(refused, 'error')?.['code'], '54000')
  t.strictSame(rows(await client.query('select count(*) from c')), [['0']])
  await client.end()
})

const LOST = 'terminating connection because protocol synchronization was lost'

const stray = [
  { what: 'Query', bytes: serialize.query('select 1'), type: '0x51' },
  { what: 'Parse', bytes: serialize.parse({ text: 'select 1' }), type: '0x50' },
  { what: 'Terminate', bytes: serialize.end(), type: '0x58' },
]

for (const { what, bytes, type } of stray) {
  t.test(
    `${what} in the middle of the data ends the connection, in PostgreSQL's words`,
    async (t) => {
      const client = await connect()
      client.send(serialize.query('copy c from stdin'))
      client.send(serialize.copyData(Buffer.from('1\ta\t1\n')), bytes)
      const answer = await client.untilReady()
      t.match(answer, [
        { name: 'copyInResponse' },
        {
          severity: 'ERROR',
          code: '08P01',
          message: `unexpected message type ${type} during COPY from stdin`,
          where: 'COPY c, line 2',
        },
        { severity: 'FATAL', code: '08P01', message: LOST },
      ])
      t.equal(answer.length, 3)
      const other = await connect()
      t.strictSame(rows(await other.query('select count(*) from c')), [['0']])
      await other.end()
    },
  )
}
