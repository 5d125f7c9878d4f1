import tap from 'tap'
import { STAND_IN_CODE } from '../../server/companion/companion-types.ts'
import { session, signal, startTestCompanion, statement, textRows } from './test-companion.ts'

const { companion, end } = await startTestCompanion()
tap.teardown(end)
await companion.createDatabase('scratch')
const scratch = companion.database('scratch')
await scratch.serviceTransaction([
  'create table a (id bigint primary key, t text)',
  'create table b (n integer)',
  'alter table a owner to spanwire_owner',
  'alter table b owner to spanwire_owner',
])
const rows = (table: string, ...lines: string[]) => ({
  copy: `COPY public.${table} FROM STDIN`,
  data: lines.map((line) => Buffer.from(`${line}\n`)),
  rowCount: lines.length,
})
const run = (text: string, tables: ReturnType<typeof rows>[], settings = {}) =>
  scratch.readLoaded({ ...statement(text, session(settings)), tables })
const fields = [{ name: 'x' }]
const valuesOf = (answer: Awaited<ReturnType<typeof run>>) =>
  textRows({ ...answer, fields, touchedUserTables: false } as never).map((row) => row['x'])

tap.test('a statement over loaded rows, which are gone afterwards', async (t) => {
  const tables = [rows('a', '1\tone', '2\t\\N', '3\ttab\\there'), rows('b', '10')]
  const text = `select coalesce(t, 'null') || n as x from a, b order by id`
  const answer = await run(text, tables)
  t.strictSame(valuesOf(answer), ['one10', 'null10', 'tab\there10'])
  t.equal(answer.tag, 'SELECT 3')
  t.strictSame(valuesOf(await run('select count(*) as x from a', [])), ['0'])
})

tap.test('a load of megabytes', async (t) => {
  const lines = Array.from({ length: 20_000 }, (_line, id) => `${id}\t${'x'.repeat(200)}`)
  const answer = await run('select sum(length(t)) as x from a', [rows('a', ...lines)])
  t.strictSame(valuesOf(answer), ['4000000'])
})

tap.test('settings of the session, and no writing', async (t) => {
  const zone = { TimeZone: 'Asia/Tokyo' }
  t.strictSame(valuesOf(await run(`select current_setting('TimeZone') as x`, [], zone)), [
    'Asia/Tokyo',
  ])
  const write = `with w as (insert into b values (1) returning n) select n as x from w`
  await t.rejects(run(write, [rows('b', '1')]), { code: '25006' })
  t.throws(() => run('delete from b', []), /begins with DELETE/)
})

tap.test('errors: of the rows, of the statement, and after some rows', async (t) => {
  await t.rejects(run('select 1 as x', [rows('b', 'one')]), { code: '22P02' })
  await t.rejects(run('select 1 as x', [rows('nope', '1')]), { code: '42P01' })
  await t.rejects(run('select 1 / 0 as x', [rows('b', '1')]), { code: '22012' })
  const late = await run('select 1 / (n - 3) as x from b', [rows('b', '5', '4', '3')])
  t.strictSame(valuesOf(late), ['0', '1'])
  t.match(late.error, { code: '22012' })
  t.strictSame(valuesOf(await run('select 7 as x', [])), ['7'], 'the connection lives on')
})

