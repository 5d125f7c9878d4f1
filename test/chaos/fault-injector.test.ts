import { credentials } from '@grpc/grpc-js'
import t, { type Test } from 'tap'
import { GrpcJsTransport } from '../../server/spanner/grpc-js-transport.ts'
import { TransportError } from '../../server/spanner/transport.ts'
import { FakeSpanner } from '../helpers/fake-spanner.ts'
import { RecordingProxy } from '../helpers/recording-proxy.ts'
import { decodeReply, encodeRequest, type Message } from '../helpers/spanner-protos.ts'
import { FaultInjector } from './fault-injector.ts'

const SERVICE = 'google.spanner.v1.Spanner'
const READ_WRITE = { begin: { readWrite: {} } }
const READ_ONLY = { begin: { readOnly: { strong: true } } }
const OK = 0
const DEADLINE_EXCEEDED = 4
const NOT_FOUND = 5
const ABORTED = 10
const UNAVAILABLE = 14

async function start(t: Test) {
  const fake = await FakeSpanner.start()
  const proxy = await RecordingProxy.start(fake.address)
  const injector = new FaultInjector(proxy)
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
  let reply: Message = {}
  /** The code of the answer; `reply` is its first message. */
  const call = async (method: string, request: object): Promise<number> => {
    const path = `${SERVICE}/${method}`
    const stream = transport.serverStream(`/${path}`, encodeRequest(path, request), options)
    reply = {}
    try {
      for (let message = await stream.next(); message; message = await stream.next()) {
        reply = decodeReply(path, message)
      }
      return OK
    } catch (error) {
      if (error instanceof TransportError) return error.grpcCode
      throw error
    }
  }
  const execute = (session: string, transaction: object, sql = 'w') =>
    call('ExecuteStreamingSql', { session, transaction, sql })
  /** Begins a transaction and gives its id. */
  const begin = async (session: string, transaction: object = READ_WRITE): Promise<Buffer> => {
    await execute(session, transaction)
    const { transaction: begun } = reply['metadata'] as { transaction: { id: Buffer } }
    return begun.id
  }
  return { fake, injector, call, execute, begin }
}

t.test('the same seed makes the same faults, another one others', async (t) => {
  const { injector, execute } = await start(t)
  const run = async (seed: number): Promise<string> => {
    injector.start({ seed, aborted: 0.4, unavailable: 0.2, abortLimit: Infinity })
    const codes: number[] = []
    for (let at = 0; at < 40; at++) codes.push(await execute('s', READ_WRITE))
    return codes.join(' ')
  }
  const first = await run(1)
  t.equal(await run(1), first)
  t.not(await run(2), first)
  t.match(first, /10/)
  t.match(first, /14/)
  t.match(first, /\b0\b/)
})

t.test('ABORTED is for read-write transactions, and true at the backend', async (t) => {
  const { fake, injector, call, execute, begin } = await start(t)
  const id = await begin('s')
  const reader = await begin('r', READ_ONLY)
  injector.start({ seed: 1, aborted: 1, abortLimit: Infinity })
  fake.calls.length = 0
  t.equal(await execute('q', { singleUse: { readOnly: { strong: true } } }), OK)
  t.equal(await execute('r', { id: reader }), OK)
  t.equal(await execute('r', READ_ONLY), OK)
  t.equal(await call('Rollback', { session: 's', transactionId: Buffer.from('x') }), OK)
  t.equal(await execute('n', READ_WRITE), ABORTED)
  t.equal(fake.requests('ExecuteStreamingSql').length, 3, 'the begin never came')
  t.equal(await execute('s', { id }), ABORTED)
  t.match(fake.requests('Rollback').at(-1), { session: 's', transactionId: id })
  const statement = { sql: 'w' }
  const batch = { session: 's', transaction: READ_WRITE, statements: [statement], seqno: '1' }
  t.equal(await call('ExecuteBatchDml', batch), ABORTED)
  t.equal(await call('Commit', { session: 's', transactionId: id }), ABORTED)
  t.equal(injector.counts.aborted, 4)
})

t.test(
  'a transaction gets through after four aborts, and the next one meets four more',
  async (t) => {
    const { injector, call, begin, execute } = await start(t)
    injector.start({ seed: 1, aborted: 1 })
    for (let round = 0; round < 2; round++) {
      const codes: number[] = []
      for (let at = 0; at < 5; at++) codes.push(await execute('s', READ_WRITE))
      t.same(codes, [ABORTED, ABORTED, ABORTED, ABORTED, OK])
      const id = await begin('s')
      t.equal(await call('Commit', { session: 's', transactionId: id }), OK)
      t.equal(await call('Commit', { session: 's', transactionId: id }), OK, 'it stays committed')
    }
  },
)

