import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { postgresProcesses } from '../helpers/processes.ts'
import { runSpanwire, startSpanwire } from '../helpers/spanwire.ts'

const isRoot = process.getuid?.() === 0
const FREE = ['--listen', '127.0.0.1:0']

// One data directory serves all of them: what a start finds wrong must not spoil the next one.
const workspace = await makeWorkspace()
await mkdir(workspace.dataDir, { mode: 0o755 })
t.teardown(() => workspace.remove())

interface Refusal {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly line: RegExp
}

/** A start that cannot succeed: one line on standard error, exit code 1, and nothing left running. */
async function refuses(t: Test, dataDir: string, { args = FREE, env, line }: Refusal) {
  const run = await runSpanwire(['--data-dir', dataDir, ...args], env)
  t.equal(run.code, 1)
  t.match(run.stderr, /^spanwire: [^\n]+\n$/, 'one line')
  t.match(run.stderr, line)
  t.notMatch(run.stdout, 'ready for connections')
  t.notMatch(run.stdout, '"level":"warn"', 'the line is all that there is to say')
  t.strictSame(await postgresProcesses(dataDir), [], 'no PostgreSQL is left')
}

function addressOf(server: Server): string {
  const bound = server.address()
  return `127.0.0.1:${typeof bound === 'object' ? bound?.port : bound}`
}

t.test('what the user typed', async (t) => {
  const { dataDir } = workspace
  await refuses(t, dataDir, { args: ['--frobnicate'], line: /--frobnicate: there is no such flag/ })
  await refuses(t, dataDir, { args: ['--config', '/nonexistent'], line: /cannot read \/nonexist/ })
  await refuses(t, dataDir, {
    env: { SPANWIRE_LOG_LEVEL: 'loud' },
    line: /SPANWIRE_LOG_LEVEL: "loud" is not one of/,
  })
})

t.test('ports', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const address = addressOf(server)
  const line = new RegExp(`cannot listen on ${address}: another program listens there`)
  await refuses(t, workspace.dataDir, { args: ['--listen', address], line })
  await refuses(t, workspace.dataDir, { args: [...FREE, '--health-listen', address], line })
})

t.test('the data directory', async (t) => {
  const { root, dataDir } = workspace
  const first = await startSpanwire({ dataDir })
  const second = await runSpanwire([...FREE, '--data-dir', dataDir])
  t.match(second, {
    code: 1,
    stderr:
      /^spanwire: data directory .* is in use by another PostgreSQL server \(process \d+\)\n$/,
  })
  t.equal(await first.stop(), 0)

  const version = join(dataDir, 'embedded', 'PG_VERSION')
  const major = await readFile(version)
  await writeFile(version, '14\n')
  await refuses(t, dataDir, {
    line: /was made by PostgreSQL 14, and these binaries are PostgreSQL/,
  })

  await writeFile(version, major)

  const file = join(root, 'file')
  await writeFile(file, '')
  await refuses(t, file, { line: /data directory .*file.* cannot be used: ENOTDIR/ })

  // A file system in which nothing can be made says so of the directory's parent only.
  await refuses(t, '/proc/nosuch/x', { line: /data directory .*nosuch.* cannot be used: ENOENT/ })

  // PostgreSQL does not run as root, who may read everything: there, a directory is closed to the user that it runs as.
  const closed = join(root, 'closed')
  await mkdir(join(closed, 'inner'), { recursive: true })
  await chmod(closed, isRoot ? 0o700 : 0o000)
  const line = isRoot ? /cannot be reached by user \d+.*closed is closed to it/ : /EACCES/
  await refuses(t, join(closed, 'inner'), { line })
  await chmod(closed, 0o700)
  await rm(closed, { recursive: true })
})

t.test('PostgreSQL', async (t) => {
  const args = [...FREE, '--postgres-bin-dir', '/nonexistent']
  await refuses(t, workspace.dataDir, { args, line: /\/nonexistent\/postgres cannot be run/ })
  const file = [...FREE, '--postgres-bin-dir', process.execPath]
  await refuses(t, workspace.dataDir, { args: file, line: /\/postgres cannot be run.*ENOTDIR/ })
})

t.test('Spanner', async (t) => {
  const { dataDir } = workspace
  await refuses(t, dataDir, {
    env: { SPANNER_EMULATOR_HOST: '127.0.0.1:1' },
    line: /cannot use projects\/spanwire\/instances\/spanwire at 127\.0\.0\.1:1: connect ECONNREFUSED/,
  })
  const args = [...FREE, '--project', 'p-1', '--instance', 'i-1']
  const nobody = { HOME: workspace.root, METADATA_SERVER_DETECTION: 'none' }
  const line =
    /cannot use projects\/p-1\/instances\/i-1 at spanner\.googleapis\.com: no Google cred/
  await refuses(t, dataDir, { args, env: nobody, line })
  // Something is there that is no metadata server: google-auth-library warns of it.
  const stranger = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  t.teardown(() => stranger.close())
  await new Promise((resolve) => stranger.once('listening', resolve))
  const elsewhere = { HOME: workspace.root, GCE_METADATA_HOST: addressOf(stranger) }
  await refuses(t, dataDir, { args, env: elsewhere, line })
  const missing = { ...nobody, GOOGLE_APPLICATION_CREDENTIALS: '/nonexistent.json' }
  await refuses(t, dataDir, { args, env: missing, line: /no Google cred.*\/nonexistent\.json/ })
})
