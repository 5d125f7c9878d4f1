import { serialize } from 'pg-protocol/dist/index.js'
import t from 'tap'
import { ORACLE_USER, startOracle } from '../helpers/oracle.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerAddress, type ServerMessage, WireClient } from '../helpers/wire-client.ts'

const parse = (text: string, name = '') => serialize.parse({ text, name })
const bind = (values: string[], portal = '', statement = '') =>
  serialize.bind({ values, portal, statement })
const execute = (portal = '') => serialize.execute({ portal, rows: 0 })
const describePortal = serialize.describe({ type: 'P', name: '' })
const sync = serialize.sync()
const insert = 'insert into p (id, n) values ($1, $2)'
const run = (text: string, values: string[] = []) => [parse(text), bind(values), execute()]

/** Pipelines, each ending with Sync: what a driver sends in one write. */
const PIPELINES: Readonly<Record<string, readonly Buffer[]>> = {
  'one statement alone': [...run(insert, ['1', '1']), sync],
  'one text, several values': [
    parse(insert),
    ...['2', '3', '4'].flatMap((id) => [bind([id, '0']), describePortal, execute()]),
    sync,
  ],
  'several texts': [
    ...run(insert, ['5', '5']),
    ...run('update p set n = n + 1 where id < $1', ['4']),
    ...run('delete from p where id = 99'),
    sync,
  ],
  'rows between counts': [
    ...run(insert, ['6', '6']),
    ...run('select count(*) from p'),
    ...run(insert, ['7', '7']),
    ...run('insert into p values (8, 8) returning id'),
    ...run(insert, ['9', '9']),
    sync,
  ],
  'a duplicate key in the middle undoes all': [
    ...run(insert, ['20', '0']),
    ...run(insert, ['1', '0']),
    ...run(insert, ['21', '0']),
    sync,
  ],
  'what was undone': [...run('select id from p order by id'), sync],
  'a syntax error after statements that wait': [
    ...run(insert, ['30', '0']),
    ...run(insert, ['31', '0']),
    ...run('selec 1'),
    ...run(insert, ['32', '0']),
    sync,
  ],
  'an unknown column after a statement that fails': [
    ...run(insert, ['1', '0']),
    ...run('select nosuch from p'),
    sync,
  ],
  'a statement with a name is not known after an error before it': [
    ...run(insert, ['1', '0']),
    parse('select 1', 'named'),
    sync,
  ],
  'the name is free': [parse('select 2', 'named'), bind([], '', 'named'), execute(), sync],
  'a transaction in a pipeline': [
    ...run('begin'),
    ...run(insert, ['40', '1']),
    ...run('update p set n = 2 where id = 40'),
    ...run('savepoint s'),
    ...run('delete from p'),
    ...run('rollback to s'),
    ...run(insert, ['41', '1']),
    ...run('commit'),
    ...run('select id, n from p where id >= 40 order by id'),
    sync,
  ],
  'an error in a transaction in a pipeline': [
    ...run('begin'),
    ...run(insert, ['50', '1']),
    ...run(insert, ['50', '1']),
    ...run('commit'),
    sync,
  ],
  'the transaction is still there, failed': [...run('rollback'), sync],
  'a portal that is executed twice': [...run(insert, ['60', '1']), execute(), sync],
  'a write in a read-only transaction': [
    ...run('begin read only'),
    ...run(insert, ['61', '1']),
    ...run(insert, ['62', '1']),
    sync,
  ],
  'and out of it': [...run('rollback'), sync],
  'Flush brings what waits': [
    ...run(insert, ['70', '1']),
    ...run(insert, ['71', '1']),
    serialize.flush(),
    ...run(insert, ['72', '1']),
    sync,
  ],
  'SET LOCAL holds until Sync': [
    ...run("set local work_mem = '3MB'"),
    ...run('show work_mem'),
    sync,
    ...run('show work_mem'),
    sync,
  ],
  'so does SET TRANSACTION': [
    ...run('set transaction read only'),
    ...run(insert, ['75', '1']),
    sync,
  ],
  'a table is locked by what comes second': [...run('select 1'), ...run('lock table p'), sync],
  'a table is not locked alone': [...run('lock table p'), ...run('select 1'), sync],
  'a savepoint is none': [...run('select 1'), ...run('savepoint a'), sync],
  'isolation is chosen first': [
    ...run('select count(*) > 0 from p'),
    ...run('set transaction isolation level serializable'),
    sync,
  ],
  'what cannot be undone comes first': [...run('vacuum p'), ...run(insert, ['76', '1']), sync],
  'or not at all': [...run(insert, ['77', '1']), ...run('vacuum p'), sync],
  'no database is made in the middle': [
    ...run('select 1'),
    ...run('create database in_pipeline'),
    sync,
  ],
  'nothing is discarded in the middle': [...run(insert, ['78', '1']), ...run('discard all'), sync],
  'what is left of them': [...run('select id from p where id between 75 and 79'), sync],
  'query string': [
    serialize.query(
      'insert into p values (80, 0); update p set n = 1; delete from p where id = 80',
    ),
  ],
  'query string with an error': [
    serialize.query('insert into p values (81, 0); insert into p values (1, 0); select 1'),
  ],
  'query string with an error of analysis': [
    serialize.query('insert into p values (82, 0); update p set n = 7; select nosuch'),
  ],
  'query string with transactions': [
    serialize.query(
      'begin; insert into p values (83, 0); update p set n = 5; commit; insert into p values (84, 0); insert into p values (1, 0)',
    ),
  ],
  'all in all': [...run('select * from p order by id'), sync],
}

