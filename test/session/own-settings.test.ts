import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { OWN_SETTINGS } from '../../server/session/own-settings.ts'
import { PGADAPTER_SETTINGS } from '../../server/session/pgadapter-settings.ts'
import { onEachBackend } from '../helpers/on-emulator.ts'
import { type RunningSpanwire, startSpanwire } from '../helpers/spanwire.ts'
import { type ServerMessage, WireClient } from '../helpers/wire-client.ts'

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs', 'settings.md')

t.test('docs/settings.md says what the table says, no more and no less', async (t) => {
  const rows = (await readFile(DOCS, 'utf8')).split('\n').filter((line) => line.startsWith('| `'))
  t.strictSame(
    rows,
    [...OWN_SETTINGS, ...PGADAPTER_SETTINGS].map(({ name, defaultValue, isReadOnly, help }) => {
      const value = isReadOnly
        ? 'shown only'
        : defaultValue === ''
          ? 'empty'
          : `\`${defaultValue}\``
      return `| \`${name}\` | ${value} | ${help} |`
    }),
  )
})

t.test('settings of Spanner', (t) => onEachBackend(t, checkSettings))

async function checkSettings(t: Test, spanwire: RunningSpanwire): Promise<void> {
  const { client } = await WireClient.connect(spanwire, {
    user: 'me',
    database: 'postgres',
    options: '-c spanner.rpc_priority=low -c idle_session_timeout=2h',
  })
  t.teardown(() => client.end())
  const ask = async (sql: string) => (await client.query(sql)).map(shown).filter(Boolean)

  t.strictSame(await ask('show spanner.rpc_priority'), ['LOW', 'SHOW'])
  t.strictSame(await ask('show idle_session_timeout'), ['2h', 'SHOW'])
  t.strictSame(await ask("select reset_val from pg_settings where name = 'idle_session_timeout'"), [
    '7200000',
    'SELECT 1',
  ])
  t.strictSame(await ask('show spanwire.retry_aborts'), ['on', 'SHOW'])
  t.strictSame(await ask('set spanner.retry_aborts_internally to false'), ['SET'])
  t.strictSame(await ask('show spanwire.retry_aborts'), ['off', 'SHOW'])
  t.strictSame(await ask('reset spanwire.retry_aborts'), ['RESET'])
  t.strictSame(await ask('show spanwire.retry_aborts'), ['on', 'SHOW'])
  t.strictSame(await ask("set spanner.read_only_staleness to 'yesterday'"), ['22023'])
  t.strictSame(await ask("set spanner.read_timestamp to 'now'"), ['55P02'])
  t.strictSame(await ask("set spanner.max_commit_delay to '10 parsecs'"), ['22023'])
  t.strictSame(await ask("set spanner.directed_read to '{}'"), ['22023'])
  t.strictSame(await ask("set spanner.optimizer_version to 'newest'"), ['22023'])
  t.strictSame(await ask("set spanner.isolation_level to 'serializable'"), ['SET'])
  t.strictSame(await ask('show default_transaction_isolation'), ['serializable', 'SHOW'])
  t.strictSame(await ask('reset spanner.isolation_level'), ['RESET'])
  t.strictSame(await ask('show spanner.isolation_level'), ['read committed', 'SHOW'])

  await ask('create table s (id bigint primary key, n bigint)')
  await ask('insert into s values (1, 0), (2, 0), (3, 0)')
  const committed = await ask('show spanner.commit_timestamp')
  t.match(committed[0], /^\d{4}-\d\d-\d\dT.*Z$/)
  t.strictSame(await ask('begin read only; select count(*) from s; commit'), [
    'BEGIN',
    '3',
    'SELECT 1',
    'COMMIT',
  ])
  t.match((await ask('show spanner.read_timestamp'))[0], /^\d{4}-\d\d-\d\dT.*Z$/)
  t.strictSame(await ask("set spanner.read_only_staleness to 'max_staleness 10s'"), ['SET'])
  t.strictSame(await ask('select count(*) from s'), ['3', 'SELECT 1'])
  t.strictSame(await ask('begin read only'), ['BEGIN'])
  t.strictSame(await ask('select count(*) from s'), ['0A000'], 'for single statements only')
  await ask('rollback')
  t.strictSame(await ask('reset spanner.read_only_staleness'), ['RESET'])

  await ask('set spanner.return_commit_stats = on')
  await ask('begin; insert into s values (8, 0), (9, 0); delete from s where id > 7; commit')
  const counted = await ask('show spanner.commit_response')
  t.match(
    counted[0],
    t.name === 'emulator' ? /Z$/ : /Z 6 mutations$/,
    'the emulator does not count',
  )
  await ask('reset spanner.return_commit_stats')

  await ask("set spanner.autocommit_dml_mode to 'partitioned_non_atomic'")
  t.strictSame(await ask('update s set n = n + 1 where true'), ['UPDATE 3'])
  t.strictSame(await ask('update s set n = n + 1'), ['UPDATE 3'])
  t.strictSame(await ask('insert into s values (4, 0)'), ['INSERT 0 1'], 'an INSERT is not cut')
  t.strictSame(await ask('begin; update s set n = 9; rollback'), ['BEGIN', 'UPDATE 4', 'ROLLBACK'])
  const parameter = await client.extended('delete from s where id = $1', ['4'])
  t.strictSame(parameter.map(shown).filter(Boolean), ['DELETE 1'])
  t.strictSame(await ask('select sum(n) from s'), ['6', 'SELECT 1'])
}

