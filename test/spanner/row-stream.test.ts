import t from 'tap'
import { failureOf, openFakeDatabase } from '../helpers/fake-database.ts'
import { FakeStatus } from '../helpers/fake-spanner.ts'
import { drain, plainValue } from '../helpers/rows.ts'
import type { Message } from '../helpers/spanner-protos.ts'

const call = { timeoutMs: 10_000 }
const UNAVAILABLE = 14
const INTERNAL = 13
const NOT_FOUND = 5

const metadata = {
  rowType: {
    fields: [
      { name: 'a', type: { code: 6 } },
      { name: 'b', type: { code: 6 } },
    ],
  },
}

/** More than is held back once a token vouches for it. */
const LARGE = 'x'.repeat(70_000)

function part(values: readonly string[], more: Message = {}): Message {
  return { values: values.map((stringValue) => ({ stringValue })), ...more }
}

function token(text: string): Message {
  return { resumeToken: Buffer.from(text) }
}

function tokenOf(request: Message): string {
  const value = request['resumeToken']
  return Buffer.isBuffer(value) ? value.toString() : ''
}

t.test('a stream that breaks goes on after its last token', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', async function* ({ request }) {
    switch (tokenOf(request)) {
      case '':
        yield part(['1'], { metadata })
        yield part(['x', '2', 'y'], { chunkedValue: true, ...token('one') })
        yield part(['lost', '3'])
        throw new FakeStatus(UNAVAILABLE, 'gone')
      case 'one':
        yield part(['yy', '3'], token('two'))
        throw new FakeStatus(INTERNAL, 'Received RST_STREAM with error code 2')
      default:
        yield part(['z'])
    }
  })
  const { rows } = await drain(database.singleUse({ sql: 'q', params: [] }, call))
  test.same(rows, [
    ['1', 'x'],
    ['2', 'yyy'],
    ['3', 'z'],
  ])
  const requests = fake.requests('ExecuteStreamingSql')
  test.same(requests.map(tokenOf), ['', 'one', 'two'])
  test.same(new Set(requests.map((request) => request['session'])).size, 1)
})

t.test('rows are held back until a token vouches for them', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let attempts = 0
  fake.on('ExecuteStreamingSql', async function* () {
    attempts++
    yield part(['first', String(attempts)], { metadata })
    if (attempts === 1) throw new FakeStatus(UNAVAILABLE, 'gone')
  })
  const { rows } = await drain(database.singleUse({ sql: 'q', params: [] }, call))
  test.same(rows, [['first', '2']])
})

t.test('a stream is over with the message that says so', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', async function* () {
    yield part(['1', 'x'], { metadata, ...token('one') })
    yield part(['2', 'y'], { last: true })
    throw new FakeStatus(UNAVAILABLE, 'gone')
  })
  const { rows } = await drain(database.singleUse({ sql: 'q', params: [] }, call))
  test.same(rows, [
    ['1', 'x'],
    ['2', 'y'],
  ])
  test.equal(fake.requests('ExecuteStreamingSql').length, 1)
})

t.test(
  'a session that is lost with a stream is replaced while no row was handed on',
  async (test) => {
    const { fake, database } = await openFakeDatabase(test.teardown)
    let attempts = 0
    let before: readonly string[] = []
    fake.on('ExecuteStreamingSql', async function* () {
      attempts++
      if (attempts === 2) throw new FakeStatus(NOT_FOUND, 'Session not found: s')
      yield part(attempts === 1 ? before : ['a', 'b'], { metadata, ...token(String(attempts)) })
      if (attempts === 1) throw new FakeStatus(UNAVAILABLE, 'gone')
    })
    const read = () => database.singleUse({ sql: 'q', params: [] }, call)
    test.same((await drain(read())).rows, [['a', 'b']])
    const requests = fake.requests('ExecuteStreamingSql')
    test.same(requests.map(tokenOf), ['', '1', ''])
    test.not(requests[2]?.['session'], requests[1]?.['session'])
    attempts = 0
    before = ['half']
    test.same((await drain(read())).rows, [['a', 'b']], 'half a row is none')
    attempts = 0
    before = ['c', 'd']
    test.same((await drain(read())).rows, [['a', 'b']], 'a short result is handed on whole')
    attempts = 0
    before = ['c', LARGE]
    test.same(await failureOf(drain(read())), { kind: 'session-not-found' })
  },
)

t.test('rows that were handed on without a token cannot be taken back', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const large = 'x'.repeat(600_000)
  fake.on('ExecuteStreamingSql', async function* () {
    yield part([large, '1'], { metadata })
    yield part([large, '2'])
    throw new FakeStatus(UNAVAILABLE, 'gone')
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.equal((await stream.next())?.rowCount, 1)
  test.equal((await stream.next())?.rowCount, 1)
  test.same(await failureOf(stream.next()), { kind: 'unavailable' })
  test.same(await failureOf(stream.next()), { kind: 'unavailable' }, 'and stays an error')
  test.equal(fake.methods().length, 1)
})

t.test('other errors are not tried again', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', async function* () {
    yield part(['1', LARGE], { metadata, ...token('t') })
    throw new FakeStatus(INTERNAL, 'ZETASQL_RET_CHECK failure')
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.equal((await stream.columns()).length, 2)
  test.equal((await stream.next())?.rowCount, 1)
  test.same(await failureOf(stream.next()), { kind: 'internal' })
  test.equal(fake.methods().length, 1)
})

