import tap from 'tap'
import type { PinnedConnection } from '../../server/companion/companion-types.ts'
import { session, signal, startTestCompanion, statement, textRows } from './test-companion.ts'

const { companion, end } = await startTestCompanion()
tap.teardown(end)
await companion.createDatabase('shop')
const shop = companion.database('shop')
await shop.serviceTransaction([
  'create table item (id bigint primary key, name text not null)',
  'alter table item owner to spanwire_owner',
  `create function item_count() returns bigint language sql stable as 'select count(*) from public.item'`,
])

const pin = (context = session()) => shop.pin(context, signal)
const run = (pinned: PinnedConnection, text: string, context = session()) =>
  pinned.execute(statement(text, context))
const rowsOf = async (pinned: PinnedConnection, text: string, context = session()) =>
  textRows(await pinned.read(statement(text, context)))

tap.test('DDL is seen by its own client alone and goes with the release', async (t) => {
  const pinned = await pin()
  t.equal(
    (await run(pinned, 'create table note (id serial primary key, text text)')).tag,
    'CREATE TABLE',
  )
  const analysis = await pinned.analyse(statement('select text from note where id = $1'))
  t.match(analysis, { paramTypes: [23], fields: [{ name: 'text', typeOid: 25 }], notices: [] })
  t.match(analysis.tree, /:aliasname\s+note/)
  t.strictSame(await rowsOf(pinned, `select tableowner from pg_tables where tablename = 'note'`), [
    { tableowner: 'alice' },
  ])
  t.match(
    await pinned.query('select current_user as me, to_regclass($1)::text as note', ['public.note']),
    [{ me: 'alice', note: 'public.note' }],
  )
  await t.rejects(shop.analyse(statement('select text from note')), {
    code: '42P01',
    message: /note/,
  })
  await pinned.release()
  await pinned.release()
  t.strictSame(await shop.service(`select to_regclass('note') as note`), [{ note: null }])
  t.notOk(pinned.lost.aborted)
})

tap.test('analysis and reads leave the transaction as it was', async (t) => {
  const pinned = await pin()
  t.teardown(() => pinned.release())
  await run(pinned, 'create table note (id int)')
  await t.rejects(pinned.analyse(statement('select nope from note')), {
    code: '42703',
    fields: { position: 8 },
    message: /nope/,
  })
  await t.rejects(pinned.read(statement('select 1/0')), { code: '22012', message: /zero/ })
  await t.rejects(
    pinned.read(statement('with x as (insert into note values (1) returning id) select * from x')),
    { code: '25006', message: /read-only/ },
  )
  await t.rejects(pinned.read(statement('drop table note')), { name: 'Bug', message: /DROP/ })
  for (const text of ['commit', 'rollback', 'abort', 'begin', `prepare transaction 'x'`]) {
    await t.rejects(run(pinned, text), { name: 'Bug', message: /pinned/ })
  }
  await run(pinned, 'alter table note add column text text')
  t.match(await pinned.analyse(statement('select text from note')), { fields: [{ name: 'text' }] })
  t.strictSame(await rowsOf(pinned, `select current_setting('transaction_read_only') as ro`), [
    { ro: 'on' },
  ])
  await run(pinned, 'create table more (id int)')
})

tap.test('savepoints, failed statements, settings', async (t) => {
  const pinned = await pin()
  t.teardown(() => pinned.release())
  const tokyo = session({ TimeZone: 'Asia/Tokyo', 'my.own': 'x' })
  await run(pinned, 'create table a (id int)', tokyo)
  await run(pinned, 'savepoint one', tokyo)
  await run(pinned, 'create table b (id int)', tokyo)
  await t.rejects(run(pinned, 'create table a (id int)', tokyo), {
    code: '42P07',
    message: /exists/,
  })
  await t.rejects(run(pinned, 'create table c (id int)', tokyo), {
    code: '25P02',
    message: /aborted/,
  })
  await t.rejects(pinned.analyse(statement('select 1', tokyo)), {
    code: '25P02',
    message: /aborted/,
  })
  t.equal((await run(pinned, '/* back */ rollback to savepoint one', tokyo)).tag, 'ROLLBACK')
  t.strictSame(
    await rowsOf(pinned, `select tablename from pg_tables where tablename in ('a', 'b')`),
    [{ tablename: 'a' }],
  )
  const settings = `select current_setting('TimeZone') as zone, coalesce(current_setting('my.own', true), '') as own`
  t.strictSame(await rowsOf(pinned, settings, tokyo), [{ zone: 'Asia/Tokyo', own: 'x' }])
  t.strictSame(await rowsOf(pinned, settings), [{ zone: 'UTC', own: '' }], 'RESET takes effect')
  t.strictSame(await rowsOf(pinned, settings, tokyo), [{ zone: 'Asia/Tokyo', own: 'x' }])
  await pinned.release()
  const next = await pin()
  t.strictSame(await rowsOf(next, settings), [{ zone: 'UTC', own: '' }])
  await next.release()
})

