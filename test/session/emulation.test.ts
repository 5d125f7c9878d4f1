import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { toldLines } from '../helpers/outcome.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const spanwire = await startSpanwire()
t.teardown(() => spanwire.stop())

async function connect(options = ''): Promise<WireClient> {
  const { client } = await WireClient.connect(spanwire, {
    user: 'me',
    database: 'postgres',
    options,
  })
  return client
}

/** Calls that read rows from Spanner since the start. */
async function readCalls(): Promise<number> {
  const text = await (await fetch(`${spanwire.healthUrl}/metrics`)).text()
  const match = /^spanwire_rpcs_total\{method="ExecuteStreamingSql",status="OK"\} (\d+)/m.exec(text)
  return Number(match?.[1] ?? 0)
}

const RANKED = 'select id, rank() over (order by id) from e where id < 3 order by id'

t.before(async () => {
  const client = await connect()
  await client.query('create table e (id bigint primary key, t text)')
  await client.query('create table f (id bigint primary key, e bigint)')
  await client.query(`insert into e select n, repeat('x', 500) from generate_series(1, 50) n`)
  await client.query('insert into f select n, n from generate_series(1, 50) n')
  await client.end()
})

t.test('a notice once for each text', async (t) => {
  const client = await connect()
  t.strictSame(toldLines(await client.query(RANKED)), [
    'NOTICE 00000: emulated window-function over 2 rows of "e"',
    '1|1',
    '2|2',
    'SELECT 2',
  ])
  t.strictSame(toldLines(await client.query(RANKED)), ['1|1', '2|2', 'SELECT 2'])
  t.strictSame(toldLines(await client.extended(RANKED, [])), ['1|1', '2|2', 'SELECT 2'])
  t.match(toldLines(await client.query(`${RANKED} desc`)), [/^NOTICE/])
  await client.end()
})

t.test('on says nothing, off says why not', async (t) => {
  const client = await connect('-c spanwire.emulation=on')
  t.strictSame(toldLines(await client.query(RANKED)), ['1|1', '2|2', 'SELECT 2'])
  await client.query('set spanwire.emulation = off')
  t.strictSame(toldLines(await client.query(RANKED)), [
    'ERROR 0A000: Spanner cannot run this: window functions',
  ])
  t.match(toldLines(await client.query('set spanwire.emulation = maybe')), [/^ERROR 22023/])
  await client.end()
})

t.test('bounds of rows and bytes', async (t) => {
  const client = await connect('-c spanwire.emulation=on -c spanwire.emulation_max_rows=40')
  const all = 'select id, t, rank() over (order by id) from e'
  const tooMany = await client.query(all)
  t.match(toldLines(tooMany), [/^ERROR 54000: emulation needs more than 40 rows, of table "e"/])
  t.match(
    tooMany.find(({ name }) => name === 'error'),
    { hint: /spanwire.emulation_max_rows/, table: 'e' },
  )
  t.equal(toldLines(await client.query(`${all} where id <= 40`)).length, 41)
  await client.query(`set spanwire.emulation_max_bytes = '10kB'`)
  t.match(toldLines(await client.query(`${all} where id <= 40`)), [/^ERROR 54000: .* 10240 bytes/])
  t.equal(toldLines(await client.query(`${all} where id <= 10`)).length, 11)
  // Bounds are for the statement, not for each table.
  const joined = 'select count(*) over () from e join f on f.e = e.id limit 1'
  t.match(toldLines(await client.query(joined)), [/^ERROR 54000: .* 40 rows/])
  await client.query('set spanwire.emulation_max_rows = 100')
  t.strictSame(toldLines(await client.query(joined)), ['50', 'SELECT 1'])
  await client.end()
})

t.test('one call for each table', async (t) => {
  const client = await connect('-c spanwire.emulation=on')
  const joined = 'select e.id, rank() over (order by f.id) from e join f on f.e = e.id order by 1'
  await client.query(joined)
  const before = await readCalls()
  await client.query(joined)
  t.equal((await readCalls()) - before, 2)
  await client.end()
})

t.test('SHOW EMULATIONS', async (t) => {
  const client = await connect('-c spanwire.emulation=on')
  const [before = ''] = toldLines(await client.query('show emulations'))
  await client.query('select distinct on (t) id from e where id < 10 order by t, id')
  await client.query(RANKED)
  const shown = await client.extended('show emulations', [])
  t.match(
    shown.find(({ name }) => name === 'rowDescription'),
    { fields: [{ name: 'name' }, { name: 'count' }, { name: 'rows' }, { name: 'statements' }] },
  )
  const count = Number(before.split('|')[1])
  t.match(toldLines(shown), [
    'distinct-on|1|9|1',
    new RegExp(`^window-function\\|${count + 1}\\|`),
    'SHOW',
  ])
  await client.end()
})

t.test('two at a time, and the others in turn', async (t) => {
  const clients = await Promise.all(
    Array.from({ length: 6 }, () => connect('-c spanwire.emulation=on')),
  )
  const answers = await Promise.all(
    clients.map((client, n) => client.query(`select ${n}, sum(id) over () from e limit 1`)),
  )
  t.strictSame(
    answers.map(toldLines),
    clients.map((_client, n) => [`${n}|1275`, 'SELECT 1']),
  )
  for (const client of clients) await client.end()
})