t.test('pipelines are answered as PostgreSQL answers them', async (t) => {
  const oracle = await startOracle()
  const spanwire = await startSpanwire()
  t.teardown(() => Promise.all([oracle.stop(), spanwire.stop()]))
  const [expected, actual] = await Promise.all([oracle, spanwire].map(answers))
  for (const name of Object.keys(PIPELINES))
    t.strictSame(actual?.get(name), expected?.get(name), name)
})

/** Messages whose error must come before any Sync is sent. */
const FAILURES: Readonly<Record<string, readonly Buffer[]>> = {
  'Parse and Describe': [
    parse('select nosuch', 's'),
    serialize.describe({ type: 'S', name: 's' }),
    serialize.flush(),
  ],
  Bind: [parse('select $1::int'), bind(['x']), execute(), serialize.flush()],
  Execute: [...run('select 1 / $1::int', ['0'])],
  'a count that was waited for': [...run(insert, ['1', '1']), serialize.flush()],
}

t.test('an error does not wait for Sync', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  const { client } = await WireClient.connect(spanwire, { user: 'tester', database: 'postgres' })
  await client.query('create table p (id bigint primary key, n bigint)')
  await client.query('insert into p values (1, 1)')
  for (const [name, messages] of Object.entries(FAILURES)) {
    client.send(...messages)
    t.equal((await client.until(['error'])).at(-1)?.name, 'error', name)
    client.send(sync)
    t.strictSame(
      (await client.untilReady()).map((message) => message.name),
      ['readyForQuery'],
    )
  }
  await client.end()
})

async function answers(address: ServerAddress): Promise<ReadonlyMap<string, readonly string[]>> {
  const { client } = await WireClient.connect(address, { user: ORACLE_USER, database: 'postgres' })
  await client.query('create table p (id bigint primary key, n bigint)')
  const all = new Map<string, readonly string[]>()
  for (const [name, messages] of Object.entries(PIPELINES)) {
    client.send(...messages)
    all.set(name, (await client.untilReady()).map(render))
  }
  await client.end()
  return all
}

/** Enough of a message to tell two answers apart; places in source files are PostgreSQL's own affair. */
function render(message: ServerMessage): string {
  const { name, code, text, status, fields } = message
  const said = name === 'error' ? [code, message['message']] : [text, status]
  return JSON.stringify([name, ...said, name === 'dataRow' ? fields : undefined])
}
