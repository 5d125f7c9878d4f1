import pg from 'pg'
import Cursor from 'pg-cursor'
import type { Test } from 'tap'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { type CheckRows, DATABASE, USER } from './rpc-budget.ts'

/** What an application pays that uses node-postgres. */
export async function nodePostgresBudget(
  t: Test,
  address: ServerAddress,
  check: CheckRows,
): Promise<void> {
  const settings = { host: address.host, port: address.port, user: USER, database: DATABASE }
  const client = new pg.Client(settings)
  await client.connect()
  t.teardown(() => client.end())
  const inTransaction = async (begin: string, texts: readonly string[]) => {
    await client.query(begin)
    for (const text of texts) await client.query(text, [1])
    await client.query('COMMIT')
  }
  const read = 'select n, v from item where id = $1'
  const write = 'update item set n = n + 1 where id = $1'
  const named = () => client.query({ name: 'get', text: read, values: [1] })
  await check(t, [
    { what: 'a query without parameters', run: () => client.query('select 1'), calls: [] },
    { what: 'a query of text', run: () => client.query('select * from item'), calls: ['read'] },
    { what: 'a query with parameters', run: () => client.query(read, [1]), calls: ['read'] },
    { what: 'a named query', run: named, calls: ['read'] },
    { what: 'the same again', run: named, calls: ['read'] },
    {
      what: 'a write with parameters',
      run: () => client.query('insert into item values ($1, $2, $3) returning *', [100, 1, 'x']),
      calls: ['begin', 'Commit'],
    },
    {
      what: 'a transaction',
      run: () => inTransaction('BEGIN', [read, write, write]),
      calls: ['begin', 'execute', 'execute', 'Commit'],
    },
    {
      what: 'a transaction that only reads',
      run: () => inTransaction('BEGIN READ ONLY', [read, read]),
      calls: ['begin read only', 'execute'],
    },
    {
      what: 'two connections of a new pool, one after the other',
      run: async () => {
        const pool = new pg.Pool(settings)
        await pool.query(read, [1])
        await pool.query(read, [2])
        await pool.end()
      },
      calls: ['read', 'read'],
    },
    {
      what: 'a cursor, whose reads are Executes with a Flush between them',
      run: async () => {
        const cursor = client.query(new Cursor('select id from item order by id'))
        while ((await cursor.read(2)).length > 0);
        await cursor.close()
      },
      calls: ['begin', 'Commit'],
    },
  ])
}
