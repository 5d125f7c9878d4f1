import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerCredentials } from '@grpc/grpc-js'
import t from 'tap'
import { plaintextCredentials, tlsCredentials } from '../../server/spanner/credentials.ts'
import { GrpcJsTransport } from '../../server/spanner/grpc-js-transport.ts'
import { type RpcOptions, TransportError } from '../../server/spanner/transport.ts'
import { FakeSpanner, FakeStatus } from '../helpers/fake-spanner.ts'
import { encodeReply, spannerMethod } from '../helpers/spanner-protos.ts'
import { until } from '../helpers/until.ts'

const COMMIT = '/google.spanner.v1.Spanner/Commit'
const STREAM = '/google.spanner.v1.Spanner/ExecuteStreamingSql'
const options: RpcOptions = { timeoutMs: 10_000, metadata: [], channel: 0 }
const empty = Buffer.alloc(0)

async function codeOf(promise: Promise<unknown>): Promise<number> {
  try {
    await promise
  } catch (error) {
    if (error instanceof TransportError) return error.grpcCode
    throw error
  }
  return 0
}

interface Fixture {
  readonly fake: FakeSpanner
  readonly transport: GrpcJsTransport
}

async function start(teardown: (end: () => Promise<void>) => void): Promise<Fixture> {
  const fake = await FakeSpanner.start()
  const transport = new GrpcJsTransport({
    target: fake.address,
    credentials: plaintextCredentials(),
    channels: 2,
  })
  teardown(async () => {
    await transport.close()
    fake.stop()
  })
  return { fake, transport }
}

t.test('raw messages there and back', async (test) => {
  const { fake, transport } = await start(test.teardown)
  const request = spannerMethod(COMMIT.slice(1)).requestSerialize({ session: 's' })
  const reply = await transport.unary(COMMIT, request, {
    ...options,
    metadata: [['x-test', 'value']],
  })
  test.same(
    reply,
    encodeReply(COMMIT.slice(1), { commitTimestamp: { seconds: '1700000000', nanos: 5000 } }),
  )
  test.same(fake.calls[0]?.request, { session: 's' })
  test.equal(fake.calls[0]?.metadata['x-test'], 'value')
})

t.test('messages beyond grpc-js’s own limit of 4 MiB', async (test) => {
  const { fake, transport } = await start(test.teardown)
  const stringValue = 'x'.repeat(16 * 1024 * 1024)
  fake.on('ExecuteStreamingSql', () => [{ values: [{ stringValue }] }])
  const stream = transport.serverStream(STREAM, empty, { ...options, timeoutMs: 60_000 })
  test.ok(((await stream.next())?.length ?? 0) > stringValue.length)
  test.equal(await stream.next(), undefined)
})

t.test('status, text and trailers of a failure', async (test) => {
  const { fake, transport } = await start(test.teardown)
  const details = Buffer.from([0x08, 10])
  fake.on('Commit', () => {
    throw new FakeStatus(10, 'wounded ü', {
      'grpc-status-details-bin': details,
      'google.rpc.retryinfo-bin': Buffer.from([0x0a, 0]),
    })
  })
  const error = await transport.unary(COMMIT, empty, options).catch((caught: unknown) => caught)
  test.ok(error instanceof TransportError)
  if (!(error instanceof TransportError)) return
  test.same(
    [error.grpcCode, error.message, error.statusDetails, error.retryInfo],
    [10, 'wounded ü', details, Buffer.from([0x0a, 0])],
  )
})

t.test('deadlines and signals end a call on both sides', async (test) => {
  const { fake, transport } = await start(test.teardown)
  fake.on(
    'Commit',
    ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({}))),
  )
  test.equal(await codeOf(transport.unary(COMMIT, empty, { ...options, timeoutMs: 100 })), 4)
  const controller = new AbortController()
  const cancellable: RpcOptions = {
    ...options,
    signal: controller.signal,
    metadata: [['x-test', 'signal']],
  }
  const call = codeOf(transport.unary(COMMIT, empty, cancellable))
  // The first may have ended before it came to the server, or be on its way.
  const arrived = () => fake.calls.filter(({ metadata }) => metadata['x-test'] === 'signal')
  await until(() => arrived().length > 0)
  controller.abort()
  test.equal(await call, 1)
  const last = arrived()[0]?.signal
  if (last?.aborted === false)
    await new Promise((resolve) => last.addEventListener('abort', resolve))
  test.equal(await codeOf(transport.unary(COMMIT, empty, cancellable)), 1)
  test.equal(arrived().length, 1, 'what is aborted already is not sent')
})

t.test('closing fails what is under way, and everything after', async (test) => {
  const { fake, transport } = await start(test.teardown)
  fake.on(
    'Commit',
    ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({}))),
  )
  const call = codeOf(transport.unary(COMMIT, empty, options))
  await until(() => fake.calls.length > 0)
  await transport.close()
  test.equal(await call, 14)
  test.equal(await codeOf(transport.unary(COMMIT, empty, options)), 14)
  await transport.close()
})

t.test('a server that is not there is UNAVAILABLE, and found when it comes', async (test) => {
  const { fake, transport } = await start(test.teardown)
  await transport.unary(COMMIT, empty, options)
  fake.stop()
  test.equal(await codeOf(transport.unary(COMMIT, empty, options)), 14)
  const again = await FakeSpanner.start({ port: Number(fake.address.split(':')[1]) })
  test.teardown(() => again.stop())
  let code = 14
  await until(async () => {
    code = await codeOf(transport.unary(COMMIT, empty, options))
    return code !== 14
  })
  test.equal(code, 0)
})

t.test('over TLS every call carries the headers of its identity', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'spanwire-tls-'))
  test.teardown(() => rmSync(folder, { recursive: true }))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
    ].concat(['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate]),
    { stdio: 'ignore' },
  )
  const pair = { private_key: readFileSync(key), cert_chain: readFileSync(certificate) }
  const fake = await FakeSpanner.start({ credentials: ServerCredentials.createSsl(null, [pair]) })
  let calls = 0
  const transport = new GrpcJsTransport({
    target: fake.address.replace('127.0.0.1', 'localhost'),
    credentials: tlsCredentials(
      {
        getRequestHeaders: async () => {
          calls++
          return new Headers({ authorization: `Bearer token${calls}`, 'x-goog-user-project': 'p' })
        },
      },
      pair.cert_chain,
    ),
    channels: 1,
  })
  test.teardown(async () => {
    await transport.close()
    fake.stop()
  })
  await transport.unary(COMMIT, empty, options)
  const stream = transport.serverStream(STREAM, empty, options)
  while ((await stream.next()) !== undefined) test.pass('a message')
  test.same(
    fake.calls.map(({ metadata }) => [metadata['authorization'], metadata['x-goog-user-project']]),
    [
      ['Bearer token1', 'p'],
      ['Bearer token2', 'p'],
    ],
  )
})

t.test('an identity that cannot be proven fails the call, not the process', async (test) => {
  const transport = new GrpcJsTransport({
    target: 'localhost:1',
    credentials: tlsCredentials({
      getRequestHeaders: () => Promise.reject(new Error('no identity')),
    }),
    channels: 1,
  })
  test.teardown(() => transport.close())
  test.ok((await codeOf(transport.unary(COMMIT, empty, options))) > 0)
})
