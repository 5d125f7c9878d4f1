import pg from 'pg'
import Cursor from 'pg-cursor'
import type { Test } from 'tap'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { type BackendKey, cancelUntilSettled } from './cancel.ts'
import { checkErrors } from './node-postgres-errors.ts'
import { checkTypes } from './node-postgres-types.ts'

/** node-postgres as applications use it: text results, text and binary parameters, unnamed and named statements, a pool, cursors, cancel. */
export async function checkNodePostgres(t: Test, address: ServerAddress): Promise<void> {
  const settings = { host: address.host, port: address.port, user: 'tester', database: 'clients' }
  const client = new pg.Client(settings)
  await client.connect()
  t.teardown(() => client.end())

  await t.test('connect', (t) => checkConnect(t, settings))
  await t.test('create, read, update, delete', (t) => checkCrud(t, client))
  await t.test('every type', (t) => checkTypes(t, client))
  await t.test('prepared statements', (t) => checkPrepared(t, client))
  await t.test('errors carry their fields', (t) => checkErrors(t, client))
  await t.test('transactions', (t) => checkTransactions(t, client, settings))
  await t.test('a cursor reads in pieces', (t) => checkCursor(t, client))
  await t.test('several connections of a pool', (t) => checkPool(t, settings))
  await t.test('cancel', (t) => checkCancel(t, address, settings))
}

