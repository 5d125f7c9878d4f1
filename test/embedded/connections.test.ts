import tap, { type Test } from 'tap'
import { Acceptance, SystemNames } from '../../server/embedded/acceptance.ts'
import { ConnectionPool, type EmbeddedConnection } from '../../server/embedded/connections.ts'
import { postgresName } from '../../server/embedded/database.ts'
import { type CachedStatement, StatementCache } from '../../server/embedded/statement-cache.ts'
import { runStatement } from '../../server/embedded/statement-run.ts'
import { askPostgres, connectTo, failure, startTestServer } from './embedded-client.ts'

const server = await startTestServer()
const client = await connectTo(server, 'pooled')
tap.teardown(async () => {
  client.close()
  await server.remove()
})

function newPool(t: Test): ConnectionPool {
  const pool = new ConnectionPool({
    cluster: server.cluster,
    database: postgresName('pooled'),
    settings: { TimeZone: 'UTC' },
    limit: 2,
    waitMs: 0,
  })
  t.teardown(() => pool.close())
  return pool
}

async function ask(connection: EmbeddedConnection, sql: string): Promise<unknown> {
  const [row] = await connection.server.query(sql)
  return Object.values(row ?? {})[0]
}

const request = { sql: 'SELECT 1', params: new Map(), paramTypes: new Map() }

function newStatement(): CachedStatement {
  return new StatementCache(new Acceptance('production', new SystemNames(), async () => [])).get(
    request,
  )
}

async function run(connection: EmbeddedConnection, statement: CachedStatement): Promise<void> {
  const { signal } = new AbortController()
  await runStatement(
    { connection, statement, request, prelude: [], signal },
    { sink: { row: () => undefined }, start: () => undefined },
  )
}

tap.test('a connection outlives a schema change, with what is still asked for', async (t) => {
  const pool = newPool(t)
  const [kept, forgotten] = [newStatement(), newStatement()]
  const first = await pool.acquire()
  const { processId } = first.server
  await run(first, kept)
  await run(first, forgotten)
  pool.release(first)
  forgotten.isForgotten = true
  pool.schemaChanged({ TimeZone: 'UTC' })
  const second = await pool.acquire()
  t.equal(second.server.processId, processId)
  t.equal(second.preparedName(forgotten), undefined)
  const names = "SELECT string_agg(name, ',') FROM pg_prepared_statements WHERE name <> ''"
  t.equal(await ask(second, names), second.preparedName(kept))
  pool.release(second)
})

tap.test('connections with other settings than a schema change gives are closed', async (t) => {
  const pool = newPool(t)
  const [idle, lent] = [await pool.acquire(), await pool.acquire()]
  pool.release(idle)
  pool.schemaChanged({ TimeZone: 'Asia/Tokyo' })
  t.equal(idle.server.isLost, true)
  t.equal(await ask(lent, 'SHOW TimeZone'), 'UTC')
  pool.release(lent)
  t.equal(lent.server.isLost, true)
  const next = await pool.acquire()
  t.equal(await ask(next, 'SHOW TimeZone'), 'Asia/Tokyo')
  pool.release(next)
  t.equal(next.server.isLost, false)
})

tap.test('schema changes share a connection, those that fail too', async (t) => {
  // The last that a schema change asks for is the time zone.
  const lastUsed = () =>
    askPostgres(
      server,
      `SELECT pid FROM pg_stat_activity WHERE datname = '${postgresName('pooled')}' AND query LIKE '%default_time_zone%'`,
    )
  await client.ddl('CREATE TABLE a (id bigint PRIMARY KEY, v bigint)')
  await client.write('INSERT INTO a (id, v) VALUES (1, 1), (2, 1)')
  const first = await lastUsed()
  t.equal(first.length, 1)
  t.equal((await failure(client.ddl('DROP TABLE none'))).code, 5)
  const { error } = await client.ddl(
    'CREATE TABLE b (id bigint PRIMARY KEY)',
    'CREATE UNIQUE INDEX by_v ON a (v)',
  )
  t.match(error, { code: 9, message: /^Unique index violation/ })
  await client.ddl('DROP TABLE b')
  t.strictSame(await lastUsed(), first)
})
