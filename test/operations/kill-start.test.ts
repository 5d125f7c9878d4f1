import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { mustSucceed } from '../helpers/messages.ts'
import { postgresProcesses } from '../helpers/processes.ts'
import { MAIN, startSpanwire } from '../helpers/spanwire.ts'
import { until } from '../helpers/until.ts'
import { WireClient } from '../helpers/wire-client.ts'

const UNFINISHED = '.unfinished-'

async function hasUnfinished(dataDir: string): Promise<boolean> {
  return (await readdir(dataDir)).some((name) => name.includes(UNFINISHED))
}

/** Resolves when a directory has begun to be made. It is complete after some 50 ms: who looked now and then might miss it. */
function beginsToBeMade(dataDir: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(dataDir, (_event, name) => {
      if (name?.includes(UNFINISHED) !== true) return
      watcher.close()
      resolve()
    })
  })
}

t.test('kill -9 during the first start', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const { dataDir } = workspace
  await mkdir(dataDir, { mode: 0o755 })
  const postgresRuns = () => until(async () => (await postgresProcesses(dataDir)).length > 0)
  // In the middle of a directory that is being made, and later.
  for (const { reached, delayMs } of [
    { reached: () => beginsToBeMade(dataDir), delayMs: 0 },
    { reached: postgresRuns, delayMs: 0 },
    { reached: postgresRuns, delayMs: 200 },
  ]) {
    const isReached = reached()
    const child = spawn(process.execPath, [MAIN, '--listen=127.0.0.1:0', '--data-dir', dataDir], {
      env: { PATH: process.env['PATH'] },
      stdio: 'ignore',
    })
    t.teardown(() => child.kill('SIGKILL'))
    const exited = new Promise((resolve) => child.once('exit', resolve))
    await isReached
    await sleep(delayMs)
    child.kill('SIGKILL')
    await exited
    await until(async () => (await postgresProcesses(dataDir)).length === 0)
  }
  const spanwire = await startSpanwire({ dataDir })
  t.teardown(() => spanwire.kill())
  const { client } = await WireClient.connect(spanwire, { user: 'tester', database: 'postgres' })
  mustSucceed(await client.query('create table t (id bigint primary key)'))
  await client.end()
  t.notOk(await hasUnfinished(dataDir), 'what was left half-made has gone')
  t.equal(await spanwire.stop(), 0)
})
