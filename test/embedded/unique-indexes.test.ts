import tap from 'tap'
import { connectTo, failureText, startTestServer, value } from './embedded-client.ts'

/*
 * Unique indexes are checked when a statement is through, and when all mutations of a Commit are applied.
 */

const server = await startTestServer()
const client = await connectTo(server, 'unique')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
const DDL = [
  'CREATE TABLE t (id bigint PRIMARY KEY, u bigint, v varchar, w varchar)',
  'CREATE UNIQUE INDEX t_u ON t (u)',
  'CREATE UNIQUE INDEX t_v ON t (v DESC, w NULLS FIRST) INCLUDE (u) WHERE v IS NOT NULL',
]
await client.ddl(...DDL)

const row = (id: string, u: string | null) => ({
  table: 't',
  columns: ['id', 'u'],
  values: [{ values: [value(id), value(u)] }],
})
const commit = (...mutations: object[]) =>
  client.call('commit', {
    session: client.session,
    singleUseTransaction: { readWrite: {} },
    mutations,
  })
const rows = async () => (await client.run('SELECT id, u FROM t ORDER BY id')).rows

tap.beforeEach(async () => {
  await commit({ delete: { table: 't', keySet: { all: true } } })
  await client.write("INSERT INTO t (id, u, v, w) VALUES (1, 10, 'a', 'b'), (2, 20, NULL, NULL)")
})

tap.test('values change places', async (t) => {
  await commit({ update: row('1', '20') }, { update: row('2', '10') })
  t.strictSame(await rows(), [
    ['1', '20'],
    ['2', '10'],
  ])
  await client.write('UPDATE t SET u = 30 - u WHERE true')
  t.strictSame(await rows(), [
    ['1', '10'],
    ['2', '20'],
  ])
  await client.write('UPDATE t SET u = u + 10 WHERE true')
  const gone = { delete: { table: 't', keySet: { keys: [{ values: [value('2')] }] } } }
  await commit({ insert: row('3', '30') }, gone)
  t.strictSame(await rows(), [
    ['1', '20'],
    ['3', '30'],
  ])
})

tap.test('what is twice there at the end is refused', async (t) => {
  const text = /^6 Unique index violation on index t_u at index key \[20\]/
  t.match(await failureText(commit({ update: row('1', '20') }, { insert: row('3', '5') })), text)
  t.match(await failureText(client.write('UPDATE t SET u = 20 WHERE id = 1')), text)
  t.match(await failureText(client.write('INSERT INTO t (id, u) VALUES (3, 20)')), text)
  t.match(
    await failureText(client.write("INSERT INTO t (id, v, w) VALUES (3, 'a', 'b')")),
    /^6 Unique index violation on index t_v at index key \[a,b\]/,
  )
  await client.write('INSERT INTO t (id) VALUES (3), (4)')
  t.equal((await rows()).length, 4, 'NULLs are not the same')
})

tap.test('they are shown as indexes, altered and dropped', async (t) => {
  const shown = async () => (await client.call('getDatabaseDdl', client)).statements.slice(1)
  t.strictSame(await shown(), DDL.slice(1))
  const { rows: indexes } = await client.run(
    "SELECT index_name, is_unique FROM information_schema.indexes WHERE table_name = 't' ORDER BY 1",
  )
  t.strictSame(indexes, [
    ['PRIMARY_KEY', 'YES'],
    ['t_u', 'YES'],
    ['t_v', 'YES'],
  ])
  const constraints = "SELECT conname FROM pg_catalog.pg_constraint WHERE conname ~ '^t_'"
  t.strictSame((await client.run(constraints)).rows, [])
  t.match(
    await failureText(client.ddl('ALTER TABLE t DROP CONSTRAINT t_u')),
    /^5 constraint "t_u" of relation "t" does not exist/,
  )
  await client.ddl('ALTER INDEX t_u ADD INCLUDE COLUMN w')
  t.strictSame(await shown(), [DDL[2], 'CREATE UNIQUE INDEX t_u ON t (u) INCLUDE (w)'])
  await client.write('UPDATE t SET u = 30 - u WHERE true')
  await client.ddl('DROP INDEX t_u', 'DROP INDEX t_v', ...DDL.slice(1))
  t.strictSame(await shown(), DDL.slice(1))
})

tap.test('one that a foreign key refers to is checked row by row', async (t) => {
  const swap = () => client.write('UPDATE t SET u = 30 - u WHERE true')
  await client.ddl(
    'CREATE TABLE f (id bigint PRIMARY KEY, u bigint, CONSTRAINT f_u FOREIGN KEY (u) REFERENCES t (u))',
  )
  t.match(await failureText(client.write('INSERT INTO f (id, u) VALUES (1, 7)')), /^9 /)
  t.match(await failureText(client.write('INSERT INTO t (id, u) VALUES (3, 20)')), /^6 Unique/)
  t.match(await failureText(swap()), /^6 Unique/)
  await client.ddl('ALTER TABLE f DROP CONSTRAINT f_u', 'DROP TABLE f')
  await swap()
  t.strictSame(await rows(), [
    ['1', '20'],
    ['2', '10'],
  ])
})
