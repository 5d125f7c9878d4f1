import { credentials } from '@grpc/grpc-js'
import t from 'tap'
import { GrpcJsTransport } from '../../server/spanner/grpc-js-transport.ts'
import { toBackendError } from '../../server/spanner/status.ts'
import { type MessageStream, TransportError } from '../../server/spanner/transport.ts'
import { BackendRefusal } from '../helpers/backend-connection.ts'
import { FakeSpanner, FakeStatus } from '../helpers/fake-spanner.ts'
import type { Cut, Fault } from '../helpers/proxy-fault.ts'
import { RecordingProxy } from '../helpers/recording-proxy.ts'
import { abortedStatus, sessionNotFoundStatus, unavailableStatus } from '../helpers/rpc-status.ts'
import { encodeRequest } from '../helpers/spanner-protos.ts'

const EXECUTE = 'google.spanner.v1.Spanner/ExecuteStreamingSql'
const COMMIT = 'google.spanner.v1.Spanner/Commit'
const ROLLBACK = 'google.spanner.v1.Spanner/Rollback'
const MESSAGES = 6

const fake = await FakeSpanner.start()
fake.on('ExecuteStreamingSql', function* () {
  for (let at = 0; at < MESSAGES; at++) yield { resumeToken: Buffer.from([at]) }
})
const proxy = await RecordingProxy.start(fake.address)
const transport = new GrpcJsTransport({
  target: proxy.address,
  credentials: credentials.createInsecure(),
  channels: 1,
})
t.teardown(async () => {
  await transport.close()
  await proxy.stop()
  fake.stop()
})

const options = { timeoutMs: 10_000, channel: 0, metadata: [] }

function open(): MessageStream {
  return transport.serverStream(`/${EXECUTE}`, encodeRequest(EXECUTE, { session: 's' }), options)
}

function commit(): Promise<Buffer> {
  return transport.unary(`/${COMMIT}`, encodeRequest(COMMIT, { session: 's' }), options)
}

/** How many messages came, and the code of the end. */
async function read(stream: MessageStream): Promise<{ count: number; code: number }> {
  let count = 0
  try {
    while ((await stream.next()) !== undefined) count++
    return { count, code: 0 }
  } catch (error) {
    if (error instanceof TransportError) return { count, code: error.grpcCode }
    throw error
  }
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

function once(fault: Fault): void {
  let isDone = false
  proxy.intercept(() => {
    if (isDone) return undefined
    isDone = true
    return fault
  })
}

t.test('an answer is cut after as many messages as asked for', async (t) => {
  for (const afterMessages of [0, 1, 3, MESSAGES, MESSAGES + 1]) {
    once({ kind: 'cut', afterMessages, how: 'stream' })
    const { count, code } = await read(open())
    t.equal(count, Math.min(afterMessages, MESSAGES))
    t.equal(code, 13, 'RST_STREAM')
    t.same(await read(open()), { count: MESSAGES, code: 0 }, 'the next call is whole')
  }
})

t.test('a connection that is cut takes its other calls along, and a new one follows', async (t) => {
  for (const how of ['reset', 'goaway'] as const satisfies Cut[]) {
    let release: (() => void) | undefined
    proxy.intercept(async (call) => {
      if (call.method !== 'Commit') return { kind: 'cut', afterMessages: 1, how }
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return undefined
    })
    const bystander = failure(commit())
    const { count, code } = await read(open())
    t.ok(count <= 1, how)
    t.equal(code, 14, `${how}: UNAVAILABLE`)
    t.match(await bystander, { grpcCode: 14 })
    release?.()
    proxy.intercept(() => undefined)
    t.same(await read(open()), { count: MESSAGES, code: 0 })
  }
})

t.test('a connection that drains ends what is under way in peace', async (t) => {
  once({ kind: 'cut', afterMessages: 0, how: 'drain' })
  t.same(await read(open()), { count: MESSAGES, code: 0 })
  t.same(await read(open()), { count: MESSAGES, code: 0 })
})

t.test('a Commit whose answer is cut has reached the backend', async (t) => {
  for (const afterMessages of [0, 1]) {
    fake.calls.length = 0
    once({ kind: 'cut', afterMessages, how: 'reset' })
    t.ok((await failure(commit())) instanceof TransportError)
    t.same(fake.methods(), ['Commit'])
  }
})

t.test('statuses bear their details', async (t) => {
  once({ kind: 'status', ...abortedStatus('wounded', 4.25) })
  const aborted = toBackendError(await failure(commit()))
  t.same(aborted.failure, { kind: 'aborted', retryDelayMs: 4.25 })
  t.equal(aborted.message, 'wounded')
  once({ kind: 'status', ...abortedStatus('wounded') })
  t.same(toBackendError(await failure(commit())).failure, { kind: 'aborted' })
  once({ kind: 'lose-answer', ...unavailableStatus('gone', 1) })
  t.same(toBackendError(await failure(commit())).failure, { kind: 'unavailable' })
  once({ kind: 'status', ...sessionNotFoundStatus('projects/p/sessions/1') })
  t.same(toBackendError(await failure(commit())).failure, { kind: 'session-not-found' })
})

t.test('the proxy calls the backend itself', async (t) => {
  fake.calls.length = 0
  proxy.clear()
  const reply = await proxy.callBackend(COMMIT, { session: 's', transactionId: Buffer.from('t') })
  t.match(reply, { commitTimestamp: { seconds: '1700000000' } })
  t.match(fake.requests('Commit'), [{ session: 's', transactionId: Buffer.from('t') }])
  t.same(proxy.calls, [], 'unrecorded')
  fake.on('Rollback', () => {
    throw new FakeStatus(9, 'no')
  })
  const refusal = await failure(proxy.callBackend(ROLLBACK, { session: 's' }))
  t.ok(refusal instanceof BackendRefusal)
  t.match(refusal, { code: 9, message: 'no' })
})

t.test('a hook that fails is an error of the call, not of the test', async (t) => {
  proxy.intercept(() => Promise.reject(new Error('hook')))
  t.match(await failure(commit()), { grpcCode: 13, message: /hook/ })
  proxy.intercept(() => undefined)
})
