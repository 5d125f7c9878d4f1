import { createConnection, type Socket } from 'node:net'
import { parse, serialize } from 'pg-protocol/dist/index.js'
import t, { type Test } from 'tap'
import { holdNext } from '../helpers/held-call.ts'
import { mustSucceed, rowsOf } from '../helpers/messages.ts'
import { startRecordedEmbedded } from '../helpers/recorded-backend.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { until } from '../helpers/until.ts'
import { type ServerMessage, WireClient } from '../helpers/wire-client.ts'

/*
 * Clients that misbehave, and one server for all of them: each loses its own connection and nothing else. A witness that was
 * there before stays in its transaction, a new client is served, and no session of the pool is lost.
 */

const LOGIN = { user: 'tester', database: 'postgres' }
const MAX_CONNECTIONS = 4
const MAX_MESSAGE_BYTES = 65_536

const backend = await startRecordedEmbedded()
const { proxy } = backend
const spanwire = await startSpanwire({
  env: backend.env,
  args: [`--max-connections=${MAX_CONNECTIONS}`, `--max-message-size=${MAX_MESSAGE_BYTES}`],
})
t.teardown(async () => {
  await spanwire.stop()
  await backend.stop()
})
const connect = () => WireClient.connect(spanwire, LOGIN)
const { client: witness } = await connect()
mustSucceed(await witness.query('create table t (id bigint primary key, n bigint)'))
mustSucceed(await witness.query('create table wide (id bigint primary key, v text)'))
mustSucceed(await witness.query('insert into t values (1, 0), (2, 0)'))
mustSucceed(await witness.query('begin; update t set n = n + 1 where id = 1'))

// More sessions than anything here needs at a time: from now on every one of them must come back.
await holdTransactions(3)
proxy.clear()
const sessionCalls = () =>
  proxy.calls.filter(
    (call) =>
      call.method === 'BatchCreateSessions' &&
      String(call.request()['database']).endsWith('/postgres'),
  ).length

async function holdTransactions(count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, connect))
  for (const { client } of clients) {
    mustSucceed(await client.query('begin; select n from t where id = 2'))
  }
  for (const { client } of clients) await client.end()
}

async function othersNoticeNothing(t: Test): Promise<void> {
  await until(async () => (await metric('spanwire_connections')) === 1)
  const answer = mustSucceed(await witness.query('select n from t where id = 1'))
  t.strictSame(rowsOf(answer), [['1']], 'the witness sees what it wrote')
  t.match(answer.at(-1), { name: 'readyForQuery', status: 'T' })
  // Waits where somebody still holds a lock of the row.
  mustSucceed(await inNewClient('update t set n = n + 1 where id = 2'))
  t.equal(sessionCalls(), 0, 'every session came back')
  t.equal(await metric('spanwire_bugs_total'), 0)
}

async function inNewClient(text: string): Promise<readonly ServerMessage[]> {
  const { client } = await connect()
  const answer = await client.query(text)
  await client.end()
  return answer
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${spanwire.healthUrl}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
}

interface RawClient {
  readonly socket: Socket
  /** Resolves with ReadyForQuery. */
  readonly ready: Promise<void>
  /** Everything that the server said by the time it closed the connection. */
  readonly closed: Promise<readonly ServerMessage[]>
}

async function rawClient(): Promise<RawClient> {
  const socket = createConnection(spanwire.port, spanwire.host)
  await new Promise((resolve) => socket.once('connect', resolve))
  const messages: ServerMessage[] = []
  const ready = new Promise<void>((resolve) => {
    parse(socket, (message) => {
      messages.push(message as unknown as ServerMessage)
      if (message.name === 'readyForQuery') resolve()
    }).catch(() => undefined)
  })
  socket.on('error', () => undefined)
  const closed = new Promise<readonly ServerMessage[]>((resolve) =>
    socket.once('close', () => resolve(messages)),
  )
  return { socket, ready, closed }
}

/** A client that was let in and then sends `bytes`; what it is told after it was ready. */
async function afterStartup(bytes: Buffer, andEnds: boolean): Promise<readonly ServerMessage[]> {
  const { socket, ready, closed } = await rawClient()
  socket.write(serialize.startup({ ...LOGIN }))
  await ready
  socket.write(bytes)
  if (andEnds) socket.end()
  const messages = await closed
  return messages.slice(messages.findIndex(({ name }) => name === 'readyForQuery') + 1)
}

t.test('who may not come in is told why', async (t) => {
  const nowhere = await WireClient.connect(spanwire, { user: 'tester', database: 'nosuch' })
  t.match(nowhere.messages, [
    {
      name: 'error',
      severity: 'FATAL',
      code: '3D000',
      message: 'database "nosuch" does not exist',
    },
  ])
  const more = await Promise.all(Array.from({ length: MAX_CONNECTIONS - 1 }, connect))
  const refused = await connect()
  t.match(refused.messages, [
    { name: 'error', severity: 'FATAL', code: '53300', message: 'sorry, too many clients already' },
  ])
  for (const { client } of more) await client.end()
  await othersNoticeNothing(t)
})

