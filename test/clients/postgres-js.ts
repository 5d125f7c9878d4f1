import postgres from 'postgres'
import type { Test } from 'tap'
import type { ServerAddress } from '../helpers/wire-client.ts'

/** postgres.js: named statements described before Bind, pipelining, transactions, cursors. */
export async function checkPostgresJs(t: Test, address: ServerAddress): Promise<void> {
  const sql = postgres({
    host: address.host,
    port: address.port,
    user: 'tester',
    database: 'clients',
    max: 3,
    onnotice: () => undefined,
  })
  t.teardown(() => sql.end())

  await sql`create table pj (id bigint primary key, name text, tags text[], data jsonb, at timestamptz, n integer)`
  const at = new Date('2024-02-29T12:34:56.789Z')
  const [made] =
    await sql`insert into pj ${sql({ id: 1, name: 'ann', tags: ['a', 'b c'], data: { k: [1, null] }, at, n: 7 })} returning *`
  t.strictSame(
    { ...made },
    { id: '1', name: 'ann', tags: ['a', 'b c'], data: { k: [1, null] }, at, n: 7 },
  )
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

  await t.rejects(sql`insert into pj (id) values (1)`, {
    code: '23505',
    constraint_name: 'pj_pkey',
    table_name: 'pj',
  })
  await t.rejects(
    sql.begin(async (tx) => {
      await tx`insert into pj (id) values (50)`
      throw new Error('changed my mind')
    }),
    { message: 'changed my mind' },
  )
  const total = await sql.begin(async (tx) => {
    await tx`insert into pj (id) values (60)`
    return tx`select count(*)::int as c from pj`
  })
  t.strictSame([...total], [{ c: 4 }])

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
  t.strictSame(seen, ['1,2', '3,60'])

  const slow = sql`select pg_sleep(10)`.execute()
  setTimeout(() => slow.cancel(), 100)
  await t.rejects(slow, { code: '57014', message: 'canceling statement due to user request' })
}
