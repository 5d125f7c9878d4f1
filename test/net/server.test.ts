import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { type Test, test } from 'tap'
import { ByteReader } from '../../server/base/byte-reader.ts'
import { ByteWriter } from '../../server/base/byte-writer.ts'
import {
  type BugEvent,
  bugEvents,
  type ClientEvent,
  clientEvents,
} from '../../server/base/channels.ts'
import { PgError } from '../../server/base/pg-error.ts'
import { type RunningServer, startServer } from '../../server/net/server.ts'
import {
  BACKEND_TYPE,
  type BackendFrame,
  parseBackendKeyData,
} from '../../server/wire/backend-decoder.ts'
import * as encoder from '../../server/wire/frontend-encoder.ts'
import { EchoServer } from './echo-conversation.ts'
import { WireClient } from './wire-client.ts'

const DEFAULTS = {
  listen: [{ host: '127.0.0.1', port: 0 }],
  socketDir: undefined,
  maxConnections: 10,
  authenticationTimeoutMs: 60_000,
  maxMessageSizeBytes: 1_000_000,
}

interface Fixture {
  readonly echo: EchoServer
  readonly server: RunningServer
  readonly address: string
}

async function serve(t: Test, options: Partial<typeof DEFAULTS> = {}): Promise<Fixture> {
  const echo = new EchoServer()
  const server = await startServer({ ...DEFAULTS, ...options, startConversation: echo.start })
  t.teardown(() => server.stop(0))
  const [address = ''] = server.addresses
  return { echo, server, address }
}

async function startedClient(address: string): Promise<WireClient> {
  const client = await WireClient.start(address)
  await client.lettersUpTo('Z')
  return client
}

function query(text: string): Buffer {
  const out = new ByteWriter()
  encoder.writeQuery(out, text)
  return out.take()
}

/** A directory whose path leaves room for that of a Unix socket. */
function shortDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'spanwire-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Resolves when `signal` has aborted. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

/** Collects events until the test ends. */
function clientEventsOf(t: Test): ClientEvent[] {
  const events: ClientEvent[] = []
  t.teardown(clientEvents.subscribe((event) => events.push(event)))
  return events
}

function bugsOf(t: Test): BugEvent[] {
  const bugs: BugEvent[] = []
  t.teardown(bugEvents.subscribe((event) => bugs.push(event)))
  return bugs
}

