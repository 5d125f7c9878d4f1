import t from 'tap'
import type { BackendDatabase, BackendTransaction } from '../../server/backend/backend.ts'
import { plaintextCredentials } from '../../server/spanner/credentials.ts'
import { GrpcJsTransport } from '../../server/spanner/grpc-js-transport.ts'
import { createBackendOn } from '../../server/spanner/spanner-backend.ts'
import type { RpcOptions } from '../../server/spanner/transport.ts'
import { FakeSpanner } from '../helpers/fake-spanner.ts'
import { RecordingProxy } from '../helpers/recording-proxy.ts'
import { drain } from '../helpers/rows.ts'
import { encodeReply } from '../helpers/spanner-protos.ts'
import { until } from '../helpers/until.ts'

const call = { timeoutMs: 10_000 }
const COMMIT = '/google.spanner.v1.Spanner/Commit'
const column = { metadata: { rowType: { fields: [{ name: 'a', type: { code: 6 } }] } } }

interface Fixture {
  readonly fake: FakeSpanner
  readonly proxy: RecordingProxy
}

async function start(teardown: (end: () => Promise<void>) => void): Promise<Fixture> {
  const fake = await FakeSpanner.start()
  const proxy = await RecordingProxy.start(fake.address)
  teardown(async () => {
    await proxy.stop()
    fake.stop()
  })
  return { fake, proxy }
}

interface Opened extends Fixture {
  readonly database: BackendDatabase
}

async function connect({ proxy }: Fixture, channels: number): Promise<GrpcJsTransport> {
  const transport = new GrpcJsTransport({
    target: proxy.address,
    credentials: plaintextCredentials(),
    channels,
  })
  await until(() => transport.connectedChannels === channels)
  return transport
}

async function open(
  teardown: (end: () => Promise<void>) => void,
  channels: number,
): Promise<Opened> {
  const fixture = await start(teardown)
  const backend = await createBackendOn(await connect(fixture, channels), {
    project: 'p',
    instance: 'i',
    endpoint: { kind: 'emulator', address: fixture.proxy.address },
    ensureInstance: false,
  })
  teardown(() => backend.close())
  const database = await backend.openDatabase('d', call)
  fixture.proxy.clear()
  fixture.fake.calls.length = 0
  return { ...fixture, database }
}

async function write(transaction: BackendTransaction, sql: string): Promise<void> {
  await drain(transaction.execute({ sql, params: [] }, { ...call, isDml: true }))
}

/** More than a stream holds back once a token vouches for it. */
const LARGE = 'x'.repeat(70_000)

t.test('all channels connect before they are needed', async (test) => {
  const fixture = await start(test.teardown)
  const transport = await connect(fixture, 3)
  test.equal(fixture.proxy.connectionCount, 3)
  await transport.close()
  test.equal(transport.connectedChannels, 0)
})

t.test('a call goes where the least is under way', async (test) => {
  const { fake, proxy } = await start(test.teardown)
  const transport = await connect({ fake, proxy }, 3)
  test.teardown(() => transport.close())
  const reply = { commitTimestamp: { seconds: '1' } }
  const release: (() => void)[] = []
  fake.on('Commit', async () => {
    await new Promise<void>((resolve) => release.push(resolve))
    return reply
  })
  const options = (): RpcOptions => ({
    timeoutMs: 10_000,
    metadata: [],
    channel: transport.pickChannel(),
  })
  const calls = Array.from({ length: 9 }, () => transport.unary(COMMIT, Buffer.alloc(0), options()))
  let ended = 0
  for (const underWay of calls) void underWay.then(() => ended++)
  await until(() => release.length === 9)
  const perConnection = [0, 1, 2].map(
    (connection) => proxy.calls.filter((recorded) => recorded.connection === connection).length,
  )
  test.same(perConnection, [3, 3, 3])
  const busy = proxy.calls[0]?.connection
  proxy.calls.forEach((recorded, at) => {
    if (recorded.connection !== busy) release[at]?.()
  })
  await until(() => ended === 6)
  proxy.clear()
  const more = Array.from({ length: 4 }, () => transport.unary(COMMIT, Buffer.alloc(0), options()))
  await until(() => proxy.calls.length === 4)
  test.notOk(
    proxy.calls.some((recorded) => recorded.connection === busy),
    'not to the one that has three already',
  )
  await until(() => release.length === 13)
  for (const end of release) end()
  for (const bytes of await Promise.all([...calls, ...more])) {
    test.same(bytes, encodeReply(COMMIT.slice(1), reply))
  }
})