t.test('names and values that mean nothing are refused', async (t) => {
  const spanwire = await startSpanwire()
  const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
  t.teardown(async () => {
    await client.end()
    await spanwire.stop()
  })
  const refused = async (sql: string, expected: Readonly<Record<string, string | RegExp>>) => {
    const error = (await client.query(sql)).find(({ name }) => name === 'error')
    t.match(error, expected, sql)
  }
  await refused('set spanner.rpc_priority = urgent', {
    code: '22023',
    message: 'invalid value for parameter "spanner.rpc_priority": "urgent"',
    hint: 'Available values: HIGH, MEDIUM, LOW, NULL.',
  })
  await refused('set spanner.return_commit_stats = often', {
    code: '22023',
    message: 'parameter "spanner.return_commit_stats" requires a Boolean value',
  })
  await refused("set spanner.savepoint_support = 'disabled'", {
    code: '0A000',
    message: 'spanner.savepoint_support = DISABLED is not supported',
  })
  for (const sql of [
    "set spanner.no_such = 'x'",
    'reset Spanner.no_such',
    "select set_config('spanwire.no_such', 'x', false)",
  ]) {
    await refused(sql, { code: '42602', detail: /^"span(ner|wire)" is a reserved prefix\.$/ })
  }
  await refused('show spanner.no_such', { code: '42704' })
  const { messages } = await WireClient.connect(spanwire, {
    user: 'me',
    database: 'postgres',
    options: '-c spanner.no_such=x',
  })
  t.match(messages.at(-1), { name: 'error', severity: 'FATAL', code: '42602' })
  for (const { name, defaultValue, only } of PGADAPTER_SETTINGS) {
    const shownFirst = await client.query(`show ${name}`)
    t.strictSame(shownFirst.map(shown).filter(Boolean), [defaultValue, 'SHOW'].filter(Boolean))
    if (only === undefined) continue
    const answers = await client.query(`set ${name} = ${only}; show ${name}`)
    t.strictSame(answers.map(shown).filter(Boolean), ['SET', only, 'SHOW'], name)
  }
})

t.test('a client that is idle for too long is sent away', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  for (const [setting, before, code] of [
    ['idle_in_transaction_session_timeout', 'begin', '25P03'],
    ['idle_session_timeout', 'select 1', '57P05'],
  ] as const) {
    const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
    await client.query(before)
    await client.query(`set ${setting} = '50ms'`)
    t.strictSame((await client.untilReady()).map(shown), [code], setting)
    t.ok(client.isClosed)
  }
})

t.test(
  'transaction_timeout ends a transaction that lasts too long, whatever its client does',
  async (t) => {
    const spanwire = await startSpanwire()
    t.teardown(() => spanwire.stop())
    const connect = async () =>
      (await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })).client
    for (const [before, statement] of [
      ["begin; set transaction_timeout = '300ms'", undefined],
      ["set transaction_timeout = '300ms'; begin", undefined],
      ["set transaction_timeout = '300ms'", 'select pg_sleep(1000)'],
      ["set transaction_timeout = '300ms'", 'begin; select pg_sleep(1000)'],
    ] as const) {
      const client = await connect()
      await client.query(before)
      const answers = await (statement === undefined
        ? client.untilReady()
        : client.query(statement))
      t.equal(answers.map(shown).filter(Boolean).at(-1), '25P04', statement ?? before)
      t.ok(client.isClosed)
    }

    const client = await connect()
    t.teardown(() => client.end())
    for (const [value, told] of [
      ["'1500 ms'", '1500ms'],
      ['120000', '2min'],
      ["'0.5h'", '30min'],
      ['0', '0'],
      ["'soon'", '22023'],
    ]) {
      const answers = await client.query(
        `set transaction_timeout = ${value}; show transaction_timeout`,
      )
      t.ok(answers.map(shown).includes(told), `${value}: ${told}`)
    }
    await client.query("set transaction_timeout = '5min'")
    const current = await client.query(
      "select current_setting('transaction_timeout'), now() is null",
    )
    t.equal(current.map(shown).find(Boolean), '5min')
  },
)

/** The first cell of a row, a tag, or the SQLSTATE. */
function shown(message: ServerMessage): string | undefined {
  switch (message.name) {
    case 'dataRow':
      return String((message['fields'] as readonly unknown[])[0])
    case 'commandComplete':
      return String(message['text'])
    case 'error':
      return String(message['code'])
    default:
      return undefined
  }
}