t.test('garbage at startup', async (t) => {
  for (const garbage of [
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
    Buffer.alloc(64),
    Buffer.alloc(64, 0xff),
  ]) {
    const { socket, closed } = await rawClient()
    socket.write(garbage)
    t.strictSame(await closed, [], 'closed without a word, as PostgreSQL does')
  }
  const { socket, closed } = await rawClient()
  socket.end(serialize.startup({ ...LOGIN }).subarray(0, 10))
  t.strictSame(await closed, [], 'half a startup packet')
  await othersNoticeNothing(t)
})

t.test('messages that are none', async (t) => {
  const violation = { name: 'error', severity: 'FATAL', code: '08P01' }
  const header = (type: string, length: number) => {
    const bytes = Buffer.alloc(5)
    bytes.write(type, 'latin1')
    bytes.writeInt32BE(length, 1)
    return bytes
  }
  t.match(await afterStartup(header('Q', MAX_MESSAGE_BYTES + 1), false), [
    { ...violation, message: 'invalid message length' },
  ])
  t.match(await afterStartup(header('Q', -1), false), [violation])
  t.match(await afterStartup(header('\xff', 4), false), [
    { ...violation, message: 'invalid frontend message type 255' },
  ])
  t.match(await afterStartup(header('p', 4), false), [violation], 'a password nobody asked for')
  await othersNoticeNothing(t)
})

t.test('half a message, and then nothing', async (t) => {
  const whole = serialize.query('update t set n = 100 where id = 2')
  t.strictSame(await afterStartup(whole.subarray(0, whole.length - 1), true), [])
  const open = serialize.query('begin; update t set n = 100 where id = 2')
  await afterStartup(Buffer.concat([open, whole.subarray(0, 3)]), true)
  await othersNoticeNothing(t)
})

t.test('a client vanishes', async (t) => {
  const update = 'update t set n = 100 where id = 2'
  const places: readonly (readonly [
    where: string,
    before: string,
    text: string,
    method: string,
  ])[] = [
    ['in its first statement', 'select 1', update, 'ExecuteStreamingSql'],
    ['in a later statement', `begin; ${update}`, update, 'ExecuteStreamingSql'],
    ['in a read', 'select 1', 'select n from t where id = 2', 'ExecuteStreamingSql'],
    ['in DDL', 'select 1', 'create table never (id bigint primary key)', 'UpdateDatabaseDdl'],
  ]
  for (const [where, before, text, method] of places) {
    await t.test(where, async (t) => {
      const { client } = await connect()
      mustSucceed(await client.query(before))
      const held = holdNext(proxy, method)
      const answer = client.query(text)
      await held.arrived
      client.destroy()
      t.strictSame(await answer, [])
      await othersNoticeNothing(t)
      held.release()
      const rows = rowsOf(await witness.query('select n from t where id = 2'))
      t.ok(Number(rows[0]?.[0]) < 100, 'nothing of it was kept')
    })
  }

  await t.test('in the middle of rows that it does not read', async (t) => {
    for (const id of [1, 2, 3, 4, 5, 6, 7, 8]) {
      mustSucceed(await inNewClient(`insert into wide values (${id}, repeat('x', 2000000))`))
    }
    const { socket, ready, closed } = await rawClient()
    socket.write(serialize.startup({ ...LOGIN }))
    await ready
    socket.pause()
    proxy.clear()
    socket.write(serialize.query('select * from wide'))
    await until(() => proxy.calls.length > 0)
    socket.resetAndDestroy()
    await closed
    await othersNoticeNothing(t)
  })

  await t.test('while a database is opened, which others want, too', async (t) => {
    mustSucceed(await inNewClient('create database later'))
    const later = { user: 'tester', database: 'later' }
    const held = holdNext(proxy, 'BatchCreateSessions')
    const { socket, closed } = await rawClient()
    socket.write(serialize.startup(later))
    await held.arrived
    const waiting = WireClient.connect(spanwire, later)
    await until(async () => (await metric('spanwire_connections')) === 3)
    socket.destroy()
    await closed
    await until(async () => (await metric('spanwire_connections')) === 2)
    held.release()
    const { client } = await waiting
    t.strictSame(rowsOf(await client.query('select current_database()')), [['later']])
    await client.end()
    mustSucceed(await inNewClient('drop database later'))
  })

  await t.test('in its transaction, between two statements', async (t) => {
    const { client } = await connect()
    mustSucceed(await client.query(`begin; ${update}`))
    client.destroy()
    await othersNoticeNothing(t)
  })

  await t.test('while the companion works for it', async (t) => {
    const { client } = await connect()
    client.send(serialize.query('select count(*) from generate_series(1, 1e9)'))
    await until(async () => (await metric('spanwire_connections')) === 2)
    client.destroy()
    await othersNoticeNothing(t)
  })

  await t.test('with uncommitted DDL', async (t) => {
    const { client } = await connect()
    mustSucceed(await client.query('begin; create table never (id bigint primary key)'))
    client.destroy()
    await othersNoticeNothing(t)
  })
})