tap.test('temporary tables, notices, parameters', async (t) => {
  const pinned = await pin()
  await run(pinned, 'create temp table scratch (id int)')
  const analysis = await pinned.analyse(statement('select * from scratch'))
  t.equal(analysis.fields?.length, 1)
  await run(pinned, 'insert into scratch values (1), (2)')
  const answer = await pinned.read(statement('select count(*) from scratch'))
  t.match(textRows(answer), [{ count: '2' }])
  t.equal(answer.touchedUserTables, false, 'their rows are real')
  const dropped = await run(pinned, 'drop table if exists nothing')
  t.match(dropped.notices, [{ severity: 'NOTICE', message: /"nothing" does not exist, skipping/ }])
  const request = statement('select $1::int + count(*) as n from scratch')
  t.match(textRows(await pinned.read({ ...request, params: [Buffer.from('40')] })), [{ n: '42' }])
  await pinned.release()
  const next = await pin()
  await t.rejects(next.analyse(statement('select * from scratch')), {
    code: '42P01',
    message: /scratch/,
  })
  await next.release()
})

tap.test('the guard counts each statement by itself', async (t) => {
  const pinned = await pin()
  t.teardown(() => pinned.release())
  const touched = async (text: string) => (await pinned.read(statement(text))).touchedUserTables
  t.equal(await touched('select count(*) from pg_class'), false)
  await run(pinned, 'create table note (id int)')
  await run(pinned, 'create index on note (id)')
  await run(pinned, 'alter table note alter id type bigint')
  t.equal(await touched(`select 'note'::regclass, pg_table_size('note')`), false, 'DDL scans')
  t.equal(await touched('select item_count()'), true)
  t.equal(await touched(`select pg_table_size('item')`), false)
  t.equal(await touched('select item_count()'), true)
  await run(pinned, 'savepoint s')
  await t.rejects(run(pinned, `do $$ begin perform item_count(); raise exception 'no'; end $$`), {
    message: /./,
  })
  await run(pinned, 'rollback to s')
  t.equal(
    await touched(`select 'item'::regclass, pg_table_size('item'), pg_table_size('note')`),
    false,
  )
  t.equal(await touched('select item_count()'), true)
})

tap.test('open DDL moves others to the slow lane, where they wait', async (t) => {
  const pinned = await pin()
  await run(pinned, 'alter table item add column price numeric')
  const impatient = session({ lock_timeout: '100ms' })
  await t.rejects(shop.analyse(statement('select * from item', impatient)), {
    code: '55P03',
    message: /lock timeout/,
  })
  await t.rejects(
    shop.read(statement(`select pg_get_indexdef('item_pkey'::regclass)`, impatient)),
    {
      code: '55P03',
      message: /lock timeout/,
    },
  )
  const abort = new AbortController()
  const waiting = shop.analyse(statement('select * from item'))
  const leaving = shop.analyse({ ...statement('select * from item'), signal: abort.signal })
  let isDone = false
  waiting.then(
    () => {
      isDone = true
    },
    () => undefined,
  )
  // Others are served meanwhile, as often as the shared pool has connections.
  for (let round = 0; round < 5; round++) t.ok(await shop.analyse(statement('select 1')))
  abort.abort(new Error('gone'))
  await t.rejects(leaving, { message: 'gone' })
  t.equal(isDone, false)
  await pinned.release()
  t.equal((await waiting).fields?.length, 2)
})

tap.test('no more than fifty', async (t) => {
  const all = await Promise.all(Array.from({ length: 50 }, () => pin()))
  await t.rejects(pin(), { code: '53300', message: 'sorry, too many clients already' })
  await all[0]?.release()
  await all[0]?.release()
  const again = await pin()
  await t.rejects(pin(), { code: '53300', message: /too many/ })
  await Promise.all([...all, again].map((pinned) => pinned.release()))
  t.match(textRows(await shop.read(statement('select 1 as one'))), [{ one: '1' }])
})

tap.test('release while a statement runs', async (t) => {
  const pinned = await pin()
  await run(pinned, 'alter table item add column price numeric')
  const running = run(pinned, `do $$ begin loop perform 1; end loop; end $$`)
  const outcome = t.rejects(running, { code: '57P01', message: /administrator/ })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await pinned.release()
  await outcome
  t.equal(
    (await shop.analyse(statement('select * from item'))).fields?.length,
    2,
    'its locks are gone',
  )
})
