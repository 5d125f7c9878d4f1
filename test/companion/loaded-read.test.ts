import tap from 'tap'
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

tap.test('gives up when it is told to', async (t) => {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(200)])
  const forever = 'select count(*) as x from (select generate_series(1, 1000000000000)) as r'
  const request = { ...statement(forever), tables: [rows('b', '1')], signal: soon }
  await t.rejects(scratch.readLoaded(request), { name: 'TimeoutError' })
  t.strictSame(valuesOf(await run('select count(*) as x from b', [])), ['0'])
})