t.test('columns come with the first message, counts with the last', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let goOn = (): void => undefined
  const wait = new Promise<void>((resolve) => {
    goOn = resolve
  })
  fake.on('ExecuteStreamingSql', async function* () {
    yield part([], { metadata })
    await wait
    yield part(['1', 'x'], { stats: { rowCountExact: '1' } })
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.same(await stream.columns(), [
    { name: 'a', type: { code: 'STRING' } },
    { name: 'b', type: { code: 'STRING' } },
  ])
  test.equal(stream.rowCount(), undefined)
  goOn()
  const batch = await stream.next()
  test.equal(batch && plainValue(batch.bytes.subarray(batch.starts[0], batch.ends[0])), '1')
  test.equal(await stream.next(), undefined)
  test.equal(await stream.next(), undefined)
  test.equal(stream.rowCount(), 1n)
})

t.test('while nobody pulls, the server is held back', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const large = LARGE
  const count = 300
  fake.on('ExecuteStreamingSql', async function* () {
    for (let at = 0; at < count; at++) {
      yield part([large, String(at)], { ...(at === 0 ? { metadata } : {}), ...token(String(at)) })
    }
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.equal((await stream.next())?.rowCount, 1)
  const sent = (): number => fake.calls.at(-1)?.sentMessages ?? 0
  let before = -1
  while (sent() !== before) {
    before = sent()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  // 20 MB in all; what lies between is the HTTP/2 windows and the server's own buffers.
  test.ok(before < 100, `${before} of ${count} messages sent`)
  let rows = 1
  while ((await stream.next()) !== undefined) rows++
  test.equal(rows, count)
})

t.test('cancel gives the call up at the server', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', async function* ({ signal }) {
    yield part(['1', LARGE], { metadata, ...token('t') })
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.equal((await stream.next())?.rowCount, 1)
  const pull = failureOf(stream.next())
  stream.cancel()
  test.same(await pull, { kind: 'cancelled' })
  stream.cancel()
  const atServer = fake.calls[0]?.signal
  test.ok(atServer)
  if (atServer?.aborted === false) {
    await new Promise((resolve) => atServer.addEventListener('abort', resolve))
  }
  const session = fake.requests('ExecuteStreamingSql')[0]?.['session']
  fake.on('ExecuteStreamingSql', () => [part(['1', 'x'], { metadata })])
  await drain(database.singleUse({ sql: 'q', params: [] }, call))
  test.equal(fake.requests('ExecuteStreamingSql')[1]?.['session'], session, 'its session came back')
})

t.test('a stream that was cancelled before anybody pulled sends nothing', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  stream.cancel()
  test.same(await failureOf(stream.columns()), { kind: 'cancelled' })
  test.same(fake.calls, [])
})

t.test('an AbortSignal cancels', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  const controller = new AbortController()
  fake.on('ExecuteStreamingSql', async function* ({ signal }) {
    yield part([], { metadata })
    controller.abort()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  const options = { ...call, signal: controller.signal }
  const stream = database.singleUse({ sql: 'q', params: [] }, options)
  test.same(await failureOf(drain(stream)), { kind: 'cancelled' })
  const late = database.singleUse({ sql: 'q', params: [] }, options)
  test.same(await failureOf(drain(late)), { kind: 'cancelled' })
})

t.test('a deadline ends a stream, and the server is told of it', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', async function* ({ signal }) {
    yield part([], { metadata })
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, { timeoutMs: 200 })
  test.same(await failureOf(drain(stream)), { kind: 'deadline-exceeded' })
})

t.test('a server that stays away is not waited for longer than said', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown, { maxRetryMs: 600 })
  fake.on('ExecuteStreamingSql', () => {
    throw new FakeStatus(UNAVAILABLE, 'down')
  })
  const stream = database.singleUse({ sql: 'q', params: [] }, { timeoutMs: 60_000 })
  test.same(await failureOf(drain(stream)), { kind: 'unavailable' })
  const attempts = fake.methods().length
  test.ok(attempts >= 2 && attempts <= 6, `${attempts} attempts`)
})

t.test('what is no PartialResultSet is an internal error', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('ExecuteStreamingSql', () => [
    { metadata: { rowType: { fields: [{ name: 'p', type: { code: 99 } }] } } },
  ])
  const stream = database.singleUse({ sql: 'q', params: [] }, call)
  test.same(await failureOf(stream.columns()), { kind: 'internal' })
})
