import t from 'tap'
import { BackendError } from '../../server/backend/backend-error.ts'
import { rpcEvents } from '../../server/base/channels.ts'
import { ProtoWriter } from '../../server/base/protobuf-writer.ts'
import { createSpannerBackend } from '../../server/spanner/spanner-backend.ts'
import { failureOf, openFakeDatabase } from '../helpers/fake-database.ts'
import { FakeSpanner, FakeStatus } from '../helpers/fake-spanner.ts'
import type { Message } from '../helpers/spanner-protos.ts'

const call = { timeoutMs: 10_000 }
const DDL_METADATA =
  'type.googleapis.com/google.spanner.admin.database.v1.UpdateDatabaseDdlMetadata'

function applied(count: number): Message {
  const writer = new ProtoWriter()
  for (let at = 0; at < count; at++) writer.message(3, Buffer.from([0x08, 1]))
  return { type_url: DDL_METADATA, value: writer.take() }
}

t.test('DDL is one request and its polls', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let polls = 0
  fake.on('UpdateDatabaseDdl', ({ request }) => ({
    name: `${String(request['database'])}/operations/${String(request['operationId'])}`,
  }))
  fake.on('GetOperation', ({ request }) => {
    polls++
    if (polls === 1) throw new FakeStatus(8, 'Quota exceeded for administrative requests')
    return { name: request['name'], done: polls === 3, metadata: applied(polls - 1) }
  })
  await database.updateDdl(['a', 'b'], call)
  test.same(fake.methods(), ['UpdateDatabaseDdl', ...Array(3).fill('GetOperation')])
  const [sent] = fake.requests('UpdateDatabaseDdl')
  test.same(sent?.['statements'], ['a', 'b'])
  test.match(sent?.['operationId'], /^[a-z][a-z0-9_]*$/)
})

t.test('DDL that fails half-way says how much stays in force', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('UpdateDatabaseDdl', () => ({
    name: 'op',
    done: true,
    metadata: applied(2),
    error: { code: 9, message: 'Duplicate name in schema: t.' },
  }))
  const error = await database.updateDdl(['a', 'b', 'c'], call).catch((caught: unknown) => caught)
  test.ok(error instanceof BackendError)
  if (!(error instanceof BackendError)) return
  test.same(error.failure, { kind: 'object-exists' })
  test.equal(error.appliedStatements, 2)
})

t.test('DDL whose answer got lost is recognised when it is sent again', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  let attempts = 0
  fake.on('UpdateDatabaseDdl', ({ request }) => {
    const id = String(request['operationId'])
    if (++attempts === 1) throw new FakeStatus(14, 'connection lost')
    throw new FakeStatus(6, `Operation already exists: ${id}`)
  })
  fake.on('GetOperation', () => ({ done: true, metadata: applied(1) }))
  await database.updateDdl(['a'], call)
  const [first, second] = fake.requests('UpdateDatabaseDdl')
  test.equal(first?.['operationId'], second?.['operationId'])
  test.same(fake.requests('GetOperation'), [
    { name: `projects/p/instances/i/databases/d/operations/${String(first?.['operationId'])}` },
  ])
})

t.test('waiting for DDL has an end', async (test) => {
  const { fake, database } = await openFakeDatabase(test.teardown)
  fake.on('UpdateDatabaseDdl', () => ({ name: 'op' }))
  fake.on('GetOperation', () => ({ name: 'op' }))
  test.same(await failureOf(database.updateDdl(['a'], { timeoutMs: 400 })), {
    kind: 'deadline-exceeded',
  })
  const controller = new AbortController()
  const waiting = failureOf(database.updateDdl(['a'], { ...call, signal: controller.signal }))
  setTimeout(() => controller.abort(), 50)
  test.same(await waiting, { kind: 'cancelled' })
})

