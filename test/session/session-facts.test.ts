import { setTimeout as sleep } from 'node:timers/promises'
import { serialize } from 'pg-protocol/dist/index.js'
import t, { type Test } from 'tap'
import { Activity } from '../../server/session/activity.ts'
import { ORACLE_USER, startOracleWithUser } from '../helpers/oracle.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerAddress, type ServerMessage, WireClient } from '../helpers/wire-client.ts'

/** Every check is made of PostgreSQL, too: what it says is what is asked for. */
const SERVERS = ['PostgreSQL', 'Spanwire'] as const
const SUPERUSER = 'boss'

t.test('what a session is told of itself and of others', async (t) => {
  const oracle = await startOracleWithUser(SUPERUSER)
  const spanwire = await startSpanwire()
  t.teardown(() => Promise.all([oracle.stop(), spanwire.stop()]))
  const boss = await connect(oracle, SUPERUSER)
  await boss.client.query('create role other login')
  await boss.client.end()
  for (const server of SERVERS) {
    const address = server === 'Spanwire' ? spanwire : oracle
    await t.test(server, async (t) => {
      await t.test('process ids', (t) => checkProcessIds(t, address))
      await t.test('other users', (t) => checkOtherUsers(t, address))
      await t.test('signals', (t) => checkSignals(t, address))
      await t.test('portals and statements', (t) => checkPortals(t, address))
      await t.test('SHOW ALL', (t) => checkShowAll(t, address))
      await t.test('DROP DATABASE waits for those who leave', (t) => checkDrop(t, address))
    })
  }
  await t.test('addresses', async (t) => {
    const { client } = await connect(spanwire)
    const [row] = rowsOf(
      await client.query(
        `select inet_client_addr(), inet_client_port() > 1023, inet_server_addr(), inet_server_port(),
          (select client_addr = inet_client_addr() and client_port = inet_client_port() from pg_stat_activity where pid = pg_backend_pid())`,
      ),
    )
    t.strictSame(row, ['127.0.0.1', 't', '127.0.0.1', String(spanwire.port), 't'])
    await client.end()
  })
})

async function checkProcessIds(t: Test, address: ServerAddress): Promise<void> {
  const { client, messages } = await connect(address)
  const key = messages.find(({ name }) => name === 'backendKeyData')
  t.strictSame(rowsOf(await client.query('select pg_backend_pid()')), [
    [String(key?.['processID'])],
  ])
  await client.end()
}

async function checkOtherUsers(t: Test, address: ServerAddress): Promise<void> {
  const { client } = await connect(address)
  const { client: other } = await connect(address, 'other')
  await other.query(`set application_name = 'theirs'; select 'secret'`)
  const seen = await client.query(
    `select usename, application_name, query, state, client_port, query_start, backend_type from pg_stat_activity where application_name = 'theirs'`,
  )
  t.strictSame(rowsOf(seen), [
    ['other', 'theirs', '<insufficient privilege>', null, null, null, null],
  ])
  for (const call of ['pg_cancel_backend(pid)', 'pg_terminate_backend(pid)']) {
    const answer = await client.query(
      `select ${call} from pg_stat_activity where application_name = 'theirs'`,
    )
    t.match(errorOf(answer), { code: '42501' }, call)
  }
  await other.end()
  await client.end()
}

async function checkSignals(t: Test, address: ServerAddress): Promise<void> {
  const { client } = await connect(address)
  const { client: victim, messages } = await connect(address)
  const pid = String(messages.find(({ name }) => name === 'backendKeyData')?.['processID'])
  const running = victim.query('select pg_sleep(20)')
  await untilActive(client, pid)
  t.strictSame(rowsOf(await client.query(`select pg_cancel_backend(${pid})`)), [['t']])
  t.match(errorOf(await running), {
    code: '57014',
    message: 'canceling statement due to user request',
  })
  t.strictSame(
    rowsOf(
      await client.query(
        `select pg_terminate_backend(pid, 30000), state from pg_stat_activity where pid = ${pid}`,
      ),
    ),
    [['t', 'idle']],
  )
  t.match(errorOf(await victim.untilReady()), {
    severity: 'FATAL',
    code: '57P01',
    message: 'terminating connection due to administrator command',
  })
  const gone = await client.query(`select pg_terminate_backend(${pid}), pg_cancel_backend(null)`)
  t.strictSame(rowsOf(gone), [['f', null]])
  t.match(
    gone.find(({ name }) => name === 'notice'),
    { code: '01000', message: `PID ${pid} is not a PostgreSQL backend process` },
  )
  const { client: busy, messages: started } = await connect(address)
  const busyPid = String(started.find(({ name }) => name === 'backendKeyData')?.['processID'])
  const interrupted = busy.query('select pg_sleep(20)')
  await untilActive(client, busyPid)
  await client.query(`select pg_terminate_backend(${busyPid})`)
  t.strictSame(
    (await interrupted).map(({ name, severity, code }) => [name, severity, code]),
    [
      ['rowDescription', undefined, undefined],
      ['error', 'FATAL', '57P01'],
    ],
    'it is told once',
  )
  const negative = await client.query(`select pg_terminate_backend(${pid}, -1)`)
  t.match(errorOf(negative), { code: '22003', message: '"timeout" must not be negative' })
  await client.end()
}

