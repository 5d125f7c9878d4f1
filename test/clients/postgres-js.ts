import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import type { Test } from 'tap'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { TYPED_VALUES, typedTable } from './values.ts'

/** postgres.js: named statements described before Bind, pipelining, transactions, cursors, cancel. */
export async function checkPostgresJs(t: Test, address: ServerAddress): Promise<void> {
  const notices: string[] = []
  const sql = postgres({
    host: address.host,
    port: address.port,
    user: 'tester',
    database: 'clients',
    max: 3,
    connection: { application_name: 'suite' },
    onnotice: (notice) => notices.push(String(notice['message'])),
  })
  t.teardown(() => sql.end())

  await t.test('create, read, update, delete', (t) => checkCrud(t, sql))
  await t.test('every type', (t) => checkTypes(t, sql))
  await t.test('errors carry their fields', (t) => checkErrors(t, sql))
  await t.test('transactions', (t) => checkTransactions(t, sql))
  await t.test('many at once, cursors', (t) => checkStreams(t, sql))
  await t.test('cancel', async (t) => {
    const slow = sql`select pg_sleep(60)`.execute()
    const canceled = t.rejects(slow, {
      code: '57014',
      message: 'canceling statement due to user request',
    })
    // It sends one CancelRequest for a query, and one that comes before the server has begun the statement is lost.
    await untilActive(sql, 'select pg_sleep(60)')
    slow.cancel()
    await canceled
    t.strictSame([...(await sql`select 1 as one`)], [{ one: 1 }])
  })
  await t.test('notices', async (t) => {
    await sql`create table if not exists pj (id bigint)`
    t.strictSame(notices, ['relation "pj" already exists, skipping'])
  })
}

async function untilActive(sql: postgres.Sql, query: string): Promise<void> {
  const active = () => sql`select from pg_stat_activity where state = 'active' and query = ${query}`
  while ((await active()).length === 0) await sleep(10)
}

async function checkCrud(t: Test, sql: postgres.Sql): Promise<void> {
  await sql`create table pj (id bigint primary key, name text, tags text[], data jsonb, at timestamptz, n integer,
    ok boolean, raw bytea, f double precision)`
  const row = {
    id: '1',
    name: 'ann',
    tags: ['a', 'b c'],
    data: { k: [1, null] },
    at: new Date('2024-02-29T12:34:56.789Z'),
    n: 7,
    ok: false,
    raw: Buffer.from([0, 255, 92]),
    f: -0.5,
  }
  const [made] = await sql`insert into pj ${sql(row)} returning *`
  t.strictSame({ ...made }, row)
  await sql`insert into pj ${sql([
    { id: 2, name: null },
    { id: 3, name: 'cid' },
  ])}`
  t.strictSame(
    [...(await sql`select id, name from pj where id in ${sql([2, 3])} order by id`)],
    [
      { id: '2', name: null },
      { id: '3', name: 'cid' },
    ],
  )
  t.equal((await sql`update pj set name = ${'bob'} where id = ${2}`).count, 1)
  t.equal((await sql`update pj set ${sql({ n: 1, ok: true })} where id > 1`).count, 2)
  t.equal((await sql`delete from pj where id = any(${[3, 4]}::bigint[])`).count, 1)
  t.strictSame(
    [...(await sql`select id, n, ok from pj order by id`)],
    [
      { id: '1', n: 7, ok: false },
      { id: '2', n: 1, ok: true },
    ],
  )
  t.strictSame(
    (await sql.unsafe('select 1 as a; select id from pj order by id')).map((rows) => [...rows]),
    [[{ a: 1 }], [{ id: '1' }, { id: '2' }]],
    'two statements in one string',
  )
}

async function checkTypes(t: Test, sql: postgres.Sql): Promise<void> {
  for (const { type, values } of TYPED_VALUES) {
    const table = sql(typedTable(type))
    await Promise.all(
      values.map(
        (value, id) =>
          sql`insert into ${table} values (${id + 1000}, ${value}::text::${sql.unsafe(type)})`,
      ),
    )
    const rows =
      await sql`select v from ${table} where id between ${1000} and ${1999} order by id`.raw()
    t.strictSame(
      rows.map(([cell]) => cell?.toString() ?? null),
      values,
      type,
    )
  }
}

async function checkErrors(t: Test, sql: postgres.Sql): Promise<void> {
  await t.rejects(sql`insert into pj (id) values (${1})`, {
    severity: 'ERROR',
    code: '23505',
    detail: 'Key (id)=(1) already exists.',
    schema_name: 'public',
    constraint_name: 'pj_pkey',
    table_name: 'pj',
  })
  await t.rejects(sql`select id, nope from pj`, { code: '42703', position: '12' })
  await t.rejects(sql`select ${'x'}::int`, {
    code: '22P02',
    message: 'invalid input syntax for type integer: "x"',
  })
  await t.rejects(sql`insert into pj (id, n) values (5, ${'many'})`, { code: '22P02' })
  t.strictSame([...(await sql`select count(*)::int as c from pj`)], [{ c: 2 }])
}

async function checkTransactions(t: Test, sql: postgres.Sql): Promise<void> {
  await t.rejects(
    sql.begin(async (tx) => {
      await tx`insert into pj (id) values (50)`
      throw new Error('changed my mind')
    }),
    { message: 'changed my mind' },
  )
  const total = await sql.begin('isolation level serializable', async (tx) => {
    await tx`insert into pj (id) values (60)`
    await t.rejects(
      tx.savepoint(async (inner) => {
        await inner`insert into pj (id) values (61)`
        await inner`insert into pj (id) values (60)`
      }),
      { code: '23505' },
    )
    return tx`select count(*)::int as c from pj`
  })
  t.strictSame([...total], [{ c: 3 }], 'what the savepoint undid is gone')
  const [, counted] = await sql.begin((tx) => [
    tx`insert into pj (id) values (70)`,
    tx`select count(*)::int as c from pj`,
  ])
  t.strictSame([...counted], [{ c: 4 }], 'statements sent together')
}

async function checkStreams(t: Test, sql: postgres.Sql): Promise<void> {
  const many = await Promise.all(
    Array.from({ length: 30 }, (_, n) => sql`select ${n}::int as n, id from pj where id = 1`),
  )
  t.strictSame(
    many.map(([row]) => row?.['n']),
    Array.from({ length: 30 }, (_, n) => n),
  )
  const seen: string[] = []
  await sql`select id from pj order by id`.cursor(2, (rows) => {
    seen.push(rows.map((row) => row['id']).join())
  })
  t.strictSame(seen, ['1,2', '60,70'])
  const first: string[] = []
  for await (const [row] of sql`select id from pj order by id`.cursor(1)) {
    first.push(String(row?.['id']))
    if (first.length === 2) break
  }
  t.strictSame(first, ['1', '2'], 'a cursor that is left')
  const each: string[] = []
  await sql`select id from pj order by id`.forEach((row) => {
    each.push(String(row['id']))
  })
  t.strictSame(each, ['1', '2', '60', '70'])
}
