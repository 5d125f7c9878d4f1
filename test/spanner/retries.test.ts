import t from 'tap'
import { BackendError } from '../../server/backend/backend-error.ts'
import { ProtoWriter } from '../../server/base/protobuf-writer.ts'
import { isConnectionLost, Pauses, Retries } from '../../server/spanner/retries.ts'
import { GRPC_CODE, TransportError } from '../../server/spanner/transport.ts'
import { failureOf } from '../helpers/fake-database.ts'

const MINUTE_MS = 60_000

function retryInfo(delayMs: number): { readonly retryInfo: Buffer } {
  const delay = new ProtoWriter().uint(2, delayMs * 1_000_000).take()
  return { retryInfo: new ProtoWriter().message(1, delay).take() }
}

t.test('what means that the connection was lost', async (test) => {
  const lost = [
    new TransportError(GRPC_CODE.UNAVAILABLE, ''),
    new TransportError(
      GRPC_CODE.INTERNAL,
      'Received RST_STREAM with code 2 (Internal server error)',
    ),
    new TransportError(GRPC_CODE.INTERNAL, 'Received unexpected EOS on DATA frame from server'),
    new TransportError(GRPC_CODE.INTERNAL, 'stream terminated: HTTP/2 error code: INTERNAL_ERROR'),
    new TransportError(GRPC_CODE.INTERNAL, 'Connection closed with unknown cause'),
  ]
  for (const error of lost) test.equal(isConnectionLost(error), true, error.message)
  const others = [
    new TransportError(GRPC_CODE.INTERNAL, 'RET_CHECK failure'),
    new TransportError(GRPC_CODE.UNKNOWN, 'RST_STREAM'),
    new TransportError(GRPC_CODE.DEADLINE_EXCEEDED, ''),
    new Error('RST_STREAM'),
  ]
  for (const error of others) test.equal(isConnectionLost(error), false, error.message)
})

t.test('the first pause is short, the others grow as Spanner advises', async (test) => {
  const pauses = new Pauses()
  const bounds = [
    [12.5, 25],
    [125, 250],
    [162.5, 325],
    [211.25, 422.5],
  ] as const
  for (const [least, most] of bounds) {
    const ms = pauses.nextMs()
    test.ok(ms >= least && ms <= most, `${ms} in ${least}..${most}`)
  }
  for (let at = 0; at < 20; at++) pauses.nextMs()
  const ms = pauses.nextMs()
  test.ok(ms >= 16_000 && ms <= 32_000, `${ms} in 16000..32000`)
})

t.test('a call is sent again while its connection is lost', async (test) => {
  const retries = new Retries(MINUTE_MS, undefined)
  const lost = new TransportError(GRPC_CODE.UNAVAILABLE, 'gone', retryInfo(1))
  for (let at = 0; at < 20; at++) await retries.beforeNext(lost)
  test.same(
    await failureOf(retries.beforeNext(new TransportError(GRPC_CODE.INTERNAL, 'RET_CHECK'))),
    { kind: 'internal' },
  )
})

t.test('what RetryInfo asks for must fit into the window', async (test) => {
  const retries = new Retries(MINUTE_MS, undefined)
  const later = new TransportError(GRPC_CODE.UNAVAILABLE, 'later', retryInfo(2 * MINUTE_MS))
  test.same(await failureOf(retries.beforeNext(later)), { kind: 'unavailable' })
})

t.test('a refusal for want of resources is asked about a few times only', async (test) => {
  const retries = new Retries(MINUTE_MS, undefined)
  const told = new TransportError(GRPC_CODE.RESOURCE_EXHAUSTED, 'slow down', retryInfo(1))
  for (let at = 0; at < 10; at++) await retries.beforeNext(told)
  const untold = new TransportError(GRPC_CODE.RESOURCE_EXHAUSTED, 'no room')
  for (let at = 0; at < 3; at++) await retries.beforeNext(untold)
  test.same(await failureOf(retries.beforeNext(untold)), { kind: 'resource-exhausted' })
})

t.test('whoever gives up while it pauses is told so', async (test) => {
  const controller = new AbortController()
  const retries = new Retries(MINUTE_MS, controller.signal)
  const pause = failureOf(
    retries.beforeNext(new TransportError(GRPC_CODE.UNAVAILABLE, 'gone', retryInfo(30_000))),
  )
  controller.abort()
  test.same(await pause, { kind: 'cancelled' })
})

t.test('a transport that was closed here is not asked again', async (test) => {
  const retries = new Retries(MINUTE_MS, undefined)
  const closed = new TransportError(GRPC_CODE.UNAVAILABLE, 'closed', { isClosed: true })
  test.same(await failureOf(retries.beforeNext(closed)), { kind: 'unavailable' })
})

t.test('what is no failure of a call passes through', async (test) => {
  const retries = new Retries(MINUTE_MS, undefined)
  const error = new BackendError('x', { failure: { kind: 'aborted' }, grpcCode: 10 })
  await test.rejects(retries.beforeNext(error), error)
})