t.test('databases', async (test) => {
  const { fake, backend } = await openFakeDatabase(test.teardown)
  fake.on('ListDatabases', ({ request }) =>
    request['pageToken'] === undefined
      ? {
          databases: [
            { name: 'projects/p/instances/i/databases/b', databaseDialect: 2 },
            { name: 'projects/p/instances/i/databases/google', databaseDialect: 1 },
          ],
          nextPageToken: 'more',
        }
      : { databases: [{ name: 'projects/p/instances/i/databases/a', databaseDialect: 2 }] },
  )
  test.same(await backend.listDatabases(call), ['a', 'b'])
  fake.on('CreateDatabase', () => ({ name: 'op', done: true }))
  fake.on('UpdateDatabaseDdl', () => ({ name: 'op', done: true }))
  await backend.createDatabase('new', call)
  test.same(fake.requests('CreateDatabase'), [
    {
      parent: 'projects/p/instances/i',
      createStatement: 'CREATE DATABASE "new"',
      databaseDialect: 2,
    },
  ])
  test.match(fake.requests('UpdateDatabaseDdl'), [
    { statements: [`ALTER DATABASE "new" SET spanner.default_time_zone = 'UTC'`] },
  ])
  fake.on('UpdateDatabaseDdl', () => {
    throw new FakeStatus(9, 'Database option <spanner.default_time_zone> is not supported.')
  })
  await backend.createDatabase('newer', call)
  fake.on('CreateDatabase', () => {
    throw new FakeStatus(6, 'said in other words')
  })
  test.same(await failureOf(backend.createDatabase('new', call)), { kind: 'database-exists' })
  fake.on('GetDatabase', () => ({}))
  fake.on('DropDatabase', () => ({}))
  await backend.dropDatabase('old', call)
  test.same(fake.requests('DropDatabase'), [{ database: 'projects/p/instances/i/databases/old' }])
  fake.on('DropDatabase', () => {
    const isFirst = fake.requests('DropDatabase').length === 2
    throw isFirst ? new FakeStatus(14, 'connection lost') : new FakeStatus(5, 'gone')
  })
  await backend.dropDatabase('older', call)
  fake.on('GetDatabase', () => {
    throw new FakeStatus(5, 'said in other words')
  })
  test.same(await failureOf(backend.dropDatabase('old', call)), { kind: 'database-not-found' })
  test.equal(fake.requests('DropDatabase').length, 3)
})

t.test('CREATE DATABASE whose answer got lost is not an error', async (test) => {
  const { fake, backend } = await openFakeDatabase(test.teardown)
  let states: number[] = []
  fake.on('GetDatabase', ({ request }) => {
    const state = states.shift()
    if (state === undefined) throw new FakeStatus(5, 'Database not found')
    return { ...request, state }
  })
  let attempts = 0
  fake.on('CreateDatabase', () => {
    if (++attempts === 1) states = [1, 2]
    if (attempts === 1) throw new FakeStatus(14, 'connection lost')
    throw new FakeStatus(6, 'said in other words')
  })
  fake.on('UpdateDatabaseDdl', () => ({ name: 'op', done: true }))
  await backend.createDatabase('new', call)
  test.equal(attempts, 2)
  test.same(states, [], 'it is ready')

  attempts = 0
  fake.on('GetDatabase', ({ request }) => request)
  test.same(
    await failureOf(backend.createDatabase('old', call)),
    { kind: 'database-exists' },
    'not where it existed before',
  )
  test.equal(attempts, 2)

  fake.on('CreateDatabase', () => {
    throw new FakeStatus(3, 'no such name')
  })
  test.same(await failureOf(backend.createDatabase('bad', call)), { kind: 'unsupported' })
})

t.test('an instance is made where it is missing, and found when another made it', async (test) => {
  const fake = await FakeSpanner.start()
  test.teardown(() => fake.stop())
  const options = {
    project: 'p',
    instance: 'i',
    endpoint: { kind: 'emulator', address: fake.address },
  } as const
  fake.on('GetInstance', () => {
    throw new FakeStatus(5, 'Instance not found: projects/p/instances/i')
  })
  fake.on('CreateInstance', () => ({ name: 'op', done: true }))
  await (await createSpannerBackend(options)).close()
  test.match(fake.requests('CreateInstance'), [
    { instanceId: 'i', instance: { config: 'projects/p/instanceConfigs/emulator-config' } },
  ])
  fake.on('CreateInstance', () => {
    throw new FakeStatus(6, 'Instance already exists')
  })
  await (await createSpannerBackend(options)).close()
  fake.on('CreateInstance', () => {
    throw new FakeStatus(7, 'no')
  })
  test.same(await failureOf(createSpannerBackend(options)), { kind: 'permission-denied' })
})

