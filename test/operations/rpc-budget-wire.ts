import { serialize } from 'pg-protocol/dist/index.js'
import type { Test } from 'tap'
import { mustSucceed } from '../helpers/messages.ts'
import { type ServerAddress, type ServerMessage, WireClient } from '../helpers/wire-client.ts'
import { type BudgetRow, type CheckRows, DATABASE, DDL_CALLS, USER } from './rpc-budget.ts'

/** The whole table of the budget, message by message. */
export async function wireBudget(t: Test, address: ServerAddress, check: CheckRows): Promise<void> {
  const login = { user: USER, database: DATABASE }
  const { client } = await WireClient.connect(address, login)
  t.teardown(() => client.end())
  const query = (text: string, calls: readonly string[]): BudgetRow => ({
    what: text,
    run: async () => mustSucceed(await client.query(text)),
    calls,
  })
  const pipeline = (texts: readonly string[], calls: readonly string[]): BudgetRow => ({
    what: `pipeline: ${texts.join('; ')}`,
    run: async () => {
      client.send(...texts.flatMap(extended), serialize.sync())
      mustSucceed(await client.untilReady())
    },
    calls,
  })

  await t.test('nothing for what needs no rows', async (t) => {
    const describe = (text: string): BudgetRow => ({
      what: `Parse and Describe: ${text}`,
      run: async () => {
        client.send(serialize.parse({ text }), serialize.describe({ type: 'S' }), serialize.sync())
        mustSucceed(await client.untilReady())
      },
      calls: [],
    })
    await check(t, [
      {
        what: 'one more connection',
        run: async () => (await WireClient.connect(address, login)).client.end(),
        calls: [],
      },
      ...[...FREE, 'begin; commit', 'begin; select 1; commit', 'begin; rollback'].map((text) =>
        query(text, []),
      ),
      ...DESCRIBED.map(describe),
      ...FREE_ERRORS.map(
        ([code, text]): BudgetRow => ({
          what: `${code}: ${text}`,
          run: async () => mustFail(await client.query(text), code),
          calls: [],
        }),
      ),
    ])
  })

  await t.test('outside a transaction', async (t) => {
    const reads = ['select * from item', 'select count(*) from item', 'execute get(1)']
    const writes = [
      "insert into item values (10, 1, 'x')",
      'insert into item values (11, 1) returning *',
      'update item set n = n + 1 where id = 10',
      'delete from item where id = 10',
      "insert into item values (11, 2, 'y') on conflict (id) do nothing",
      'delete from item where id = 11 returning v',
      'select * from item where id = 1 for update',
    ]
    await check(t, [
      ...reads.map((text) => query(text, ['read'])),
      ...writes.map((text) => query(text, ['begin', 'Commit'])),
      pipeline(['select n from item where id = 1'], ['read']),
      pipeline(['update item set n = 11 where id = 1'], ['begin', 'Commit']),
    ])
  })

  await t.test('in a transaction', async (t) => {
    const READ = 'select n from item where id = 1'
    const WRITE = 'update item set n = n + 1 where id = 1'
    const statements = (begin: string, texts: readonly string[], end: string): BudgetRow => ({
      what: [begin, ...texts, end].join('; '),
      run: async () => {
        for (const text of [begin, ...texts, end]) mustSucceed(await client.query(text))
      },
      calls: callsOf(begin, texts, end),
    })
    await check(t, [
      statements('begin', [WRITE], 'commit'),
      statements('begin', [READ], 'commit'),
      statements('begin', [READ, 'select 1', WRITE, READ, WRITE], 'commit'),
      statements('begin', [WRITE, WRITE], 'rollback'),
      statements('begin read only', [READ], 'commit'),
      statements('begin read only', [READ, 'select version()', READ, READ], 'commit'),
      statements('begin read only', [READ, READ], 'rollback'),
      query(`begin; ${WRITE}; ${READ}; commit`, ['begin', 'execute', 'Commit']),
    ])
  })

  await t.test('sequences', async (t) => {
    await check(t, [
      query('insert into numbered values (default)', ['begin', 'Commit']),
      query('select lastval(), currval(pg_get_serial_sequence($$numbered$$, $$id$$))', []),
      query('select lastval() = max(id) from numbered', ['read']),
      query('insert into other (id) values (currval($$numbered_id_seq$$))', ['begin', 'Commit']),
      pipeline(
        ['insert into numbered values (default)', 'insert into numbered values (default)'],
        ['ExecuteBatchDml: begin', 'Commit'],
      ),
      query('select nextval($$numbered_id_seq$$)', ['begin', 'Commit']),
      query('select nextval($$numbered_id_seq$$) from generate_series(1, 50)', ['begin', 'Commit']),
    ])
  })

  await t.test('savepoints', async (t) => {
    const READ = 'select n from item where id = 1'
    const WRITE = 'update item set n = n + 1 where id = 1'
    const FAULTY = "select * from item where id = 'x'"
    const run = async (texts: readonly string[]) => {
      for (const text of texts) {
        const messages = await client.query(text)
        if (text === FAULTY) mustFail(messages, '22P02')
        else mustSucceed(messages)
      }
    }
    // As psql does with ON_ERROR_ROLLBACK.
    const guarded = (text: string) => [
      'savepoint pg_psql_temporary_savepoint',
      text,
      'release pg_psql_temporary_savepoint',
    ]
    const undone = (text: string) => ['savepoint s', text, 'rollback to s']
    const row = (what: string, texts: readonly string[], calls: readonly string[]): BudgetRow => ({
      what,
      run: () => run(['begin', ...texts, 'commit']),
      calls,
    })
    await check(t, [
      row('one around nothing', guarded('select 1'), []),
      row('one around each statement', [READ, WRITE, READ, WRITE].flatMap(guarded), [
        'begin',
        'execute',
        'execute',
        'execute',
        'Commit',
      ]),
      row(
        'some inside others',
        ['savepoint a', 'savepoint b', WRITE, ...guarded(WRITE)],
        ['begin', 'execute', 'Commit'],
      ),
      row(
        'an error that analysis finds is undone',
        [WRITE, ...undone(FAULTY), WRITE],
        ['begin', 'execute', 'Commit'],
      ),
      row(
        'a read is undone',
        [WRITE, ...undone(READ), WRITE],
        ['begin', 'execute', 'execute', 'Commit'],
      ),
    ])
  })

  await t.test('several statements before a Sync', async (t) => {
    const inserts = [20, 21, 22].map((id) => `insert into item values (${id}, 1)`)
    await check(t, [
      pipeline(['select * from item', 'select * from other'], ['begin', 'execute', 'Commit']),
      pipeline(['select 1', 'select now()'], []),
      query('start batch dml', []),
      ...inserts.map((text) => query(text, [])),
      query('run batch', ['ExecuteBatchDml: begin', 'Commit']),
      query('delete from item where id in (20, 21, 22)', ['begin', 'Commit']),
      pipeline(inserts, ['ExecuteBatchDml: begin', 'Commit']),
      query('delete from item where id = 20; delete from item where id > 20', [
        'ExecuteBatchDml: begin',
        'Commit',
      ]),
      pipeline(
        ['insert into item values (23, 1)', 'delete from item where id = 23', 'select n from item'],
        ['ExecuteBatchDml: begin', 'execute', 'Commit'],
      ),
      pipeline(
        [
          'insert into item values (24, 1) returning n',
          'delete from item where id = 24 returning n',
        ],
        ['begin', 'execute', 'Commit'],
      ),
      query('select * from item; select * from other', ['begin', 'execute', 'Commit']),
    ])
  })

  await t.test('DDL', async (t) => {
    await check(t, [
      query('create table d1 (id bigint primary key, v text)', DDL_CALLS),
      query('alter table d1 add column w varchar(3); create index d1_w on d1 (w)', DDL_CALLS),
      query(
        'begin; create table d2 (id serial primary key); create table d3 (id bigint primary key, d integer references d2); comment on table d3 is $$x$$; commit',
        DDL_CALLS,
      ),
      query('begin; create table d4 (id bigint primary key); rollback', []),
      query('drop table d3, d2, d1', DDL_CALLS),
    ])
  })
}

