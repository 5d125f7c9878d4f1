import tap from 'tap'
import { SystemNames } from '../../server/embedded/acceptance.ts'
import { EmbeddedDatabase } from '../../server/embedded/database.ts'
import { DdlExecutor } from '../../server/embedded/ddl-executor.ts'
import { Incarnations } from '../../server/embedded/incarnations.ts'
import type { StatementDescription } from '../../server/embedded/statement-cache.ts'
import { describe } from '../../server/embedded/statement-run.ts'
import { connectTo, startTestServer } from './embedded-client.ts'

const server = await startTestServer()
const client = await connectTo(server, 'cached')
tap.teardown(async () => {
  client.close()
  await server.remove()
})

/** The database with nothing known of it. */
function open(): EmbeddedDatabase {
  return new EmbeddedDatabase(client.database, 'cached', {
    cluster: server.cluster,
    incarnations: new Incarnations(),
    systemNames: new SystemNames(),
    settings: { TimeZone: 'UTC' },
    profile: 'production',
  })
}

const requestOf = (sql: string) => ({ sql, params: new Map(), paramTypes: new Map() })

async function described(
  database: EmbeddedDatabase,
  sql: string,
): Promise<StatementDescription | undefined> {
  const request = requestOf(sql)
  const statement = database.statements.get(request)
  const connection = await database.reads.acquire()
  const { signal } = new AbortController()
  await describe({ connection, statement, request, prelude: [], signal })
  database.reads.release(connection)
  return statement.description
}

const STATEMENTS = {
  one: 'SELECT 1',
  tables: 'SELECT table_name FROM information_schema.tables',
  a: 'SELECT * FROM a',
  write: 'INSERT INTO a (id) VALUES (1)',
  b: 'SELECT * FROM b',
  view: 'SELECT * FROM w',
  inner: 'SELECT 1 FROM p WHERE EXISTS (SELECT * FROM (SELECT id FROM b) x)',
  cascade: 'DELETE FROM p WHERE id = 1',
} as const

type Name = keyof typeof STATEMENTS
const NAMES = Object.keys(STATEMENTS) as Name[]

/** DDL, and which statements it may not leave as they were. */
const CHANGES: readonly (readonly [ddl: string, forgotten: readonly Name[]])[] = [
  ['CREATE TABLE other (id bigint PRIMARY KEY, a bigint REFERENCES b (id))', ['b', 'inner']],
  ['DROP TABLE other', ['b', 'inner']],
  ['CREATE SCHEMA apart', []],
  ['CREATE TABLE apart.a (id bigint PRIMARY KEY)', []],
  ['ALTER TABLE a ADD COLUMN x bigint DEFAULT (5)', ['a', 'write']],
  ['ALTER TABLE b ALTER COLUMN v TYPE bytea', ['b', 'inner']],
  ['CREATE INDEX c_v ON c (v)', ['cascade']],
  ['DROP INDEX c_v', ['cascade']],
  [
    'CREATE TABLE d (id bigint, n bigint, PRIMARY KEY (id, n)) INTERLEAVE IN PARENT p ON DELETE CASCADE',
    ['inner', 'cascade'],
  ],
  ['CREATE INDEX d_n ON d (n)', ['cascade']],
  ['CREATE OR REPLACE VIEW w SQL SECURITY INVOKER AS SELECT id, id AS again FROM a', ['view']],
  ['ALTER TABLE a ADD CONSTRAINT positive CHECK (id > 0)', ['a', 'write']],
  ['CREATE UNIQUE INDEX b_u ON b (u)', []],
  ["ALTER DATABASE db SET spanner.version_retention_period = '1h'", []],
]

tap.test('statements that a schema change leaves as they are stay known', async (t) => {
  await client.ddl(
    'CREATE TABLE a (id bigint PRIMARY KEY)',
    'CREATE TABLE b (id bigint PRIMARY KEY, v varchar, u bigint)',
    'CREATE VIEW w SQL SECURITY INVOKER AS SELECT id FROM a',
    'CREATE TABLE p (id bigint PRIMARY KEY)',
    'CREATE TABLE c (id bigint, n bigint, v bigint, PRIMARY KEY (id, n)) INTERLEAVE IN PARENT p ON DELETE CASCADE',
  )
  // So that a unique index fails, and takes nothing along.
  await client.write('INSERT INTO b (id, u) VALUES (1, 1), (2, 1)')
  const database = open()
  t.teardown(() => database.close())
  const executor = new DdlExecutor(database)
  for (const [ddl, forgotten] of CHANGES) {
    const before = new Map<Name, StatementDescription | undefined>()
    for (const name of NAMES) before.set(name, await described(database, STATEMENTS[name]))
    await executor.run([ddl], () => 'SELECT 1')
    const fresh = open()
    const changed: Name[] = []
    for (const name of NAMES) {
      const { description } = database.statements.get(requestOf(STATEMENTS[name]))
      if (description !== before.get(name)) changed.push(name)
      const expected = await described(fresh, STATEMENTS[name])
      t.strictSame(await described(database, STATEMENTS[name]), expected, `${name}: ${ddl}`)
    }
    t.strictSame(changed, forgotten, ddl)
    fresh.close()
  }
})

tap.test('a statement that was never described is not kept', async (t) => {
  const database = open()
  t.teardown(() => database.close())
  const statement = database.statements.get(requestOf('SELECT 2'))
  database.schemaChanged(new Set())
  t.not(database.statements.get(requestOf('SELECT 2')), statement)
  t.equal(statement.isForgotten, true)
})

tap.test('nothing is kept where it is not known what has changed', async (t) => {
  const database = open()
  t.teardown(() => database.close())
  await described(database, 'SELECT 3')
  const statement = database.statements.get(requestOf('SELECT 3'))
  database.schemaChanged('all')
  t.not(database.statements.get(requestOf('SELECT 3')), statement)
})