/** Waits until `condition` holds; the test's own timeout is the deadline. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

const GOODBYE = {
  code: '57P01',
  severity: 'FATAL',
  message: 'terminating connection due to administrator command',
}

test('a PostgreSQL driver is served, and told apart from the next', async (t) => {
  const { echo, address } = await serve(t)
  const events = clientEventsOf(t)
  const [host, port] = address.split(':')
  const sql = postgres({
    host,
    port: Number(port),
    username: 'anna',
    database: 'shop',
    max: 1,
    fetch_types: false,
  })
  t.equal((await sql.unsafe('HELLO 3')).command, 'HELLO')
  await sql.end()
  await until(() => echo.only.closeCount === 1)
  t.match(
    echo.only.parameters,
    new Map([
      ['user', 'anna'],
      ['database', 'shop'],
    ]),
  )
  t.match(echo.only.io.remoteAddress, /^127\.0\.0\.1:\d+$/)
  await until(() => events.length === 2)
  const connId = echo.only.io.processId
  t.match(events, [
    { kind: 'connected', connId, remoteAddress: echo.only.io.remoteAddress },
    { kind: 'disconnected', connId, reason: 'terminated' },
  ])
})

test('encryption is refused, and the client may go on', async (t) => {
  const { address } = await serve(t)
  const client = await WireClient.connect(address)
  client.write(encoder.writeSslRequest)
  t.equal(String(await client.bytes(1)), 'N')
  client.write(encoder.writeGssEncRequest)
  t.equal(String(await client.bytes(1)), 'N')
  client.write((out) => encoder.writeStartup(out, [['user', 'anna']]))
  t.equal(await client.lettersUpTo('Z'), 'RKZ')
  const stubborn = await WireClient.connect(address)
  stubborn.write(encoder.writeSslRequest)
  stubborn.write(encoder.writeSslRequest)
  await stubborn.bytes(1)
  t.match(await stubborn.error(), {
    code: '0A000',
    severity: 'FATAL',
    message: 'unsupported frontend protocol 1234.5679: server supports 3.0 to 3.2',
  })
  await stubborn.closed()
  client.socket.destroy()
})

test('a client is told what it gets of a newer protocol', async (t) => {
  const { echo, address } = await serve(t)
  const starts = [
    { minor: 0, options: [], letters: 'RKZ', keySizeBytes: 4 },
    { minor: 2, options: [], letters: 'RKZ', keySizeBytes: 32 },
    { minor: 9, options: [], letters: 'vRKZ', keySizeBytes: 32, told: [2] },
    { minor: 0, options: ['_pq_.foo'], letters: 'vRKZ', keySizeBytes: 4, told: [0, '_pq_.foo'] },
    {
      minor: 2,
      options: ['_pq_.a', '_pq_.b'],
      letters: 'vRKZ',
      keySizeBytes: 32,
      told: [2, '_pq_.a', '_pq_.b'],
    },
  ]
  for (const { minor, options, letters, keySizeBytes, told } of starts) {
    const client = await WireClient.connect(address)
    const parameters = ['user', ...options].map((name) => [name, 'anna'] as const)
    client.write((out) => encoder.writeStartup(out, parameters, minor))
    const frames = await framesUpTo(client, BACKEND_TYPE.readyForQuery)
    t.equal(frames.map(({ type }) => String.fromCharCode(type)).join(''), letters)
    const [first] = frames
    if (told !== undefined) t.strictSame(negotiated(first?.body), told)
    const key = frames.find(({ type }) => type === BACKEND_TYPE.backendKeyData)
    const { processId, secretKey } = parseBackendKeyData(key?.body ?? Buffer.alloc(0))
    t.equal(secretKey.length, keySizeBytes)
    const canceler = await WireClient.connect(address)
    canceler.write((out) => encoder.writeCancelRequest(out, processId, secretKey))
    await canceler.closed()
    t.equal(echo.conversations.at(-1)?.cancelCount, 1)
    client.socket.destroy()
  }
})

async function framesUpTo(client: WireClient, type: number): Promise<readonly BackendFrame[]> {
  const frames = [await client.frame()]
  while (frames.at(-1)?.type !== type) frames.push(await client.frame())
  return frames
}

/** Of a NegotiateProtocolVersion: the minor version and the options that are not known. */
function negotiated(body: Buffer = Buffer.alloc(0)): readonly (number | string)[] {
  const reader = new ByteReader(body)
  const version = reader.int32()
  const options = Array.from({ length: reader.int32() }, () => reader.cstring())
  return [version & 0xffff, ...options]
}

test('messages that come byte by byte, or all at once, are handled one at a time in order', async (t) => {
  const { echo, address } = await serve(t)
  echo.onMessage = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return true
  }
  const client = await startedClient(address)
  for (const byte of query('one')) client.send(Buffer.of(byte))
  t.equal(await client.lettersUpTo('Z'), 'CZ')
  client.send(Buffer.concat([query('two'), query('three'), query('four')]))
  for (let i = 0; i < 3; i++) t.equal(await client.lettersUpTo('Z'), 'CZ')
  t.strictSame(
    echo.only.messages.map((m) => m.kind === 'Query' && m.text),
    ['one', 'two', 'three', 'four'],
  )
  t.equal(echo.only.mostRunning, 1)
  client.socket.destroy()
})

