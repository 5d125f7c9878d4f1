import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startEmulator } from '../helpers/emulator.ts'
import { orSkip } from '../helpers/on-emulator.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerAddress, WireClient } from '../helpers/wire-client.ts'
import { casesDirectory, type Fixture, readCases } from './cases.ts'

/*
 * Statements that kill the official emulator when they reach it, sent through Spanwire by a PostgreSQL client: they are emulated, or get a
 * clear error, and the emulator lives on.
 */

interface Crash {
  readonly sql: string
  readonly fixture: string
}

/** What the client got: rows, or an SQLSTATE. */
type Outcome = 'rows' | string

/** SQLSTATEs that say what is wrong with a statement, or that it is not supported: syntax and names, data, features. */
const CLEAR = /^(?:42|3F|22|23|0A|54)/

t.setTimeout(600_000)

t.test('statements that kill the emulator never reach it', async (t) => {
  const directory = casesDirectory()
  const cases = await readCases(directory)
  if (cases === undefined) {
    const text = `SKIPPED: the statements are not at ${directory} (SPANWIRE_CONFORMANCE_DIR)`
    process.stderr.write(`${text}\n`)
    t.pass(text, { skip: true })
    return
  }
  const crashes = await readCrashes(directory)
  await orSkip(t, startEmulator, async ({ address }) => {
    const spanwire = await startSpanwire({ env: { SPANNER_EMULATOR_HOST: address } })
    t.teardown(async () => {
      await spanwire.stop()
    })
    const outcomes: Outcome[] = []
    for (const name of new Set(crashes.map((crash) => crash.fixture))) {
      const own = crashes.filter((crash) => crash.fixture === name)
      const fixture = cases.fixtures[name] ?? { ddl: [], rows: [] }
      outcomes.push(...(await sendAll(t, { name, fixture, crashes: own, spanwire, address })))
    }
    t.equal(outcomes.length, crashes.length, 'every statement has been sent')
    t.comment(summary(outcomes))
  })
})

async function readCrashes(directory: string): Promise<readonly Crash[]> {
  const lines = (await readFile(join(directory, 'crash.jsonl'), 'utf8')).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Crash)
}

interface Run {
  readonly name: string
  readonly fixture: Fixture
  readonly crashes: readonly Crash[]
  readonly spanwire: ServerAddress
  readonly address: string
}

/** Sends the statements of one fixture, in a database of their own. */
async function sendAll(t: Test, run: Run): Promise<readonly Outcome[]> {
  const database = `crash_${run.name.replace('-', '_')}`
  await withClient(run.spanwire, 'postgres', (admin) => admin.query(`CREATE DATABASE ${database}`))
  return withClient(run.spanwire, database, (client) => sendEach(t, client, run))
}

async function withClient<T>(
  address: ServerAddress,
  database: string,
  work: (client: WireClient) => Promise<T>,
): Promise<T> {
  const { client } = await WireClient.connect(address, { user: 'postgres', database })
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function sendEach(t: Test, client: WireClient, run: Run): Promise<readonly Outcome[]> {
  await prepare(t, client, run)
  const outcomes: Outcome[] = []
  for (const { sql } of run.crashes) {
    const messages = await client.query(sql)
    const error = messages.find(({ name }) => name === 'error')
    const outcome = error === undefined ? 'rows' : String(error['code'])
    if (outcome !== 'rows') t.match(outcome, CLEAR, `${run.name}: ${sql}: ${error?.['message']}`)
    if (!(await isAlive(run.address))) {
      t.fail(`${run.name}: the emulator died of: ${sql}`)
      break
    }
    outcomes.push(outcome)
  }
  return outcomes
}

/** Makes what PostgreSQL's grammar can say of a fixture; a comment tells what it cannot. */
async function prepare(t: Test, client: WireClient, { name, fixture }: Run): Promise<void> {
  for (const sql of [...fixture.ddl, ...fixture.rows]) {
    const error = (await client.query(sql)).find((message) => message.name === 'error')
    if (error !== undefined) t.comment(`${name}: not made: ${sql}: ${error['message']}`)
  }
}

async function isAlive(address: string): Promise<boolean> {
  const [host = '', port] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function summary(outcomes: readonly Outcome[]): string {
  const counts = new Map<Outcome, number>()
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => `${outcome}: ${count}`).join(', ')
}
