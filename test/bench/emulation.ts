/**
 * What a plan miss and an emulated SELECT cost: `npm run build && node dist/test/bench/emulation.js`. The embedded backend, one
 * connection. Prints a table.
 */
import { serialize } from 'pg-protocol/dist/index.js'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const ROUNDS = 200
const ROWS_PER_TABLE = 500

const EMULATED = `select a.id, a.name, b.n, rank() over (partition by a.id % 10 order by b.n desc)
  from bench_a a join bench_b b on b.a = a.id order by a.id`
const ALONE = 'select a.id, a.name, b.n from bench_a a join bench_b b on b.a = a.id order by a.id'

const spanwire = await startSpanwire()
try {
  const { client } = await WireClient.connect(spanwire, {
    user: 'me',
    database: 'postgres',
    'spanwire.emulation': 'on',
  })
  await fill(client)
  const lines = await measure(client)
  process.stdout.write(`| what | p10 | median | p95 |\n|---|---|---|---|\n${lines.join('\n')}\n`)
  await client.end()
} finally {
  await spanwire.stop()
}

async function fill(client: WireClient): Promise<void> {
  await client.query('create table bench_a (id bigint primary key, name text)')
  await client.query('create table bench_b (id bigint primary key, a bigint, n bigint)')
  const series = `generate_series(1, ${ROWS_PER_TABLE}) n`
  await client.query(`insert into bench_a select n, 'name of ' || n from ${series}`)
  await client.query(`insert into bench_b select n, n, n * 7919 % 1000 from ${series}`)
}

async function measure(client: WireClient): Promise<readonly string[]> {
  const known = 'select id, name from bench_a where id = 1'
  const hits = await times(() => describe(client, known))
  const misses = await times((round) => describe(client, `${known} and name <> 'miss ${round}'`))
  const alone = await times(() => client.query(ALONE))
  const emulated = await times(() => client.query(EMULATED))
  return [
    line('Parse and Describe of a point SELECT, plan known', hits),
    line('the same, plan made', misses),
    line(`SELECT over ${2 * ROWS_PER_TABLE} rows of two tables, pushed down`, alone),
    line(`SELECT over ${2 * ROWS_PER_TABLE} rows of two tables, emulated`, emulated),
  ]
}

/** Nothing of it goes to Spanner. */
async function describe(client: WireClient, text: string): Promise<void> {
  client.send(serialize.parse({ text }), serialize.describe({ type: 'S' }), serialize.sync())
  await client.untilReady()
}

/** Milliseconds of each round, sorted; the first tenth of the rounds warms up. */
async function times(run: (round: number) => Promise<unknown>): Promise<readonly number[]> {
  const all: number[] = []
  for (let round = -ROUNDS / 10; round < ROUNDS; round++) {
    const startedAt = performance.now()
    await run(round)
    if (round >= 0) all.push(performance.now() - startedAt)
  }
  return all.sort((a, b) => a - b)
}

function line(what: string, sorted: readonly number[]): string {
  const cells = [0.1, 0.5, 0.95].map((share) => ms(sorted[Math.floor(sorted.length * share)] ?? 0))
  return `| ${what} | ${cells.join(' | ')} |`
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`
}