test('a conversation may look at the next message', async (t) => {
  const { echo, address } = await serve(t)
  const seen: unknown[] = []
  echo.onMessage = async (_, { io }) => {
    seen.push(io.peek()?.kind, io.peek()?.kind)
    return true
  }
  const client = await startedClient(address)
  const out = new ByteWriter()
  encoder.writeQuery(out, 'a')
  encoder.writeSync(out)
  encoder.writeQuery(out, 'b')
  client.send(Buffer.concat([out.take(), Buffer.from('x')]))
  await client.lettersUpTo('Z')
  await client.lettersUpTo('Z')
  t.match(await client.error(), { code: '08P01', message: 'invalid frontend message type 120' })
  t.strictSame(seen, ['Sync', 'Sync', 'Query', 'Query', undefined, undefined])
  t.strictSame(
    echo.only.messages.map((m) => m.kind),
    ['Query', 'Sync', 'Query'],
  )
})

test('malformed messages end the connection with 08P01', async (t) => {
  const { echo, address } = await serve(t)
  const client = await startedClient(address)
  client.send(Buffer.concat([query('fine'), Buffer.from('Q\0\0\0\x03')]))
  await client.lettersUpTo('Z')
  t.match(await client.error(), {
    code: '08P01',
    severity: 'FATAL',
    message: 'invalid message length',
  })
  t.equal((await client.closed()).length, 0)
  t.equal(echo.only.closeCount, 1)
})

test('messages may be as long as was said, and no longer', async (t) => {
  const { address } = await serve(t)
  const client = await startedClient(address)
  client.send(query('x'.repeat(1_000_000 - 5)))
  await client.lettersUpTo('Z')
  client.send(query('x'.repeat(1_000_000 - 4)))
  t.match(await client.error(), { code: '08P01', message: 'invalid message length' })
})

test('garbage at startup is closed without an answer', async (t) => {
  const { echo, address } = await serve(t)
  const events = clientEventsOf(t)
  const client = await WireClient.connect(address)
  client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  t.equal((await client.closed()).length, 0)
  t.equal(echo.conversations.length, 0)
  t.match(events, [
    { kind: 'refused', sqlState: '08P01', reason: 'invalid length of startup packet' },
  ])
})

test('a client that says nothing is closed at the deadline', async (t) => {
  const { address } = await serve(t, { authenticationTimeoutMs: 50 })
  const client = await WireClient.connect(address)
  t.equal((await client.closed()).length, 0)
})

test('a startup that takes too long is canceled', async (t) => {
  // Long enough for the StartupMessage to arrive first on a busy machine: it would be closed without a word else.
  const { echo, address } = await serve(t, { authenticationTimeoutMs: 2000 })
  echo.onStartup = async ({ io }) => {
    await aborted(io.gone)
    return false
  }
  const client = await WireClient.start(address)
  t.match(await client.error(), {
    code: '57014',
    severity: 'FATAL',
    message: 'canceling authentication due to timeout',
  })
  await client.closed()
  t.equal(echo.only.closeCount, 1)
})

test('a conversation that refuses the startup ends the connection', async (t) => {
  const { echo, address } = await serve(t)
  echo.onStartup = async () => {
    throw new PgError('3D000', 'database "x" does not exist')
  }
  const client = await WireClient.start(address)
  t.match(await client.error(), { code: '3D000', severity: 'FATAL' })
  await client.closed()
  t.equal(echo.only.closeCount, 1)
})

test('clients beyond the limit are told so; one that leaves makes room', async (t) => {
  const { echo, server, address } = await serve(t, { maxConnections: 2 })
  const first = await startedClient(address)
  await startedClient(address)
  t.equal(server.clientCount, 2)
  const third = await WireClient.start(address)
  t.match(await third.error(), {
    code: '53300',
    severity: 'FATAL',
    message: 'sorry, too many clients already',
  })
  await third.closed()
  t.equal(echo.conversations.length, 2)
  first.write(encoder.writeTerminate)
  await first.closed()
  await until(() => server.clientCount === 1)
  await startedClient(address)
})

