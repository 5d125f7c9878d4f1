import { join } from 'node:path'
import t from 'tap'
import { readPostmasterFile } from '../../server/companion/data-directory.ts'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { findError, mustSucceed, rowsOf } from '../helpers/messages.ts'
import { postgresProcesses } from '../helpers/processes.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { until } from '../helpers/until.ts'
import { WireClient } from '../helpers/wire-client.ts'

const LOGIN = { user: 'tester', database: 'postgres' }

t.test('kill -9 of the proxy while clients write', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const { dataDir } = workspace
  const committed = new Set<number>()
  let next = 0
  const checkAll = async (client: WireClient) => {
    const found = rowsOf(await client.query('select id from t')).map(([id]) => Number(id))
    const lost = [...committed].filter((id) => !found.includes(id))
    t.strictSame(lost, [], `all of ${committed.size} rows are there`)
    // What was in doubt is there for good, where it is there at all.
    for (const id of found) committed.add(id)
  }
  /** Writes until the server has gone, and notes what it said to be committed. */
  const write = async (client: WireClient) => {
    for (;;) {
      const id = ++next
      const answer = await client.query(`insert into t values (${id})`)
      if (!answer.some(({ name }) => name === 'commandComplete')) return
      committed.add(id)
    }
  }
  for (const wanted of [1, 20, 50]) {
    const spanwire = await startSpanwire({ dataDir })
    t.teardown(() => spanwire.kill())
    const { client } = await WireClient.connect(spanwire, LOGIN)
    mustSucceed(await client.query('create table if not exists t (id bigint primary key)'))
    await checkAll(client)
    const clients = await Promise.all([1, 2, 3, 4].map(() => WireClient.connect(spanwire, LOGIN)))
    const size = committed.size + wanted
    const writers = clients.map((other) => write(other.client))
    await until(() => committed.size >= size)
    await spanwire.kill()
    await Promise.all(writers)
    await until(async () => (await postgresProcesses(dataDir)).length === 0)
  }
  const spanwire = await startSpanwire({ dataDir })
  t.teardown(() => spanwire.stop())
  const { client } = await WireClient.connect(spanwire, LOGIN)
  await checkAll(client)
  await client.end()
})

t.test('kill -9 of the companion', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  const connect = async () => (await WireClient.connect(spanwire, LOGIN)).client
  const witness = await connect()
  mustSucceed(await witness.query('create table t (id bigint primary key)'))
  const postmaster = async () => {
    const file = await readPostmasterFile(join(spanwire.dataDir, 'companion'))
    return file?.pid ?? 0
  }
  // Whatever process PostgreSQL loses, it ends all of them and starts again.
  const serverProcess = async (client: WireClient) => {
    const text = "select pid from pg_locks where locktype = 'virtualxid' limit 1"
    return Number(rowsOf(await client.query(text))[0]?.[0])
  }
  for (const [what, victim] of [
    ['postmaster', postmaster],
    ['server process', serverProcess],
  ] as const) {
    await t.test(what, async (t) => {
      const pinned = await connect()
      const inBlock = await connect()
      mustSucceed(await pinned.query('begin; create table pinned (id bigint primary key)'))
      mustSucceed(await inBlock.query('begin; insert into t values (1)'))
      process.kill(await victim(pinned), 'SIGKILL')
      t.match(findError(await pinned.untilReady()), { code: '57P01', severity: 'FATAL' })
      mustSucceed(await inBlock.query('select * from t where id = 1'))
      mustSucceed(await inBlock.query('rollback'))
      mustSucceed(await witness.query('select relname from pg_class limit 1'))
      t.match(findError(await witness.query('select * from pinned')), { code: '42P01' })
      mustSucceed(await witness.query('select * from t'))
      await inBlock.end()
    })
  }
  await witness.end()
})