async function checkPortals(t: Test, address: ServerAddress): Promise<void> {
  const { client } = await connect(address)
  const text = 'select relname from pg_class where relname = $1 -- of mine'
  client.send(serialize.parse({ name: 'mine', text, types: [19] }), serialize.sync())
  await client.untilReady()
  t.strictSame(
    rowsOf(
      await client.query(
        'select name, statement, parameter_types, from_sql from pg_prepared_statements',
      ),
    ),
    [['mine', text, '{name}', 'f']],
  )
  const own =
    'select name, statement, is_holdable, is_binary, is_scrollable, creation_time >= now() from pg_cursors order by name'
  await client.query('begin')
  client.send(
    serialize.bind({ portal: 'p', statement: 'mine', values: ['pg_class'] }),
    serialize.parse({ text: own }),
    serialize.bind({}),
    serialize.execute({ portal: '', rows: 0 }),
    serialize.sync(),
  )
  t.strictSame(rowsOf(await client.untilReady()), [
    ['', own, 'f', 'f', 'f', 't'],
    ['p', text, 'f', 'f', 'f', 't'],
  ])
  await client.query('commit')
  t.strictSame(rowsOf(await client.query('select name from pg_cursors')), [])
  await client.end()
}

async function checkShowAll(t: Test, address: ServerAddress): Promise<void> {
  const { client } = await connect(address)
  await client.query(`set lock_timeout = '1500ms'; set work_mem = '64MB'`)
  await client.query('begin isolation level serializable')
  const shown = new Map(
    rowsOf(await client.query('show all')).map(([name, value]) => [name ?? '', value]),
  )
  for (const [name, value] of [
    ['lock_timeout', '1500ms'],
    ['work_mem', '64MB'],
    ['transaction_isolation', 'serializable'],
    ['transaction_read_only', 'off'],
    ['search_path', '"$user", public'],
  ] as const) {
    t.equal(shown.get(name), value, name)
  }
  t.ok(shown.size > 300)
  await client.end()
}

async function checkDrop(t: Test, address: ServerAddress): Promise<void> {
  const { client } = await connect(address)
  await client.query('create database leaving')
  const { client: guest } = await connect(address, ORACLE_USER, 'leaving')
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'leaving'`,
  )
  t.strictSame(
    (await client.query('drop database leaving')).map(({ name }) => name),
    ['commandComplete', 'readyForQuery'],
  )
  guest.destroy()
  await client.end()
}

t.test('a long query is cut off between characters', async (t) => {
  const activity = new Activity()
  t.equal(activity.query, '')
  t.notOk(activity.isActive)
  activity.run(`${'a'.repeat(1021)}€€`)
  t.ok(activity.isActive)
  t.equal(activity.query, 'a'.repeat(1021))
  t.equal(activity.source, `${'a'.repeat(1021)}€€`)
  activity.run('€'.repeat(341))
  t.equal(activity.query, '€'.repeat(341), '1023 bytes fit')
  activity.rest()
  t.notOk(activity.isActive)
})

/** Waits until pg_stat_activity shows a client as active. */
async function untilActive(client: WireClient, pid: string): Promise<void> {
  const text = `select 1 from pg_stat_activity where pid = ${pid} and state = 'active'`
  while (rowsOf(await client.query(text)).length === 0) await sleep(10)
}

function connect(address: ServerAddress, user = ORACLE_USER, database = 'postgres') {
  return WireClient.connect(address, { user, database })
}

function rowsOf(messages: readonly ServerMessage[]): readonly (readonly (string | null)[])[] {
  return messages
    .filter(({ name }) => name === 'dataRow')
    .map((row) => row['fields'] as readonly (string | null)[])
}

function errorOf(messages: readonly ServerMessage[]): ServerMessage | undefined {
  return messages.find(({ name }) => name === 'error')
}