tap.test('into tables as clients declare them, whoever owns them', async (t) => {
  await companion.ensureRole('alice')
  await companion.ensureRole('bob')
  const areDeclared = true
  const database = 'declared'
  await companion.createDatabase(database)
  const mirror = companion.database(database)
  await mirror.serviceTransaction([
    'create schema s',
    'create table s.parent (id bigint primary key)',
    `create table s.child (id serial primary key, parent bigint not null references s.parent, up text generated always as (upper(t)) stored, t text check (t <> ''))`,
    'alter schema s owner to bob',
    'alter table s.parent owner to bob',
    'alter table s.child owner to bob',
    'grant select on s.child to alice',
    'grant usage on schema s to alice',
  ])
  const tables = [
    {
      copy: 'COPY s.child (id, parent, t) FROM STDIN',
      data: [Buffer.from('7\t1\tx\n')],
      rowCount: 1,
    },
  ]
  const columns = [
    'up',
    'current_user',
    'session_user',
    `current_setting('role')`,
    `current_setting('session_replication_role')`,
    `current_setting('transaction_read_only')`,
    `has_table_privilege('s.parent', 'insert')`,
    `pg_has_role('pg_write_all_data', 'usage')`,
  ]
  const text = `select concat_ws(' ', ${columns.join(', ')}) as x from s.child`
  const expected = ['X alice alice none origin on f f']
  t.strictSame(
    valuesOf(await mirror.readLoaded({ ...statement(text), tables, areDeclared })),
    expected,
  )
  const asBob = { ...statement(text, session({}, 'bob')), tables, areDeclared }
  t.strictSame(valuesOf(await mirror.readLoaded(asBob)), ['X bob bob none origin on t f'])
  const parents = { ...statement('select id as x from s.parent'), tables, areDeclared }
  await t.rejects(mirror.readLoaded(parents), { code: '42501' })
  const bad = tables.map((table) => ({ ...table, data: [Buffer.from('7\t1\t\n')] }))
  await t.rejects(mirror.readLoaded({ ...statement(text), tables: bad, areDeclared }), {
    code: '23514',
  })

  const pinned = await mirror.pin(session(), signal)
  await pinned.execute(statement('create temp table tmp as select 1::bigint as parent'))
  const joined = `select up || current_setting('role') as x from s.child join tmp using (parent)`
  const overRows = { ...statement(joined), tables, areDeclared }
  t.strictSame(valuesOf(await pinned.readLoaded(overRows)), ['Xnone'])
  t.strictSame(valuesOf(await pinned.readLoaded(overRows)), ['Xnone'], 'and again')
  await t.rejects(pinned.readLoaded({ ...overRows, text: 'select 1 / parent - 1 as x from nope' }))
  const own = await pinned.read(statement('select count(*) as x from tmp'))
  t.strictSame(textRows(own), [{ x: '1' }])
  t.notOk(own.touchedUserTables, 'what was scanned before is not counted')
  const locks = `select 1 from pg_locks where relation = 's.child'::regclass and pid <> pg_backend_pid()`
  t.strictSame(await mirror.service(locks), [], 'no lock stays')
  await pinned.release()
  const drawn = `select last_value from pg_sequences where schemaname = 's'`
  t.strictSame(await mirror.service(drawn), [{ last_value: null }])
})

tap.test('gives up when it is told to', async (t) => {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(200)])
  const forever = 'select count(*) as x from (select generate_series(1, 1000000000000)) as r'
  const request = { ...statement(forever), tables: [rows('b', '1')], signal: soon }
  await t.rejects(scratch.readLoaded(request), { name: 'TimeoutError' })
  t.strictSame(valuesOf(await run('select count(*) as x from b', [])), ['0'])
})

tap.test('functions that stand in for others, for one statement', async (t) => {
  const heard: string[] = []
  let begun = 0
  const standIns = {
    define: [
      `create function pg_temp.twice(n bigint) returns bigint language plpgsql as $$
        begin raise info using errcode = '${STAND_IN_CODE}', message = n::text; return 2 * n; end $$`,
    ],
    listen: () => {
      begun++
      return (message: string) => heard.push(message)
    },
  }
  const quiet = session({ client_min_messages: 'error' })
  const calling = (text: string) => ({ ...statement(text, quiet), standIns })
  const sum = 'select sum(pg_temp.twice(id)) as x from a'
  const loaded = await scratch.readLoaded({ ...calling(sum), tables: [rows('a', '1\tx', '2\ty')] })
  t.strictSame(valuesOf(loaded), ['6'])
  t.strictSame([heard.splice(0), begun], [['1', '2'], 1])
  t.strictSame(loaded.notices, [])
  const read = await scratch.read(calling('select pg_temp.twice(7) as x'))
  t.strictSame(textRows(read), [{ x: '14' }])
  t.strictSame(heard.splice(0), ['7'])
  await t.rejects(scratch.read(calling('select 1 / (pg_temp.twice(3) - 6) as x')), {
    code: '22012',
  })
  t.strictSame(heard.splice(0), ['3'], 'what failed has told')
  const write =
    'with w as (insert into b values (pg_temp.twice(1)) returning n) select n as x from w'
  await t.rejects(scratch.read(calling(write)), { code: '25006' })
  await t.rejects(run('select pg_temp.twice(1) as x', []), { code: '3F000' })
})

tap.test('what they leave in the catalogs is cleared away', async (t) => {
  const standIns = {
    define: ["create function pg_temp.f() returns void language sql as ''"],
    listen: () => () => undefined,
  }
  const size = async () => {
    const [row] = await scratch.service("select pg_relation_size('pg_proc') as size")
    return Number(row?.['size'])
  }
  const many = async () => {
    for (let count = 0; count < 400; count++)
      await scratch.read({ ...statement('select 1 as x', session()), standIns })
    return size()
  }
  const once = await many()
  t.ok((await many()) - once < 100_000, 'rows that were rolled back have made room')
})