test('a CancelRequest reaches the client whose key it bears, and nobody else', async (t) => {
  const { echo, address } = await serve(t)
  const events = clientEventsOf(t)
  const client = await WireClient.start(address)
  await client.frame()
  const key = await client.frame()
  t.equal(key.type, BACKEND_TYPE.backendKeyData)
  const { processId, secretKey } = parseBackendKeyData(key.body)
  const wrongKey = Buffer.from(secretKey.map((byte) => byte ^ 1))
  const attempts = [
    [processId, wrongKey],
    [processId ^ 1, secretKey],
    [processId, Buffer.concat([secretKey, secretKey])],
    [processId, secretKey],
  ] as const
  for (const [pid, bytes] of attempts) {
    const canceler = await WireClient.connect(address)
    canceler.write((out) => encoder.writeCancelRequest(out, pid, bytes))
    t.equal((await canceler.closed()).length, 0)
  }
  t.equal(echo.only.cancelCount, 1)
  t.strictSame(
    events.filter((event) => event.kind === 'cancel').map(({ isKnown }) => isKnown),
    [false, false, false, true],
  )
  client.socket.destroy()
})

for (const [how, leave] of [
  ['closes', (client: WireClient) => client.socket.end()],
  ['resets', (client: WireClient) => client.socket.resetAndDestroy()],
] as const) {
  test(`a client that ${how} while its statement runs is noticed`, async (t) => {
    const { echo, address } = await serve(t)
    const events = clientEventsOf(t)
    echo.onMessage = async (_, { io }) => {
      await aborted(io.gone)
      throw io.gone.reason
    }
    const client = await startedClient(address)
    client.send(query('sleep'))
    await until(() => echo.only.messages.length === 1)
    leave(client)
    await until(() => echo.only.closeCount === 1)
    t.match(echo.only.io.gone.reason, { code: '08006', message: 'connection to client lost' })
    await until(() => events.length === 2)
    t.match(events[1], { kind: 'disconnected', reason: 'connection to client lost' })
  })
}

test('a client that leaves with more in the pipeline is noticed too', async (t) => {
  const { echo, address } = await serve(t)
  echo.onMessage = async (_, { io }) => {
    await aborted(io.gone)
    return true
  }
  const client = await startedClient(address)
  client.send(Buffer.concat([query('sleep'), query('never')]))
  await until(() => echo.only.messages.length === 1)
  client.socket.end()
  await until(() => echo.only.closeCount === 1)
  t.equal(echo.only.messages.length, 1)
})

test('what a client asked for before it said goodbye is done', async (t) => {
  const { echo, address } = await serve(t)
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  echo.onMessage = async ({ kind }) => {
    if (kind === 'Query') await released
    return true
  }
  const client = await startedClient(address)
  const peer = once(client.socket, 'close')
  client.send(Buffer.concat([query('insert'), query('and more')]))
  client.write(encoder.writeTerminate)
  client.socket.end()
  await until(() => echo.only.messages.length === 1)
  // The end of the client's input has been seen by now or will be: in both orders nothing aborts.
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
  t.notOk(echo.only.io.gone.aborted)
  release()
  await peer
  await until(() => echo.only.closeCount === 1)
  t.strictSame(
    echo.only.messages.map((m) => m.kind),
    ['Query', 'Query', 'Terminate'],
  )
})

test('texts that cannot be read go to the conversation, or end the connection', async (t) => {
  const { echo, address } = await serve(t)
  const bad = Buffer.from(query('select ?'))
  bad[bad.length - 2] = 0xff
  const plain = await startedClient(address)
  plain.send(bad)
  t.match(await plain.error(), { code: '22021', severity: 'FATAL' })
  await plain.closed()
  const client = await startedClient(address)
  const [, conversation] = echo.conversations
  const seen: unknown[] = []
  Object.assign(conversation ?? {}, {
    unreadable: async (message: unknown) => {
      seen.push(message)
      return true
    },
  })
  client.send(Buffer.concat([bad, query('next')]))
  t.equal(await client.lettersUpTo('Z'), 'CZ')
  t.match(seen, [{ kind: 'Unreadable', of: 'Query', error: { code: '22021', severity: 'ERROR' } }])
  client.socket.destroy()
})