t.test('the calls of a transaction stay on one connection', async (test) => {
  const { proxy, database } = await open(test.teardown, 3)
  const transactions = [1, 2, 3].map(() => database.beginReadWrite({ isolation: 'serializable' }))
  for (const sql of ['one', 'two', 'three']) {
    await Promise.all(transactions.map((transaction) => write(transaction, sql)))
  }
  await Promise.all(transactions.map((transaction) => transaction.commit(call)))
  const bySession = new Map<unknown, Set<number>>()
  for (const { method, request, connection } of proxy.calls) {
    if (method.includes('Sessions')) continue
    const session = request()['session']
    bySession.set(session, (bySession.get(session) ?? new Set()).add(connection))
  }
  test.equal(bySession.size, 3)
  for (const connections of bySession.values()) test.equal(connections.size, 1)
})

t.test(
  'GOAWAY: what is under way ends well, what comes next meets a new connection',
  async (test) => {
    const { fake, proxy, database } = await open(test.teardown, 1)
    let goOn = (): void => undefined
    const wait = new Promise<void>((resolve) => {
      goOn = resolve
    })
    fake.on('ExecuteStreamingSql', async function* () {
      yield { ...column, values: [{ stringValue: LARGE }], resumeToken: Buffer.from('t') }
      await wait
      yield { values: [{ stringValue: '2' }] }
    })
    const stream = database.singleUse({ sql: 'old', params: [] }, call)
    test.equal((await stream.next())?.rowCount, 1)
    proxy.sendGoaway()
    fake.on('ExecuteStreamingSql', () => [{ ...column, values: [{ stringValue: '3' }] }])
    const next = await drain(database.singleUse({ sql: 'new', params: [] }, call))
    test.same(next.rows, [['3']])
    goOn()
    test.equal((await stream.next())?.rowCount, 1)
    test.equal(await stream.next(), undefined)
    test.same(
      fake.requests('ExecuteStreamingSql').map((request) => request['sql']),
      ['old', 'new'],
      'nothing was sent twice',
    )
    test.same(
      proxy.calls
        .filter(({ method }) => method === 'ExecuteStreamingSql')
        .map(({ connection }) => connection),
      [0, 1],
    )
  },
)

t.test('while one channel connects again, another has its calls', async (test) => {
  const { proxy, database } = await open(test.teardown, 2)
  proxy.sendGoaway()
  const isBack = () => proxy.calls.some(({ connection }) => connection === 3)
  while (!isBack()) await drain(database.singleUse({ sql: 'q', params: [] }, call))
  test.pass('both are back')
})

t.test('a connection that breaks within a stream costs no row and repeats none', async (test) => {
  const { fake, proxy, database } = await open(test.teardown, 1)
  fake.on('ExecuteStreamingSql', async function* ({ request, signal }) {
    const token = request['resumeToken']
    const from = Buffer.isBuffer(token) ? Number(token.toString()) : 0
    for (let row = from + 1; row <= 40; row++) {
      yield {
        ...(row === from + 1 ? column : {}),
        values: [{ stringValue: LARGE }],
        resumeToken: Buffer.from(String(row)),
      }
      if (row % 16 === 0) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  let rows = 0
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    rows += batch.rowCount
    if (rows % 16 === 0) proxy.resetConnections()
  }
  test.equal(rows, 40)
  test.same(
    fake.requests('ExecuteStreamingSql').map((request) => String(request['resumeToken'] ?? '')),
    ['', '16', '32'],
  )
})

t.test('a write whose connection breaks runs once', async (test) => {
  const { fake, proxy, database } = await open(test.teardown, 2)
  for (const isDelivered of [false, true]) {
    const faults = new Map([
      ['ExecuteStreamingSql', 2],
      ['ExecuteBatchDml', 1],
      ['Commit', 1],
    ])
    proxy.intercept(({ method }) => {
      const left = faults.get(method) ?? 0
      faults.set(method, left - 1)
      return left === 1 ? { kind: 'reset', isDelivered } : undefined
    })
    fake.calls.length = 0
    const transaction = database.beginReadWrite({ isolation: 'serializable' })
    await write(transaction, 'one')
    await write(transaction, 'two')
    const batch = [{ sql: 'three', params: [] }]
    test.same(await transaction.executeBatch(batch, { ...call, isDml: true }), { rowCounts: [1n] })
    test.match(await transaction.commit(call), { commitTimestamp: /^2023/ })
    const times = isDelivered ? 2 : 1
    test.same(fake.methods(), [
      ...Array<string>(1 + times).fill('ExecuteStreamingSql'),
      ...Array<string>(times).fill('ExecuteBatchDml'),
      ...Array<string>(times).fill('Commit'),
    ])
    test.same(
      fake.requests('ExecuteStreamingSql').map((request) => request['seqno']),
      isDelivered ? ['1', '2', '2'] : ['1', '2'],
      'under the number of the first time',
    )
  }
})
