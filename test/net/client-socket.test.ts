import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type Test, test } from 'tap'
import { ClientSocket } from '../../server/net/client-socket.ts'
import { FrontendDecoder } from '../../server/wire/frontend-decoder.ts'

interface Pair {
  readonly client: Socket
  readonly raw: Socket
  readonly socket: ClientSocket
  readonly decoder: FrontendDecoder
}

async function pair(t: Test): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const [raw]: Socket[] = await once(server, 'connection')
  if (!raw) throw new Error('no connection')
  server.close()
  t.teardown(() => {
    client.destroy()
    raw.destroy()
  })
  client.on('error', () => undefined)
  const decoder = new FrontendDecoder()
  return { client, raw, decoder, socket: new ClientSocket(raw, decoder) }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** A Query of `sizeBytes` bytes in all. */
function query(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  bytes.write('Q')
  bytes.writeInt32BE(sizeBytes - 1, 1)
  bytes.fill(' ', 5, sizeBytes - 1)
  return bytes
}

const MIB = 1024 * 1024

test('input beyond a mebibyte waits outside while nobody asks for it', async (t) => {
  const { client, raw, socket, decoder } = await pair(t)
  for (let i = 0; i < 32; i++) client.write(query(MIB / 4))
  await until(() => raw.isPaused())
  t.ok(decoder.bufferedBytes > MIB && decoder.bufferedBytes < 2 * MIB, 'a chunk more at most')
  const pull = () => decoder.pullMessage()
  for (let i = 0; i < 32; i++) t.match(await socket.next(pull), { kind: 'Query' })
  t.equal(decoder.bufferedBytes, 0)
  t.notOk(raw.isPaused())
})

test('a message longer than a mebibyte is read to its end', async (t) => {
  const { client, socket, decoder } = await pair(t)
  client.write(query(8 * MIB))
  t.match(await socket.next(() => decoder.pullMessage()), { kind: 'Query' })
})

test('sending waits for a client that does not read', async (t) => {
  const { client, socket } = await pair(t)
  client.pause()
  let isSent = false
  const sent = socket.send(Buffer.alloc(64 * MIB)).then(() => {
    isSent = true
  })
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve))
  t.notOk(isSent)
  let received = 0
  client.on('data', (chunk) => {
    received += chunk.length
  })
  client.resume()
  await sent
  await until(() => received === 64 * MIB)
  t.pass('everything came')
})

test('nobody waits for a client that has gone', async (t) => {
  const { client, socket, decoder } = await pair(t)
  client.pause()
  const sent = socket.send(Buffer.alloc(64 * MIB))
  client.resetAndDestroy()
  await sent
  t.ok(socket.gone.aborted)
  t.match(socket.gone.reason, { code: '08006', severity: 'FATAL' })
  t.equal(await socket.next(() => decoder.pullMessage()), undefined)
  await socket.send(Buffer.from('nobody reads this'))
  await socket.close()
})

test('closing lets the client read the last words, and does not wait for its goodbye forever', async (t) => {
  const { client, raw, socket } = await pair(t)
  client.pause()
  const sent = socket.send(Buffer.from('last words'))
  const closed = socket.close()
  client.resume()
  const [words]: Buffer[] = await once(client, 'data')
  t.equal(String(words), 'last words')
  t.notOk(client.writableEnded, 'the client keeps its side open')
  await Promise.all([sent, closed])
  t.ok(raw.destroyed)
})
