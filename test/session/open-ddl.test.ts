import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const spanwire = await startSpanwire()
t.teardown(async () => {
  await spanwire.stop()
})

async function connect(): Promise<WireClient> {
  const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
  return client
}

async function told(client: WireClient, sql: string): Promise<readonly unknown[]> {
  return (await client.query(sql)).flatMap((message) => {
    if (message.name === 'commandComplete') return [message['text']]
    return message.name === 'error' ? [message['code']] : []
  })
}

t.test('open DDL on a view does not hold up the DDL of others', async (t) => {
  const holder = await connect()
  const other = await connect()
  await told(holder, 'create table book (id bigint primary key, title text)')
  await told(holder, 'create view titles as select title from book')
  await told(holder, 'begin')
  t.strictSame(
    await told(holder, 'create or replace view titles as select title from book where id > 1'),
    ['CREATE VIEW'],
  )
  // The definition of the view cannot be read while it is locked, and nobody needs to.
  t.strictSame(await told(other, 'create table shelf (id bigint primary key)'), ['CREATE TABLE'])
  t.strictSame(await told(holder, 'commit'), ['COMMIT'])
  for (const client of [holder, other]) await client.end()
})

t.test(
  'open DDL on a table that another one refers to makes way for a change of that',
  async (t) => {
    const holder = await connect()
    const other = await connect()
    await told(holder, 'create table author (id bigint primary key)')
    await told(holder, 'create table poem (id bigint primary key, by bigint references author)')
    await told(holder, 'begin')
    t.strictSame(await told(holder, 'alter table poem add column title text'), ['ALTER TABLE'])
    // The mirror makes the table anew, and the foreign key with it.
    t.strictSame(await told(other, 'alter table author add column name text'), ['ALTER TABLE'])
    t.strictSame(await told(holder, 'commit'), ['57P01'])
    const again = await connect()
    t.strictSame(await told(again, 'alter table poem add column title text'), ['ALTER TABLE'])
    for (const client of [holder, other, again]) await client.end()
  },
)
