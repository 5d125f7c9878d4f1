import pg from 'pg'
import Cursor from 'pg-cursor'
import type { Test } from 'tap'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { TYPED_VALUES } from './values.ts'

/** node-postgres as applications use it: text results, unnamed and named statements, a pool, cursors, cancel. */
export async function checkNodePostgres(t: Test, address: ServerAddress): Promise<void> {
  const settings = { host: address.host, port: address.port, user: 'tester', database: 'clients' }
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(settings)
    await client.connect()
    return client
  }
  const client = await connect()
  t.teardown(() => client.end())

  await t.test('create, read, update, delete', async (t) => {
    await client.query(
      'create table np_users (id bigint primary key, name text not null, email varchar(255) unique, n integer)',
    )
    const made = await client.query(
      'insert into np_users (id, name, email, n) values ($1, $2, $3, $4) returning *',
      [1, 'ann', 'a@x', 5],
    )
    t.strictSame(made.rows, [{ id: '1', name: 'ann', email: 'a@x', n: 5 }])
    const named = { name: 'get', text: 'select name, n from np_users where id = $1' }
    for (const id of [1, 2, 1]) {
      const got = await client.query({ ...named, values: [id] })
      t.strictSame(got.rows, id === 1 ? [{ name: 'ann', n: 5 }] : [])
    }
    const changed = await client.query('update np_users set n = n + 1 where id = $1', [1])
    t.equal(changed.rowCount, 1)
    t.strictSame((await client.query('select n from np_users')).rows, [{ n: 6 }])
    t.equal((await client.query('delete from np_users where id = $1', [9])).rowCount, 0)
  })

  await t.test('every type, text and binary results', async (t) => {
    for (const { type, values } of TYPED_VALUES) {
      for (const value of values) {
        const text = `select v::text as v from (select cast($1 as ${type}) as v) s`
        const { rows } = await client.query(text, [value])
        t.equal(rows[0]?.v, value, `${type} ${value} from a constant`)
      }
    }
  })

  await t.test('every type through a table', async (t) => {
    for (const [index, { type, values }] of TYPED_VALUES.entries()) {
      const table = `np_type_${index}`
      await client.query(`create table ${table} (id bigint primary key, v ${type})`)
      const raw = { getTypeParser: () => (text: unknown) => text }
      for (const [id, value] of values.entries()) {
        const { rows } = await client.query({
          text: `insert into ${table} values ($1, $2) returning v`,
          values: [id, value],
          types: raw as unknown as pg.CustomTypesConfig,
        })
        t.equal(rows[0]?.v, value, `${type} ${value} back from INSERT`)
      }
      const { rows } = await client.query({
        text: `select v from ${table} order by id`,
        types: raw as unknown as pg.CustomTypesConfig,
      })
      t.strictSame(
        rows.map((row) => row.v),
        values,
        `${type} read again`,
      )
    }
  })

  await t.test('errors carry their fields', async (t) => {
    await client.query(
      'create table np_err (id bigint primary key, n bigint not null, v varchar(5), constraint np_pos check (n > 0))',
    )
    await client.query('insert into np_err values (1, 1, null)')
    const failing = async (text: string, values: readonly unknown[] = []) => {
      try {
        await client.query(text, [...values])
        return undefined
      } catch (error) {
        return error as pg.DatabaseError
      }
    }
    t.match(await failing('insert into np_err values ($1, 1)', [1]), {
      code: '23505',
      constraint: 'np_err_pkey',
      table: 'np_err',
      detail: 'Key (id)=(1) already exists.',
    })
    t.match(await failing('insert into np_err (id) values (2)'), {
      code: '23502',
      column: 'n',
      table: 'np_err',
    })
    t.match(await failing('insert into np_err values (2, -1)'), {
      code: '23514',
      constraint: 'np_pos',
    })
    t.match(await failing('insert into np_err values (2, 1, $1)', ['too long']), { code: '22001' })
    t.match(await failing('select * from np_nosuch'), { code: '42P01', position: '15' })
    t.match(await failing('select $1::int', ['x']), { code: '22P02' })
    t.strictSame(
      (await client.query('select count(*)::int as c from np_err')).rows,
      [{ c: 1 }],
      'and the connection goes on',
    )
  })

  await t.test('transactions', async (t) => {
    const other = await connect()
    await client.query('begin')
    await client.query('insert into np_users (id, name) values (10, $1)', ['tx'])
    t.equal((await client.query('select * from np_users where id = 10')).rowCount, 1)
    t.equal(
      (await other.query('select * from np_users where id = 10')).rowCount,
      0,
      'not seen before COMMIT',
    )
    await client.query('rollback')
    t.equal((await client.query('select * from np_users where id = 10')).rowCount, 0)
    await client.query('begin')
    await t.rejects(client.query('insert into np_users (id, name) values (1, $1)', ['dup']), {
      code: '23505',
    })
    await t.rejects(client.query('select 1'), { code: '25P02' })
    t.equal((await client.query('commit')).command, 'ROLLBACK')
    await other.end()
  })

  await t.test('a cursor reads in pieces', async (t) => {
    await client.query('create table np_many (id bigint primary key)')
    await client.query(
      `insert into np_many values ${Array.from({ length: 25 }, (_, id) => `(${id})`).join(', ')}`,
    )
    const cursor = client.query(new Cursor<{ id: string }>('select id from np_many order by id'))
    const sizes: number[] = []
    for (let rows = await cursor.read(10); rows.length > 0; rows = await cursor.read(10))
      sizes.push(rows.length)
    await cursor.close()
    t.strictSame(sizes, [10, 10, 5])
  })

  await t.test('several connections of a pool', async (t) => {
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
  })

  await t.test('cancel by statement_timeout', async (t) => {
    const other = await connect()
    await other.query("set statement_timeout = '100ms'")
    await t.rejects(other.query('select pg_sleep(10)'), {
      code: '57014',
      message: 'canceling statement due to statement timeout',
    })
    t.strictSame((await other.query('select 1 as one')).rows, [{ one: 1 }])
    await other.end()
  })

  await t.test('an unknown database is 3D000', async (t) => {
    const lost = new pg.Client({ ...settings, database: 'nosuch' })
    await t.rejects(lost.connect(), { code: '3D000', message: 'database "nosuch" does not exist' })
  })
}
