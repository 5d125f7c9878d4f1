import { spawn } from 'node:child_process'
import t from 'tap'
import { findError, mustSucceed, rowsOf } from '../helpers/messages.ts'
import { startRecordedEmbedded } from '../helpers/recorded-backend.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { until } from '../helpers/until.ts'
import { WireClient } from '../helpers/wire-client.ts'

const LOGIN = { user: 'tester', database: 'postgres' }

/** The exit code of the container's health check. */
function healthcheck(healthUrl: string): Promise<number | null> {
  const env = { SPANWIRE_HEALTH_LISTEN: healthUrl.slice('http://'.length) }
  const child = spawn(process.execPath, ['deploy/healthcheck.mjs'], { env, stdio: 'ignore' })
  return new Promise((resolve) => child.once('close', resolve))
}

t.test('Spanner goes away and comes back', async (t) => {
  const backend = await startRecordedEmbedded()
  t.teardown(() => backend.stop())
  const spanwire = await startSpanwire({ env: backend.env })
  t.teardown(() => spanwire.stop())
  const connect = async (database = 'postgres') =>
    WireClient.connect(spanwire, { ...LOGIN, database })
  const readiness = async () => {
    const response = await fetch(`${spanwire.healthUrl}/readyz`)
    return { status: response.status, text: await response.text() }
  }
  const { client: reader } = await connect()
  const { client: writer } = await connect()
  const { client: inBlock } = await connect()
  mustSucceed(await reader.query('create database other'))
  mustSucceed(await reader.query('create table t (id bigint primary key)'))
  mustSucceed(await inBlock.query('begin; insert into t values (1)'))
  t.strictSame(await readiness(), { status: 200, text: 'ready\n' })
  t.equal(await healthcheck(spanwire.healthUrl), 0)

  await backend.disconnect()
  t.match(await readiness(), { status: 503, text: /^not ready: .+\n$/ })
  t.equal((await fetch(`${spanwire.healthUrl}/healthz`)).status, 200)
  t.equal(await healthcheck(spanwire.healthUrl), 1)
  const [read, write, later, lost] = await Promise.all([
    reader.query('select * from t'),
    writer.query('insert into t values (2)'),
    inBlock.query('insert into t values (3)'),
    connect('other'),
  ])
  const unreachable = { code: '08006', severity: 'ERROR' }
  t.match(findError(read), unreachable)
  t.match(read.at(-1), { name: 'readyForQuery', status: 'I' })
  t.match(findError(write), unreachable)
  t.match(findError(later), unreachable)
  t.match(later.at(-1), { name: 'readyForQuery', status: 'E' })
  t.match(lost.messages, [{ name: 'error', code: '08006', severity: 'FATAL' }])
  t.match(findError(await inBlock.query('select 1')), { code: '25P02' })
  t.strictSame(rowsOf(await reader.query('select 1')), [['1']], 'what needs no rows goes on')
  const { client: visitor } = await connect()
  t.strictSame(rowsOf(await visitor.query("select 't'::regclass::text")), [['t']])
  await visitor.end()

  await backend.reconnect()
  await until(async () => (await readiness()).status === 200)
  mustSucceed(await inBlock.query('rollback'))
  mustSucceed(await writer.query('insert into t values (2)'))
  t.strictSame(rowsOf(await reader.query('select id from t')), [['2']])
  mustSucceed(await inBlock.query('begin; insert into t values (3); commit'))
  const { client: second } = await connect('other')
  t.strictSame(rowsOf(await second.query('select current_database()')), [['other']])
  for (const client of [reader, writer, inBlock, second]) await client.end()
})