t.test('on a multiplexed session each transaction has its own four', async (t) => {
  const { fake, injector, call, execute, begin } = await start(t)
  fake.on('CreateSession', () => ({ name: 'm', multiplexed: true }))
  await call('CreateSession', { database: 'd', session: { multiplexed: true } })
  const [one, two] = [await begin('m'), await begin('m')]
  injector.start({ seed: 1, aborted: 1 })
  const again = (previous: Buffer) => ({
    begin: { readWrite: { multiplexedSessionPreviousTransactionId: previous } },
  })
  for (const id of [one, two]) {
    const codes = [await execute('m', { id })]
    t.same(codes, [ABORTED])
  }
  for (const id of [one, two]) {
    const codes: number[] = []
    for (let at = 0; at < 4; at++) codes.push(await execute('m', again(id)))
    t.same(codes, [ABORTED, ABORTED, ABORTED, OK])
  }
})

t.test('UNAVAILABLE before and after the backend has acted', async (t) => {
  const { fake, injector, execute } = await start(t)
  injector.start({ seed: 1, unavailable: 1 })
  t.equal(await execute('s', READ_WRITE), UNAVAILABLE)
  t.equal(fake.calls.length, 0)
  injector.start({ seed: 1, answerLost: 1 })
  t.equal(await execute('s2', READ_WRITE), UNAVAILABLE)
  t.equal(fake.calls.length, 1)
})

t.test('other faults than ABORTED come three in a row at most', async (t) => {
  const { injector, execute } = await start(t)
  injector.start({ seed: 1, unavailable: 1 })
  const codes: number[] = []
  for (let at = 0; at < 5; at++) codes.push(await execute('s', READ_WRITE))
  t.same(codes, [UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, OK, UNAVAILABLE])
})

t.test('DEADLINE_EXCEEDED for Commit, done and not done', async (t) => {
  const { fake, injector, call, begin } = await start(t)
  const ids = [await begin('a'), await begin('b'), await begin('c'), await begin('d')]
  injector.start({ seed: 3, commitDeadline: 1 })
  for (const [index, transactionId] of ids.entries()) {
    const session = 'abcd'[index]
    t.equal(await call('Commit', { session, transactionId }), DEADLINE_EXCEEDED)
  }
  const done = fake.requests('Commit').length
  t.ok(done > 0 && done < ids.length, `${done} of ${ids.length}`)
})

t.test('a session that is deleted is rolled back first', async (t) => {
  const { fake, injector, execute, begin } = await start(t)
  const id = await begin('s')
  injector.start({ seed: 1, sessionDeleted: 1 })
  fake.calls.length = 0
  t.equal(await execute('s', { id }), NOT_FOUND)
  t.same(fake.methods(), ['Rollback', 'BeginTransaction', 'Rollback'])
  t.match(fake.requests('Rollback')[0], { transactionId: id })
  t.match(fake.requests('DeleteSession'), [{ name: 's' }])
  t.equal(fake.calls.at(-1)?.method, 'DeleteSession')
  fake.calls.length = 0
  t.equal(await execute('n', READ_WRITE), NOT_FOUND, 'nobody knows what is open in it')
  t.same(fake.methods(), ['BeginTransaction', 'Rollback'])
})

t.test('a Commit that was aborted is aborted when it comes again', async (t) => {
  const { fake, injector, call, begin } = await start(t)
  const transactionId = await begin('s')
  injector.start({ seed: 1, aborted: 1 })
  t.equal(await call('Commit', { session: 's', transactionId }), ABORTED)
  injector.stop()
  fake.calls.length = 0
  t.equal(await call('Commit', { session: 's', transactionId }), ABORTED)
  t.notOk(fake.methods().includes('Commit'))
  t.equal(await call('Commit', { session: 's', transactionId: await begin('s') }), OK)
})

t.test('a session stays while its Commit is in doubt', async (t) => {
  const { injector, call, begin } = await start(t)
  const transactionId = await begin('s')
  injector.start({ seed: 1, unavailable: 1 })
  t.equal(await call('Commit', { session: 's', transactionId }), UNAVAILABLE)
  injector.start({ seed: 1, sessionDeleted: 1 })
  t.equal(await call('Commit', { session: 's', transactionId }), OK)
  injector.stop()
  const next = await begin('t')
  injector.start({ seed: 1, sessionDeleted: 1 })
  t.equal(await call('Commit', { session: 't', transactionId: next }), NOT_FOUND)
})

t.test('an answer that is cut is learnt from all the same', async (t) => {
  const { fake, injector, execute } = await start(t)
  fake.on('ExecuteStreamingSql', () => [
    { metadata: { rowType: { fields: [] }, transaction: { id: Buffer.from('cut') } } },
  ])
  injector.start({ seed: 1, answerLost: 1 })
  t.equal(await execute('s', READ_WRITE), UNAVAILABLE)
  injector.start({ seed: 1, sessionDeleted: 1 })
  t.equal(await execute('s', { singleUse: { readOnly: { strong: true } } }), NOT_FOUND)
  t.match(fake.requests('Rollback')[0], { session: 's', transactionId: Buffer.from('cut') })
})