test('a defect in the conversation is reported, and its client gets XX000', async (t) => {
  const { echo, address } = await serve(t)
  const bugs = bugsOf(t)
  const defect = new TypeError('undefined is not a function')
  echo.onMessage = async () => {
    throw defect
  }
  const client = await startedClient(address)
  client.send(query('x'))
  t.match(await client.error(), { code: 'XX000', severity: 'FATAL', message: 'internal error' })
  await client.closed()
  t.equal(echo.only.closeCount, 1)
  t.match(bugs, [{ connId: echo.only.io.processId, error: defect }])
})

test('a conversation that cannot be closed does not stay counted', async (t) => {
  const { echo, server, address } = await serve(t)
  const bugs = bugsOf(t)
  const client = await startedClient(address)
  echo.only.close = () => Promise.reject(new Error('no rollback'))
  client.write(encoder.writeTerminate)
  await client.closed()
  await until(() => server.clientCount === 0)
  t.match(bugs, [{ error: { message: 'no rollback' } }])
})

test('stop lets what runs be answered, and ends the others at once', async (t) => {
  const { echo, server, address } = await serve(t)
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  echo.onMessage = async ({ kind }, conversation) => {
    conversation.isIdle = kind === 'Query' || kind === 'Sync'
    if (kind === 'Query') await released
    return true
  }
  const busy = await startedClient(address)
  const inPipeline = await startedClient(address)
  const idle = await startedClient(address)
  const silent = await WireClient.connect(address)
  busy.send(Buffer.concat([query('insert'), query('and more')]))
  inPipeline.write(encoder.writeFlush)
  await until(() => echo.conversations.slice(0, 2).every(({ messages }) => messages.length === 1))
  const stopped = server.stop(600_000)
  t.match(await idle.error(), GOODBYE)
  await Promise.all([idle.closed(), silent.closed()])
  t.notOk(echo.conversations[0]?.io.gone.aborted)
  t.notOk(echo.conversations[1]?.io.gone.aborted)
  inPipeline.write(encoder.writeSync)
  t.match(await inPipeline.error(), GOODBYE)
  release()
  t.equal(await busy.lettersUpTo('Z'), 'CZ')
  t.match(await busy.error(), GOODBYE)
  await stopped
  t.equal(echo.conversations[0]?.messages.length, 1, 'what waits behind it is not begun')
  t.strictSame(
    echo.conversations.map(({ closeCount }) => closeCount),
    [1, 1, 1],
  )
})

test('after its grace stop aborts what runs, and waits for the conversations to close', async (t) => {
  const { echo, server, address } = await serve(t)
  echo.onMessage = async (_, { io }) => {
    await aborted(io.gone)
    return true
  }
  const busy = await startedClient(address)
  const idle = await startedClient(address)
  const silent = await WireClient.connect(address)
  busy.send(query('sleep'))
  await until(() => echo.conversations[0]?.messages.length === 1)
  await server.stop(20)
  t.match(await idle.error(), GOODBYE)
  t.equal(await busy.lettersUpTo('Z'), 'CZ', 'its handler answered before it looked')
  t.match(await busy.error(), GOODBYE)
  await Promise.all([busy.closed(), idle.closed(), silent.closed()])
  t.strictSame(
    echo.conversations.map(({ closeCount }) => closeCount),
    [1, 1],
  )
  t.equal(server.clientCount, 0)
  await t.rejects(WireClient.connect(address), { code: 'ECONNREFUSED' })
})

test('stop does not wait forever', async (t) => {
  const { echo, server, address } = await serve(t)
  let release = (): void => undefined
  echo.onMessage = () =>
    new Promise((resolve) => {
      release = () => resolve(true)
    })
  const client = await startedClient(address)
  client.send(query('deaf'))
  await until(() => echo.only.messages.length === 1)
  await server.stop(20)
  await client.closed()
  t.equal(echo.only.closeCount, 0, 'its handler still runs')
  release()
  await until(() => echo.only.closeCount === 1)
})