t.test('a statement is cancelled, and times out', async (t) => {
  const client = await connect('-c spanwire.emulation=on')
  await client.query(`set statement_timeout = '300ms'`)
  const forever = `with recursive r(n) as (select count(*) from e union all select n + 1 from r)
    select count(*) from r`
  t.match(toldLines(await client.query(forever)), [
    'ERROR 57014: canceling statement due to statement timeout',
  ])
  await client.query('reset statement_timeout')
  t.strictSame(toldLines(await client.query(RANKED)), ['1|1', '2|2', 'SELECT 2'])
  await client.end()
})

t.test('the scratch cluster may die', async (t) => {
  const client = await connect('-c spanwire.emulation=on')
  await client.query(RANKED)
  const file = await readFile(join(spanwire.dataDir, 'scratch', 'postmaster.pid'), 'utf8')
  process.kill(Number(file.split('\n')[0]), 'SIGKILL')
  t.strictSame(toldLines(await client.query(RANKED)), ['1|1', '2|2', 'SELECT 2'])
  await client.end()
})

t.test('a database and its scratch databases are dropped', async (t) => {
  const admin = await connect()
  await admin.query('create database gone')
  const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'gone' })
  await client.query('create table e (id bigint primary key)')
  t.match(toldLines(await client.query('select id, rank() over () from e')), [
    /^NOTICE/,
    'SELECT 0',
  ])
  await client.end()
  t.strictSame(toldLines(await admin.query('drop database gone')), ['DROP DATABASE'])
  await admin.query('create database gone')
  const again = await WireClient.connect(spanwire, { user: 'me', database: 'gone' })
  t.match(toldLines(await again.client.query('select id, rank() over () from e')), [/42P01/])
  await again.client.query('create table e (id bigint primary key, n text)')
  t.match(toldLines(await again.client.query('select n, rank() over () from e')), [
    /^NOTICE/,
    'SELECT 0',
  ])
  await again.client.end()
  await admin.end()
})

t.test('who has not made a table may read it', async (t) => {
  const { client } = await WireClient.connect(spanwire, {
    user: 'another',
    database: 'postgres',
    options: '-c spanwire.emulation=on',
  })
  t.strictSame(
    toldLines(await client.query(`select current_user, max(id) over () from e where id = 1`)),
    ['another|1', 'SELECT 1'],
  )
  await client.end()
})

t.test('reads of another moment', async (t) => {
  const client = await connect('-c spanwire.emulation=on')
  await client.query('begin read only')
  t.strictSame(toldLines(await client.query(RANKED)), ['1|1', '2|2', 'SELECT 2'])
  t.match(toldLines(await client.query(`${RANKED} for update`)), [/^ERROR/])
  await client.query('rollback')
  await client.query(`set spanner.read_only_staleness = 'MAX_STALENESS 1s'`)
  t.strictSame(toldLines(await client.query(RANKED)), ['1|1', '2|2', 'SELECT 2'])
  const joined = 'select count(*) over () from e join f on f.e = e.id limit 1'
  t.match(toldLines(await client.query(joined)), [/^ERROR 0A000: bounded staleness/])
  await client.end()
})

t.test('catalogs and temporary tables beside tables', async (t) => {
  const client = await connect()
  const join = 'select relname, e.id from pg_class, e where relname = $$f$$ and id = 7'
  t.strictSame(toldLines(await client.query(join)), [
    'NOTICE 00000: emulated catalog-join over 1 row of "e"',
    'f|7',
    'SELECT 1',
  ])
  await client.query('create temp table mine (id bigint)')
  await client.query('insert into mine values (3), (70)')
  t.strictSame(toldLines(await client.query('select id, length(t) from mine join e using (id)')), [
    'NOTICE 00000: emulated temporary-join over 50 rows of "e"',
    '3|500',
    'SELECT 1',
  ])
  await client.query('set spanwire.emulation = off')
  t.match(toldLines(await client.query(join)), [/^ERROR 0A000: .* joins system catalogs/])
  t.match(toldLines(await client.query('select * from mine, e')), [
    /^ERROR 0A000: .*temporary tables/,
  ])
  await client.query('reset spanwire.emulation')
  const names = toldLines(await client.query('show emulations')).map((row) => row.split('|')[0])
  for (const name of ['catalog-join', 'temporary-join']) t.ok(names.includes(name), name)
  await client.end()
})

t.test('loads of the same rows into the mirror take turns', async (t) => {
  const clients = await Promise.all(
    Array.from({ length: 6 }, () => connect('-c spanwire.emulation=on')),
  )
  const statements = clients.map(async (client, index) => {
    if (index % 2 === 0) await client.query('create temp table mine as select 1::bigint as id')
    const from = index % 2 === 0 ? 'mine, e join f using (id)' : 'pg_class c, f join e using (id)'
    const where = index % 2 === 0 ? 'mine.id = 1' : `c.relname = 'e'`
    const answers = []
    for (let run = 0; run < 5; run++)
      answers.push(toldLines(await client.query(`select count(*) from ${from} where ${where}`)))
    return answers
  })
  for (const answers of await Promise.all(statements)) {
    t.strictSame(answers, Array(5).fill(['50', 'SELECT 1']))
  }
  const [first] = clients
  const sizes = await first?.query(`select pg_relation_size('e'), pg_relation_size('f')`)
  t.strictSame(toldLines(sizes ?? []), ['0|0', 'SELECT 1'], 'and leave nothing behind')
  for (const client of clients) await client.end()
})