/** What a block costs: its statements on rows, and COMMIT or ROLLBACK unless it only read. */
function callsOf(begin: string, texts: readonly string[], end: string): readonly string[] {
  const isReadOnly = begin !== 'begin'
  const count = texts.filter((text) => text.includes('item')).length
  const statements = Array.from({ length: count }, (_, n) =>
    n > 0 ? 'execute' : isReadOnly ? 'begin read only' : 'begin',
  )
  if (isReadOnly) return statements
  return [...statements, end === 'commit' ? 'Commit' : 'Rollback']
}

const FREE = [
  "set application_name = 'budget'",
  'show search_path',
  'prepare get (bigint) as select n from item where id = $1',
  'select 1',
  'select version()',
  'select now(), current_user, current_database(), pg_backend_pid()',
  "select relname from pg_catalog.pg_class where relname = 'item'",
  "select column_name from information_schema.columns where table_name = 'item'",
  "select 'item'::regclass::oid, pg_catalog.format_type(20, -1)",
  '',
]

const DESCRIBED = [
  'select * from item where id = $1',
  'insert into item (id, n) values ($1, $2) returning v',
  'update item set n = $1',
  'select $1::int',
]

/** Errors that analysis finds. */
const FREE_ERRORS: readonly (readonly [code: string, text: string])[] = [
  ['42601', 'selec 1'],
  ['42804', "select n from item where n and v = 'x'"],
  ['22P02', "select * from item where id = 'x'"],
  ['42803', 'select n, count(*) from item'],
]

function extended(text: string): readonly Buffer[] {
  return [
    serialize.parse({ text }),
    serialize.bind({}),
    serialize.describe({ type: 'P' }),
    serialize.execute({}),
  ]
}

function mustFail(messages: readonly ServerMessage[], code: string): void {
  const error = messages.find(({ name }) => name === 'error')
  if (error?.['code'] !== code) throw new Error(`no ${code}, but ${String(error?.['code'])}`)
}