test('Unix sockets lie where PostgreSQL puts them, and go when the server stops', async (t) => {
  const socketDir = join(shortDirectory(t), 'run')
  const echo = new EchoServer()
  const server = await startServer({ ...DEFAULTS, socketDir, startConversation: echo.start })
  t.teardown(() => server.stop(0))
  const [tcp = '', unix = ''] = server.addresses
  t.equal(unix, join(socketDir, `.s.PGSQL.${tcp.split(':')[1]}`))
  t.equal(statSync(unix).mode & 0o777, 0o777)
  const sql = postgres({
    path: unix,
    username: 'anna',
    database: 'shop',
    max: 1,
    fetch_types: false,
  })
  await sql.unsafe('OVER UNIX')
  await sql.end()
  t.equal(echo.only.io.remoteAddress, '[local]')
  await server.stop(1000)
  t.notOk(existsSync(unix))
})

test('a Unix socket that nobody answers at is taken over; one in use is not', async (t) => {
  const socketDir = shortDirectory(t)
  const first = await serve(t)
  const port = Number(first.address.split(':')[1])
  await first.server.stop(0)
  const options = {
    ...DEFAULTS,
    listen: [{ host: '127.0.0.1', port }],
    socketDir,
    startConversation: first.echo.start,
  }
  const path = join(socketDir, `.s.PGSQL.${port}`)
  const other = createServer().listen(path)
  await once(other, 'listening')
  await t.rejects(startServer(options), {
    name: 'ListenError',
    message: `cannot listen on ${path}: another server is there`,
  })
  await t.rejects(
    WireClient.connect(first.address),
    { code: 'ECONNREFUSED' },
    'the port is free again',
  )
  other.close()
  await once(other, 'close')
  writeFileSync(path, 'not a socket')
  await t.rejects(startServer(options), { message: /another server is there/ })
})

test('a dead socket file is no obstacle', async (t) => {
  const socketDir = shortDirectory(t)
  const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  const first = await serve(t)
  const port = Number(first.address.split(':')[1])
  await first.server.stop(0)
  const path = join(socketDir, `.s.PGSQL.${port}`)
  spawnSync(process.execPath, ['-e', script, path])
  t.ok(statSync(path).isSocket(), 'left behind')
  const listen = [{ host: '127.0.0.1', port }]
  const server = await startServer({
    ...DEFAULTS,
    listen,
    socketDir,
    startConversation: first.echo.start,
  })
  t.strictSame(server.addresses, [`127.0.0.1:${port}`, path])
  await server.stop(0)
})

test('addresses that cannot be listened at are one clear line', async (t) => {
  const { address, echo } = await serve(t)
  const port = Number(address.split(':')[1])
  const listenAt = (listen: readonly { host: string; port: number }[], socketDir?: string) =>
    startServer({ ...DEFAULTS, listen, socketDir, startConversation: echo.start })
  await t.rejects(listenAt([{ host: '127.0.0.1', port }]), {
    name: 'ListenError',
    message: `cannot listen on ${address}: another program listens there`,
  })
  await t.rejects(listenAt([{ host: '192.0.2.1', port: 0 }]), {
    message: 'cannot listen on 192.0.2.1:0: this machine has no such address',
  })
  const long = join(t.testdir(), 'd'.repeat(100))
  await t.rejects(listenAt([{ host: '127.0.0.1', port: 0 }], long), {
    message: /the path is longer than 103 bytes$/,
  })
})

test('several addresses are served at once', async (t) => {
  const echo = new EchoServer()
  const hosts = ['127.0.0.1', '127.0.0.2', '::1']
  const server = await startServer({
    ...DEFAULTS,
    listen: hosts.map((host) => ({ host, port: 0 })),
    startConversation: echo.start,
  })
  t.teardown(() => server.stop(0))
  for (const address of server.addresses) await startedClient(address)
  t.match(echo.conversations[2]?.io.remoteAddress, /^\[::1\]:\d+$/)
})
