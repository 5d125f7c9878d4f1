import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { makeWorkspace, until } from '../companion/test-cluster.ts'
import { mustSucceed } from '../helpers/messages.ts'
import { postgresProcesses } from '../helpers/processes.ts'
import { MAIN, startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

t.test('kill -9 during the first start', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const { dataDir } = workspace
  for (const delayMs of [0, 200, 500]) {
    const child = spawn(process.execPath, [MAIN, '--listen=127.0.0.1:0', '--data-dir', dataDir], {
      env: { PATH: process.env['PATH'] },
      stdio: 'ignore',
    })
    t.teardown(() => child.kill('SIGKILL'))
    const exited = new Promise((resolve) => child.once('exit', resolve))
    await until(async () => (await postgresProcesses(dataDir)).length > 0)
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
  t.equal(await spanwire.stop(), 0)
})
