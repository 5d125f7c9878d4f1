import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import t from 'tap'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { holdNext } from '../helpers/held-call.ts'
import { findError, mustSucceed, rowsOf } from '../helpers/messages.ts'
import { postgresProcesses } from '../helpers/processes.ts'
import { startRecordedEmbedded } from '../helpers/recorded-backend.ts'
import { MAIN, startSpanwire } from '../helpers/spanwire.ts'
import { until } from '../helpers/until.ts'
import { WireClient } from '../helpers/wire-client.ts'

const LOGIN = { user: 'tester', database: 'postgres' }
const GOODBYE = {
  code: '57P01',
  severity: 'FATAL',
  message: 'terminating connection due to administrator command',
}

t.test('SIGTERM lets statements finish, and ends who is idle', async (t) => {
  const backend = await startRecordedEmbedded()
  t.teardown(() => backend.stop())
  const spanwire = await startSpanwire({ env: backend.env })
  t.teardown(() => spanwire.kill())
  const connect = async () => (await WireClient.connect(spanwire, LOGIN)).client
  const [idle, inBlock, busy] = [await connect(), await connect(), await connect()]
  mustSucceed(await idle.query('create table t (id bigint primary key)'))
  mustSucceed(await inBlock.query('begin; insert into t values (1)'))
  mustSucceed(await inBlock.query('select 1'))

  const held = holdNext(backend.proxy, 'Commit')
  const answer = busy.query('insert into t values (2)')
  await held.arrived
  spanwire.signal('SIGTERM')
  t.match(findError(await idle.untilReady()), GOODBYE)
  t.match(findError(await inBlock.untilReady()), GOODBYE)
  await t.rejects(connect(), { code: 'ECONNREFUSED' })
  held.release()
  t.match(await answer, [
    { name: 'commandComplete', text: 'INSERT 0 1' },
    { name: 'readyForQuery' },
  ])
  t.match(findError(await busy.untilReady()), GOODBYE)
  t.equal(await spanwire.exited, 0)
  t.strictSame(await postgresProcesses(spanwire.dataDir), [])

  const next = await startSpanwire({ env: backend.env, dataDir: spanwire.dataDir })
  t.teardown(() => next.stop())
  const { client } = await WireClient.connect(next, LOGIN)
  t.strictSame(rowsOf(await client.query('select id from t')), [['2']])
  await client.end()
})

t.test('a second signal ends at once', async (t) => {
  const backend = await startRecordedEmbedded()
  t.teardown(() => backend.stop())
  const spanwire = await startSpanwire({ env: backend.env })
  t.teardown(() => spanwire.kill())
  const { client } = await WireClient.connect(spanwire, LOGIN)
  mustSucceed(await client.query('create table t (id bigint primary key)'))
  const { client: idle } = await WireClient.connect(spanwire, LOGIN)
  const held = holdNext(backend.proxy, 'Commit')
  const answer = client.query('insert into t values (2)')
  await held.arrived
  spanwire.signal('SIGTERM')
  t.match(findError(await idle.untilReady()), GOODBYE)
  spanwire.signal('SIGINT')
  t.equal(await spanwire.exited, 1)
  t.strictSame(await answer, [], 'nobody was told that it is committed')
  await until(async () => (await postgresProcesses(spanwire.dataDir)).length === 0)
  held.release()
})

t.test('a signal during the start ends it in order', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const { dataDir } = workspace
  const child = spawn(process.execPath, [MAIN, '--listen', '127.0.0.1:0', '--data-dir', dataDir], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = new Promise((resolve) => child.once('close', resolve))
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      printed += chunk
    })
  }
  await until(async () => (await postgresProcesses(dataDir)).length > 0)
  child.kill('SIGTERM')
  t.equal(await exited, 0)
  t.equal(printed, '')
  t.strictSame(await postgresProcesses(dataDir), [])
  const left = (await readdir(dataDir)).filter((name) => name.includes('unfinished'))
  t.strictSame(left, [], 'nothing half-made is left')
})

t.test('npm start passes a signal on, and the exit code back', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const { dataDir } = workspace
  const args = ['start', '--', '--listen=127.0.0.1:0', '--data-dir', dataDir]
  const npm = spawn('npm', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => npm.kill('SIGKILL'))
  const exited = new Promise((resolve) => npm.once('exit', resolve))
  let printed = ''
  npm.stdout.on('data', (chunk) => {
    printed += chunk
  })
  await until(() => printed.includes('ready for connections'))
  npm.kill('SIGTERM')
  t.equal(await exited, 0)
  t.strictSame(await postgresProcesses(dataDir), [])
})
