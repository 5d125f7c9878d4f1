import tap, { type Test } from 'tap'
import {
  connectTo,
  type EmbeddedClient,
  failureText,
  READ_WRITE,
  type RunOptions,
  startTestServer,
} from './embedded-client.ts'

const server = await startTestServer()
const client = await connectTo(server, 'limits')
tap.teardown(async () => {
  client.close()
  await server.remove()
})
await client.ddl(
  'CREATE TABLE t (id bigint PRIMARY KEY, a bigint, b varchar, doubled bigint GENERATED ALWAYS AS (a * 2) STORED)',
  'CREATE INDEX t_a ON t (a) INCLUDE (b)',
  'CREATE TABLE filled (id bigint PRIMARY KEY, x bigint DEFAULT (7), y bigint)',
  'CREATE TABLE parent (id bigint PRIMARY KEY)',
  'CREATE TABLE inside (id bigint, n bigint, v varchar, PRIMARY KEY (id, n)) INTERLEAVE IN PARENT parent ON DELETE CASCADE',
  'CREATE INDEX inside_v ON inside (v)',
  'CREATE TABLE silent (id bigint, n bigint, PRIMARY KEY (id, n)) INTERLEAVE IN PARENT parent ON DELETE CASCADE',
  'CREATE TABLE referring (id bigint PRIMARY KEY, parent bigint REFERENCES parent (id) ON DELETE CASCADE)',
  'CREATE TABLE big (id bigint PRIMARY KEY, v varchar)',
)

const TOO_MANY =
  /^3 The transaction contains too many mutations\. Insert and update .*\(Maximum number: 80000\)$/
const TOO_LARGE =
  /^3 The transaction exceeds the maximum total bytes-size .*\(Maximum size: 104857600\)$/

/** The rows whose ids are $1 to $2, as text that unnest takes. */
function ids(first: number, last: number): RunOptions {
  const list = Array.from({ length: last - first + 1 }, (_, index) => String(first + index))
  return { params: [list], types: [{ code: 'ARRAY', arrayElementType: { code: 'INT64' } }] }
}

const count = async (table: string): Promise<unknown> =>
  (await client.run(`SELECT count(*) FROM ${table}`)).rows[0]?.[0]

/** The statement may change so many rows, and not one more. */
async function holds(
  t: Test,
  sql: string,
  rows: number,
  clean: () => Promise<unknown>,
): Promise<void> {
  t.match(await failureText(client.write(sql, ids(1, rows + 1))), TOO_MANY, `${rows + 1}: ${sql}`)
  t.equal((await client.write(sql, ids(1, rows))).count, String(rows), `${rows}: ${sql}`)
  await clean()
}

const partitioned = async (sql: string): Promise<unknown> => {
  const begun = await client.call('beginTransaction', {
    session: client.session,
    options: { partitionedDml: {} },
  })
  return (await client.run(sql, { in: begun.id, seqno: 1 })).count
}

tap.test('INSERT counts columns, those that are filled, and indexes', async (t) => {
  const empty = (table: string) => () => partitioned(`DELETE FROM ${table} WHERE true`)
  // id, a, doubled, t_a.
  await holds(t, 'INSERT INTO t (id, a) SELECT n, n FROM unnest($1) n', 20_000, empty('t'))
  // id, doubled, t_a.
  await holds(t, 'INSERT INTO t (id) SELECT n FROM unnest($1) n', 26_666, empty('t'))
  await holds(
    t,
    'INSERT INTO filled (id, y) SELECT n, n FROM unnest($1) n',
    26_666,
    empty('filled'),
  )
  await holds(t, 'INSERT INTO big (id) SELECT n FROM unnest($1) n', 80_000, empty('big'))
})

tap.test('UPDATE counts the key, and indexes twice where they have a column', async (t) => {
  for (const first of [1, 20_001, 40_001]) {
    await client.write('INSERT INTO t (id) SELECT n FROM unnest($1) n', ids(first, first + 19_999))
  }
  const keep = async () => undefined
  // id, a, doubled, t_a twice.
  await holds(t, 'UPDATE t SET a = 1 WHERE id = ANY ($1)', 16_000, keep)
  // id, b, t_a twice: it includes b.
  await holds(t, "UPDATE t SET b = 'x' WHERE id = ANY ($1)", 20_000, keep)
  await holds(t, 'DELETE FROM t WHERE id = ANY ($1)', 40_000, keep)
})