async function withClient(
  settings: pg.ClientConfig,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client(settings)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

async function checkConnect(t: Test, settings: pg.ClientConfig): Promise<void> {
  const options = {
    ...settings,
    application_name: 'suite',
    options: '-c DateStyle=German -c work_mem=8MB',
  }
  await withClient(options, async (client) => {
    const { rows } = await client.query(
      `select current_user as u, current_database() as d, current_setting('application_name') as a,
        current_setting('DateStyle') as s, current_setting('work_mem') as m, date '2024-02-29' as today`,
    )
    t.match(rows, [{ u: 'tester', d: 'clients', a: 'suite', s: 'German, DMY', m: '8MB' }])
  })
  const lost = new pg.Client({ ...settings, database: 'nosuch' })
  await t.rejects(lost.connect(), { code: '3D000', message: 'database "nosuch" does not exist' })
}

async function checkCrud(t: Test, client: pg.Client): Promise<void> {
  await client.query(
    'create table np_users (id bigint primary key, name text not null, email varchar(255) unique, n integer)',
  )
  const made = await client.query(
    'insert into np_users (id, name, email, n) values ($1, $2, $3, $4) returning *',
    [1, 'ann', 'a@x', 5],
  )
  t.strictSame(made.rows, [{ id: '1', name: 'ann', email: 'a@x', n: 5 }])
  t.strictSame(
    made.fields.map(({ name, dataTypeID, dataTypeModifier }) => [
      name,
      dataTypeID,
      dataTypeModifier,
    ]),
    [
      ['id', 20, -1],
      ['name', 25, -1],
      ['email', 1043, 259],
      ['n', 23, -1],
    ],
  )
  t.match(await client.query("insert into np_users values (2, 'bob'), (3, 'cid')"), {
    command: 'INSERT',
    rowCount: 2,
  })
  t.equal((await client.query('update np_users set n = n + 1 where id = $1', [1])).rowCount, 1)
  t.strictSame((await client.query('select id, n from np_users order by id')).rows, [
    { id: '1', n: 6 },
    { id: '2', n: null },
    { id: '3', n: null },
  ])
  t.match(await client.query('delete from np_users where id = $1 returning name', [3]), {
    command: 'DELETE',
    rowCount: 1,
    rows: [{ name: 'cid' }],
  })
  t.equal((await client.query('delete from np_users where id = $1', [9])).rowCount, 0)
  const several = (await client.query(
    'select 1 as one; update np_users set n = 0 where id > 100; select 2 as two',
  )) as unknown as readonly pg.QueryResult[]
  t.strictSame(
    several.map(({ command, rowCount, rows }) => [command, rowCount, rows]),
    [
      ['SELECT', 1, [{ one: 1 }]],
      ['UPDATE', 0, []],
      ['SELECT', 1, [{ two: 2 }]],
    ],
  )
}

async function checkPrepared(t: Test, client: pg.Client): Promise<void> {
  const named = { name: 'get', text: 'select name, n from np_users where id = $1' }
  for (const id of [1, 99, 1, 2]) {
    const { rows } = await client.query({ ...named, values: [id] })
    t.strictSame(rows, { 1: [{ name: 'ann', n: 6 }], 2: [{ name: 'bob', n: null }] }[id] ?? [])
  }
  // A table that has changed meanwhile: the columns that the statement was described with stay.
  await client.query('alter table np_users add column more text')
  t.strictSame((await client.query({ ...named, values: [2] })).rows, [{ name: 'bob', n: null }])
  const all = { name: 'all', text: 'select * from np_users order by id' }
  t.equal((await client.query(all)).rowCount, 2)
  await client.query('alter table np_users drop column more')
  await t.rejects(client.query(all), {
    code: '0A000',
    message: 'cached plan must not change result type',
  })
  await client.query('deallocate all')
}

async function checkTransactions(
  t: Test,
  client: pg.Client,
  settings: pg.ClientConfig,
): Promise<void> {
  const rowsOf10 = async (from: pg.Client) =>
    (await from.query('select * from np_users where id = 10')).rowCount
  await withClient(settings, async (other) => {
    await client.query('begin')
    await client.query('insert into np_users (id, name) values (10, $1)', ['tx'])
    t.equal(await rowsOf10(client), 1)
    t.equal(await rowsOf10(other), 0, 'not seen before COMMIT')
    await client.query('rollback')
    t.equal(await rowsOf10(client), 0)
    await client.query('begin')
    await client.query('insert into np_users (id, name) values (10, $1)', ['tx'])
    t.equal((await client.query('commit')).command, 'COMMIT')
    t.equal(await rowsOf10(other), 1)
  })
  await client.query('begin')
  await t.rejects(client.query('insert into np_users (id, name) values (1, $1)', ['dup']), {
    code: '23505',
  })
  await t.rejects(client.query('select 1'), {
    code: '25P02',
    message: 'current transaction is aborted, commands ignored until end of transaction block',
  })
  t.equal((await client.query('commit')).command, 'ROLLBACK')
  await client.query('begin')
  await client.query('delete from np_users where id = 10')
  await client.query('savepoint a')
  await t.rejects(client.query('insert into np_users (id) values (11)'), { code: '23502' })
  await client.query('rollback to savepoint a')
  await client.query('commit')
  t.equal(await rowsOf10(client), 0, 'what came before the savepoint was kept')
  await client.query('begin transaction isolation level serializable read only')
  await t.rejects(client.query('delete from np_users'), {
    code: '25006',
    message: 'cannot execute DELETE in a read-only transaction',
  })
  await client.query('rollback')
}

async function checkCursor(t: Test, client: pg.Client): Promise<void> {
  await client.query('create table np_many (id bigint primary key)')
  await client.query(
    `insert into np_many values ${Array.from({ length: 25 }, (_, id) => `(${id})`).join(', ')}`,
  )
  const text = 'select id from np_many where id >= $1 order by id'
  const cursor = client.query(new Cursor<{ id: string }>(text, [1]))
  const sizes: number[] = []
  for (let rows = await cursor.read(10); rows.length > 0; rows = await cursor.read(10))
    sizes.push(rows.length)
  await cursor.close()
  t.strictSame(sizes, [10, 10, 4])
  const early = client.query(new Cursor<{ id: string }>(text, [0]))
  t.strictSame(await early.read(2), [{ id: '0' }, { id: '1' }])
  await early.close()
  t.strictSame((await client.query('select 1 as one')).rows, [{ one: 1 }], 'closed half read')
}

async function checkPool(t: Test, settings: pg.ClientConfig): Promise<void> {
  const pool = new pg.Pool({ ...settings, max: 5 })
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      pool.query('select $1::int as n, count(*)::int as c from np_many', [n]),
    ),
  )
  t.strictSame(
    answers.map(({ rows }) => rows[0]),
    Array.from({ length: 20 }, (_, n) => ({ n, c: 25 })),
  )
  await pool.end()
}

async function checkCancel(
  t: Test,
  address: ServerAddress,
  settings: pg.ClientConfig,
): Promise<void> {
  await withClient(settings, async (client) => {
    await client.query("set statement_timeout = '500ms'")
    await t.rejects(client.query('select pg_sleep(60)'), {
      code: '57014',
      message: 'canceling statement due to statement timeout',
    })
    await client.query('reset statement_timeout')
    const slow = t.rejects(client.query('select pg_sleep(60)'), {
      code: '57014',
      message: 'canceling statement due to user request',
    })
    await cancelUntilSettled(address, client as unknown as BackendKey, slow)
    await slow
    t.strictSame((await client.query('select 1 as one')).rows, [{ one: 1 }])
  })
}