t.test('capabilities are asked for once, and follow the kind of the server', async (test) => {
  const fake = await FakeSpanner.start()
  const backend = await createSpannerBackend({
    project: 'p',
    instance: 'i',
    endpoint: { kind: 'emulator', address: fake.address },
    ensureInstance: false,
  })
  test.teardown(async () => {
    await backend.close()
    fake.stop()
  })
  fake.on('ExecuteSql', ({ request }) => {
    if (/interval/.test(String(request['sql']))) throw new FakeStatus(12, 'not supported')
    return { metadata: { rowType: { fields: [] } } }
  })
  const { capabilities } = await backend.openDatabase('one', call)
  test.same(capabilities, {
    concurrentWrites: true,
    survivesStatementError: false,
    forUpdate: true,
    uuidType: true,
    interval: false,
    distinctFrom: true,
    generateSeries: true,
    jsonbFunctions: true,
    aggregateOrderBy: true,
    safeNumericKeysAndNullFloats: true,
    partitionedDml: true,
    sequenceStateIsNext: false,
    repeatableRead: true,
  })
  const probes = fake.requests('ExecuteSql')
  test.ok(
    probes.every((request) => request['queryMode'] === 1),
    'planned, not run',
  )
  await backend.openDatabase('two', call)
  test.equal(fake.requests('ExecuteSql').length, probes.length)
})

t.test('a probe that fails for another reason is no answer', async (test) => {
  const fake = await FakeSpanner.start()
  const backend = await createSpannerBackend({
    project: 'p',
    instance: 'i',
    endpoint: { kind: 'emulator', address: fake.address },
    ensureInstance: false,
  })
  test.teardown(async () => {
    await backend.close()
    fake.stop()
  })
  fake.on('ExecuteSql', () => {
    throw new FakeStatus(7, 'no')
  })
  test.same(await failureOf(backend.openDatabase('one', call)), { kind: 'permission-denied' })
  let isGone = true
  fake.on('ExecuteSql', () => {
    if (!isGone) return {}
    isGone = false
    throw new FakeStatus(5, 'Session not found: s')
  })
  test.equal((await backend.openDatabase('one', call)).capabilities.interval, true)
})

t.test('calls are tried again as the status says', async (test) => {
  const { fake, backend } = await openFakeDatabase(test.teardown)
  const delay = new ProtoWriter().uint(2, 1_000_000).take()
  const retryInfo = new ProtoWriter().message(1, delay).take()
  const failures = [
    new FakeStatus(14, 'gone'),
    new FakeStatus(8, 'slow down', { 'google.rpc.retryinfo-bin': retryInfo }),
  ]
  fake.on('ListDatabases', () => {
    const failure = failures.shift()
    if (failure !== undefined) throw failure
    return { databases: [] }
  })
  test.same(await backend.listDatabases(call), [])
  const ids = fake.calls.map(({ metadata }) => String(metadata['x-goog-spanner-request-id']))
  test.same(
    ids.map((id) => id.split('.').at(-1)),
    ['1', '2', '3'],
  )
  test.equal(new Set(ids.map((id) => id.slice(0, id.lastIndexOf('.')))).size, 1)
  fake.on('ListDatabases', () => {
    throw new FakeStatus(8, 'a quota is used up')
  })
  test.same(await failureOf(backend.listDatabases(call)), { kind: 'resource-exhausted' })
  test.equal(fake.methods().length, 3 + 4, 'four attempts, and then it is believed')
})

t.test('every attempt at a call is an event', async (test) => {
  const { fake, backend } = await openFakeDatabase(test.teardown)
  const events: unknown[] = []
  test.teardown(
    rpcEvents.subscribe(({ method, status, durationMs }) => {
      events.push([method, status, durationMs >= 0])
    }),
  )
  let attempts = 0
  fake.on('ListDatabases', () => {
    if (++attempts === 1) throw new FakeStatus(14, 'gone')
    return {}
  })
  await backend.listDatabases(call)
  test.same(events, [
    ['ListDatabases', 'UNAVAILABLE', true],
    ['ListDatabases', 'OK', true],
  ])
})