tap.test('a DELETE counts what goes along', async (t) => {
  const insert = (table: string, columns: string, values: string, rows: number) =>
    client.write(
      `INSERT INTO ${table} (${columns}) SELECT ${values} FROM unnest($1) n`,
      ids(1, rows),
    )
  await client.write('INSERT INTO parent (id) VALUES (1), (2), (3)')
  await insert('silent', 'id, n', '1, n', 40_000)
  await insert('silent', 'id, n', '1, n + 40000', 40_000)
  t.equal(
    (await client.write('DELETE FROM parent WHERE id = 1')).count,
    '1',
    'interleaved rows are free',
  )
  for (const at of [0, 20_000, 40_000, 60_000])
    await insert('inside', 'id, n', `2, n + ${at}`, 20_000)
  t.match(await failureText(client.write('DELETE FROM parent WHERE id = 2')), TOO_MANY)
  t.equal(await count('inside'), '80000', 'their index entries are not, and nothing is gone')
  await client.write('DELETE FROM inside WHERE n = 80000')
  t.equal((await client.write('DELETE FROM parent WHERE id = 2')).count, '1')
  // One for the row, one for the index that backs the foreign key.
  await insert('referring', 'id, parent', 'n, 3', 20_000)
  await insert('referring', 'id, parent', 'n + 20000, 3', 20_000)
  t.match(await failureText(client.write('DELETE FROM parent WHERE id = 3')), TOO_MANY)
  await client.write('DELETE FROM referring WHERE id = 40000')
  t.equal((await client.write('DELETE FROM parent WHERE id = 3')).count, '1')
})

const inTransaction = async (
  on: EmbeddedClient,
  work: (run: (sql: string, options?: RunOptions) => Promise<unknown>) => Promise<void>,
): Promise<unknown> => {
  const session = await on.newSession()
  const { id } = await on.call('beginTransaction', { session, options: { readWrite: {} } })
  let seqno = 0
  await work((sql, options = {}) => on.run(sql, { ...options, session, in: id, seqno: ++seqno }))
  return on.call('commit', { session, transactionId: id })
}

tap.test(
  'the limit is a statement of its own, and one past it leaves the transaction as it was',
  async (t) => {
    await partitioned('DELETE FROM big WHERE true')
    await inTransaction(client, async (run) => {
      const insert = "INSERT INTO big (id, v) SELECT n, 'x'::varchar FROM unnest($1) n"
      await run(insert, ids(1, 30_000))
      t.match(await failureText(run(insert, ids(30_001, 70_001))), TOO_MANY)
      await run(insert, ids(30_001, 70_000))
    })
    t.equal(await count('big'), '70000', 'two statements may change 140,000 together')
    const first = await client.newSession()
    const refused = client.run("UPDATE big SET v = 'y' WHERE true", {
      session: first,
      in: READ_WRITE,
      seqno: 1,
    })
    t.match(await failureText(refused), TOO_MANY, 'as the first statement, which begins')
    t.strictSame((await client.run("SELECT count(*) FROM big WHERE v = 'y'")).rows, [['0']])
  },
)

tap.test('partitioned DML has no limit', async (t) => {
  t.equal(await partitioned("UPDATE big SET v = 'z' WHERE true"), '70000')
  t.equal(await partitioned('DELETE FROM big WHERE true'), '70000')
})

tap.test('rows of RETURNING come to nothing where the statement is refused', async (t) => {
  await t.rejects(
    client.write('INSERT INTO big (id) SELECT n FROM unnest($1) n RETURNING id', ids(1, 80_001)),
    { code: 3, details: /too many mutations/ },
  )
  t.equal(await count('big'), '0')
})

const MEGABYTE = 1024 * 1024
const large = (id: number): RunOptions => ({
  params: [String(id), 'x'.repeat(9 * MEGABYTE)],
  types: ['INT64', 'STRING'],
})

tap.test('a commit takes 100 MiB', async (t) => {
  const insert = 'INSERT INTO big (id, v) VALUES ($1, $2)'
  await inTransaction(client, async (run) => {
    for (let id = 1; id <= 11; id++) await run(insert, large(id))
    t.match(await failureText(run(insert, large(11))), /already exists/, 'it counts nothing')
    await run('SELECT id FROM big WHERE v = $2 OR id = $1', large(1))
  })
  t.equal(await count('big'), '11')
  const refused = inTransaction(client, async (run) => {
    for (let id = 21; id <= 32; id++) await run(insert, large(id))
  })
  t.match(await failureText(refused), TOO_LARGE)
  t.equal(await count('big'), '11')
})

tap.test('the emulator has no such limits', async (t) => {
  const lax = await startTestServer(server.workspace, {
    dataDir: `${server.workspace.root}/lax`,
    socketDir: `${server.workspace.root}/lax-grpc`,
    profile: 'emulator-1.5.28',
  })
  t.teardown(() => lax.stop())
  const on = await connectTo(lax, 'limits')
  t.teardown(() => on.close())
  await on.ddl('CREATE TABLE big (id bigint PRIMARY KEY, v varchar)')
  t.equal(
    (await on.write('INSERT INTO big (id) SELECT n FROM unnest($1) n', ids(1, 80_001))).count,
    '80001',
  )
})
