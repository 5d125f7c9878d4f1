import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import tap from 'tap'
import { isAlive, makeWorkspace } from '../companion/test-cluster.ts'
import { until } from '../helpers/until.ts'
import {
  askPostgres,
  connectTo,
  failureText,
  READ_WRITE,
  startTestServer,
} from './embedded-client.ts'

tap.test('what was committed is there after kill -9, and Commit is answered again', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./server-process.js', import.meta.url)), workspace.root],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const { address, instance, postmaster } = JSON.parse(String(line))

  const before = await connectTo({ address, instance }, 'durable')
  await before.ddl('CREATE TABLE t (id bigint PRIMARY KEY)')
  const session = await before.newSession()
  const committed = await before.run('INSERT INTO t (id) VALUES (1)', {
    session,
    in: READ_WRITE,
    seqno: 1,
  })
  await before.call('commit', { session, transactionId: committed.transaction })
  const open = await before.run('INSERT INTO t (id) VALUES (2)', {
    session: before.session,
    in: READ_WRITE,
    seqno: 1,
  })
  await before.ddl('CREATE TABLE u (id bigint PRIMARY KEY)')
  child.kill('SIGKILL')
  await once(child, 'exit')
  before.close()
  await until(() => !isAlive(postmaster))

  const server = await startTestServer(workspace)
  t.teardown(() => server.stop())
  const after = await connectTo(server, 'durable')
  t.teardown(() => after.close())
  t.strictSame((await after.run('SELECT id FROM t')).rows, [['1']])
  t.strictSame((await after.run('SELECT id FROM u')).columns, ['id INT64'], 'so is a schema change')
  const again = await after.call('commit', { session, transactionId: committed.transaction })
  t.ok(Number(again.commitTimestamp.seconds) > 1_600_000_000)
  t.match(
    await failureText(
      after.call('commit', { session: before.session, transactionId: open.transaction }),
    ),
    /^5 Session not found/,
  )
  t.match(
    await failureText(
      after.call('commit', { session: after.session, transactionId: open.transaction }),
    ),
    /^10 /,
  )
  t.match(await failureText(after.run('SELECT 1', { session })), /^5 Session not found/)
})

tap.test('a lost transaction stays lost when PostgreSQL gives its xid to another', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./server-process.js', import.meta.url)), workspace.root],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const { address, instance, postmaster } = JSON.parse(String(line))
  const before = await connectTo({ address, instance }, 'reused')
  await before.ddl('CREATE TABLE t (id bigint PRIMARY KEY)')
  // A begin writes nothing: a crash forgets that its xid was given out.
  const lost = await before.run('SELECT 1', { in: READ_WRITE, seqno: 1 })
  child.kill('SIGSTOP')
  process.kill(postmaster, 'SIGKILL')
  child.kill('SIGKILL')
  await once(child, 'exit')
  before.close()
  await until(() => !isAlive(postmaster))

  const server = await startTestServer(workspace)
  t.teardown(() => server.stop())
  const after = await connectTo(server, 'reused')
  t.teardown(() => after.close())
  const [, , xid] = String(lost.transaction).split('-')
  const status = async () => {
    const sql = `SELECT CASE WHEN ${xid} < pg_snapshot_xmax(pg_current_snapshot())::text::numeric
      THEN pg_xact_status('${xid}') END AS status`
    return (await askPostgres(server, sql))[0]?.['status']
  }
  for (let id = 0; (await status()) !== 'committed' && id < 100; id++) {
    await after.write(`INSERT INTO t (id) VALUES (${id})`)
  }
  t.equal(await status(), 'committed', 'another transaction has the xid now')
  const commit = { session: after.session, transactionId: lost.transaction }
  t.match(await failureText(after.call('commit', commit)), /^10 /)
})

tap.test('the data directory may lie deeper than a socket could', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const dataDir = join(workspace.root, 'deep'.repeat(30), 'data')
  const server = await startTestServer(workspace, { dataDir })
  const path = server.address.slice('unix:'.length)
  t.equal((await stat(dirname(path))).mode & 0o777, 0o700, 'closed to others')
  t.notOk(path.startsWith(workspace.root))
  const client = await connectTo(server, 'deep')
  t.strictSame((await client.run('SELECT 1')).rows, [['1']])
  client.close()
  await server.stop()
  await t.rejects(stat(dirname(path)), { code: 'ENOENT' })
})

tap.test('a stopped server starts again on the same data', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const first = await startTestServer(workspace)
  const before = await connectTo(first, 'again')
  await before.ddl(
    "ALTER DATABASE again SET spanner.default_time_zone = 'UTC'",
    'CREATE TABLE t (id bigint PRIMARY KEY)',
  )
  await before.write('INSERT INTO t (id) VALUES (1)')
  const operation = await before.ddl('CREATE TABLE u (id bigint PRIMARY KEY)')
  before.close()
  await first.stop()
  const second = await startTestServer(workspace)
  t.teardown(() => second.stop())
  const after = await connectTo(second, 'again')
  t.teardown(() => after.close())
  t.strictSame((await after.run('SELECT id FROM t')).rows, [['1']])
  t.strictSame((await after.run("SELECT '2024-01-01'::timestamptz")).rows, [
    ['2024-01-01T00:00:00Z'],
  ])
  t.equal(
    (await after.call('getOperation', { name: operation.name })).done,
    true,
    'operations are kept',
  )
})

tap.test(
  'PostgreSQL that dies is ABORTED for who was in a transaction; the next one works',
  async (t) => {
    const server = await startTestServer()
    t.teardown(() => server.remove())
    const client = await connectTo(server, 'crash')
    t.teardown(() => client.close())
    await client.ddl('CREATE TABLE t (id bigint PRIMARY KEY)')
    const session = await client.newSession()
    const open = await client.run('INSERT INTO t (id) VALUES (1)', {
      session,
      in: READ_WRITE,
      seqno: 1,
    })
    const back = new Promise<void>((resolve) => {
      server.cluster.onBack(() => resolve())
    })
    const [backend] = await askPostgres(
      server,
      "SELECT pid::text AS pid FROM pg_stat_activity WHERE datname = 'db_crash' AND state = 'idle in transaction'",
    )
    process.kill(Number(backend?.['pid']), 'SIGKILL')
    await until(async () =>
      /^10 /.test(await failureText(client.run('SELECT 1', { session, in: open.transaction }))),
    )
    await Promise.race([back, new Promise((resolve) => setTimeout(resolve, 2_000))])
    await until(async () => {
      try {
        await client.write('INSERT INTO t (id) VALUES (1)')
        return true
      } catch {
        return false
      }
    })
    t.strictSame((await client.run('SELECT id FROM t')).rows, [['1']])
  },
)
