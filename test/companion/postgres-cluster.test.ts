import { spawn } from 'node:child_process'
import { chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import tap from 'tap'
import { readPostmasterFile } from '../../server/companion/data-directory.ts'
import type { PostgresCluster } from '../../server/companion/postgres-cluster.ts'
import { until } from '../helpers/until.ts'
import { isAlive, makeWorkspace, startTestCluster } from './test-cluster.ts'

const signal = AbortSignal.timeout(120_000)
const isRoot = process.getuid?.() === 0
// One data directory for all tests, one after the other: initdb is what takes the time.
const workspace = await makeWorkspace()
tap.teardown(workspace.remove)

async function postmasterPid(): Promise<number> {
  const file = await readPostmasterFile(workspace.dataDir)
  if (file === undefined) throw new Error('no postmaster.pid')
  return file.pid
}

async function selectOne(cluster: PostgresCluster): Promise<unknown> {
  const connection = await cluster.connect({ user: 'spanwire', database: 'postgres', signal })
  const rows = await connection.query('select 1 as one')
  await connection.close()
  return rows
}

function startStandIn(uid: number | undefined) {
  const file = fileURLToPath(new URL('./proxy-stand-in.js', import.meta.url))
  const child = spawn(
    process.execPath,
    [file, workspace.dataDir, workspace.stateDir, workspace.socketDir],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    },
  )
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const ready = new Promise<{ postmaster: number; backend: number }>((resolve, reject) => {
    child.stdout.once('data', (line) => resolve(JSON.parse(String(line))))
    child.once('exit', () => reject(new Error('the stand-in ended')))
  })
  return { child, exited, ready }
}

tap.test('a cluster is initialised, started, stopped and started again', async (t) => {
  const cluster = await startTestCluster(workspace)
  const connection = await cluster.connect({ user: 'spanwire', database: 'postgres', signal })
  t.strictSame(
    await connection.query(
      `select pg_encoding_to_char(encoding) as encoding, datcollate, current_setting('listen_addresses') as tcp,
         usesuper::text from pg_database, pg_user where datname = 'postgres' and usename = current_user`,
    ),
    [{ encoding: 'UTF8', datcollate: 'C', tcp: '', usesuper: 'true' }],
  )
  const pid = await postmasterPid()
  t.equal((await stat(workspace.socketDir)).mode & 0o777, 0o700)
  t.equal((await stat(workspace.dataDir)).mode & 0o777, 0o700)
  if (isRoot) {
    t.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^Uid:\s+65534\s+65534/m)
  }
  await cluster.stop()
  await cluster.stop()
  t.notOk(isAlive(pid))
  t.ok(connection.isLost)
  await t.rejects(cluster.connect({ user: 'spanwire', database: 'postgres', signal }), {
    kind: 'stopped',
    message: 'the test PostgreSQL has been stopped',
  })
  const again = await startTestCluster(workspace)
  t.strictSame(await selectOne(again), [{ one: '1' }])
  await again.stop()
  t.strictSame(
    (await readdir(workspace.root)).sort(),
    ['data', 'run', 'state'],
    'no half-made directories',
  )
})

tap.test('directories that cannot be used are told apart', async (t) => {
  const cluster = await startTestCluster(workspace)
  await t.rejects(startTestCluster(workspace), { kind: 'in-use', message: /in use.*process \d+/ })
  t.strictSame(await selectOne(cluster), [{ one: '1' }], 'the first one goes on')
  await cluster.stop()

  const version = join(workspace.dataDir, 'PG_VERSION')
  await writeFile(version, '9\n')
  await t.rejects(startTestCluster(workspace), { kind: 'wrong-major', message: /PostgreSQL 9/ })
  await writeFile(version, `${cluster.binaries.major}\n`)

  const dataDir = join(workspace.root, 'other')
  await mkdir(dataDir)
  await writeFile(join(dataDir, 'letter.txt'), 'dear reader')
  await t.rejects(startTestCluster(workspace, { dataDir }), {
    kind: 'not-a-cluster',
    message: /holds no PostgreSQL cluster/,
  })
  t.equal(await readFile(join(dataDir, 'letter.txt'), 'utf8'), 'dear reader')

  const settings = { shared_buffers: 'plenty' }
  await t.rejects(startTestCluster(workspace, { settings }), {
    kind: 'failed',
    message: /shared_buffers/,
  })
})

tap.test('a server that is killed comes back', async (t) => {
  const cluster = await startTestCluster(workspace)
  t.teardown(() => cluster.stop())
  const events: string[] = []
  cluster.onLost(() => events.push('lost'))
  cluster.onBack(() => events.push('back'))
  const connection = await cluster.connect({ user: 'spanwire', database: 'postgres', signal })
  const sleeping = connection.query('select pg_sleep(60)')
  process.kill(await postmasterPid(), 'SIGKILL')
  await t.rejects(sleeping, { name: 'ConnectionLostError', code: '57P01' })
  await until(() => events.length > 0)
  t.strictSame(await selectOne(cluster), [{ one: '1' }], 'connect waits for the next server')
  t.strictSame(events, ['lost', 'back'])
  t.ok(cluster.isRunning)
})

for (const uid of isRoot ? [undefined, 65_534] : [undefined]) {
  tap.test(`kill -9 of the proxy leaves no process (uid ${uid ?? 'as we are'})`, async (t) => {
    if (uid !== undefined) {
      await chown(workspace.root, uid, uid)
      await chown(workspace.stateDir, uid, uid)
    }
    const first = startStandIn(uid)
    const pids = await first.ready
    t.ok(isAlive(pids.postmaster))
    first.child.kill('SIGKILL')
    await first.exited
    // The next proxy does not wait for the old server to end.
    const second = startStandIn(uid)
    const next = await second.ready
    t.not(next.postmaster, pids.postmaster)
    await until(() => !(isAlive(pids.postmaster) || isAlive(pids.backend)))
    second.child.stdin.end()
    await second.exited
    t.notOk(isAlive(next.postmaster), 'an orderly stop leaves none either')
  })
}

tap.test('a stale lock file whose pid is now another program', async (t) => {
  const cluster = await startTestCluster(workspace)
  const lockFile = join(workspace.dataDir, 'postmaster.pid')
  const lines = (await readFile(lockFile, 'utf8')).split('\n')
  await cluster.stop()
  const uid = isRoot ? { uid: 65_534, gid: 65_534 } : {}
  const stranger = spawn('/bin/sleep', ['60'], { stdio: 'ignore', cwd: '/', ...uid })
  t.teardown(() => stranger.kill())
  await writeFile(lockFile, [stranger.pid, ...lines.slice(1)].join('\n'))
  const again = await startTestCluster(workspace)
  t.strictSame(await selectOne(again), [{ one: '1' }])
  await again.stop()
})
