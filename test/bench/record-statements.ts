import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serialize } from 'pg-protocol/dist/index.js'
import { connectTo, type EmbeddedClient, startTestServer } from '../embedded/embedded-client.ts'
import { RecordingProxy } from '../helpers/recording-proxy.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { type ServerAddress, WireClient } from '../helpers/wire-client.ts'
import { type Answer, type CannedReply, recordedReply, workloadReplies } from './canned-replies.ts'

const DATABASE = 'bench'
const WIDE_ROWS = 100_000

/** What a client of the workloads declares. Spanner needs keys where the load generator's own schema has none. */
const TABLES = [
  'create table bench_point (id bigint primary key, name varchar, score float8, ok bool, ts timestamptz)',
  'create table bench_ins (id bigint primary key, name varchar, score float8, ok bool, ts timestamptz)',
  `create table bench_wide (id bigint primary key, c1 varchar, c2 float8, c3 bool, c4 numeric, c5 timestamptz, c6 date,
     c7 varchar, c8 bigint, c9 bytea)`,
]

const POINT_COLUMNS = ['id:bigint', 'name:varchar', 'score:float8', 'ok:bool', 'ts:timestamptz']
const POINT_ROW = ['42', 'a name of common length', 1234.5678, true, '2026-01-02T03:04:05.678901Z']
const POINT = { columns: POINT_COLUMNS, rows: [POINT_ROW] }
const POINT_SQL = 'SELECT id, name, score, ok, ts FROM bench_point WHERE id = '

interface WorkloadStatement {
  readonly text: string
  readonly values: readonly string[]
  /** OIDs of the parameters, as the prepared workloads give them. */
  readonly types: readonly number[]
  readonly answer: Answer
}

/** The statements of pgload's workloads, as it sends them prepared and unnamed. */
const STATEMENTS: readonly WorkloadStatement[] = [
  { text: `${POINT_SQL}$1`, values: ['42'], types: [20], answer: POINT },
  {
    text: 'INSERT INTO bench_ins (id, name, score, ok, ts) VALUES ($1, $2, $3, $4, $5)',
    values: ['1', 'a name of common length', '1234.5678', 'true', '2026-01-02T03:04:05.678+00:00'],
    types: [20, 1043, 701, 16, 1184],
    answer: { update: 1 },
  },
  {
    text: 'UPDATE bench_point SET score = $2 WHERE id = $1',
    values: ['42', '2.5'],
    types: [20, 701],
    answer: { update: 1 },
  },
  {
    text: 'SELECT id, c1, c2, c3, c4, c5, c6, c7, c8, c9 FROM bench_wide',
    values: [],
    types: [],
    answer: {
      generate: WIDE_ROWS,
      columns: [
        'id:bigint',
        'c1:varchar',
        'c2:float8',
        'c3:bool',
        'c4:numeric',
        'c5:timestamptz',
        'c6:date',
        'c7:varchar',
        'c8:bigint',
        'c9:bytea',
      ],
    },
  },
]
/** Keys of the workload that puts them into the text. */
const LITERAL_KEYS = [7, 812, 1993, 10_000]

/**
 * The fake's table for the Spanwire that is built now: one that starts with nothing of its own, on a database that has the
 * workloads' tables, is watched while it opens the database and runs each statement.
 */
export async function recordStatements(): Promise<readonly CannedReply[]> {
  const server = await startTestServer()
  const proxy = await RecordingProxy.start(server.address.replace(/^unix:/, ''))
  const ends = [() => proxy.stop(), () => server.remove()]
  try {
    const env = { SPANNER_EMULATOR_HOST: proxy.address }
    await withSpanwire(env, async (address) => {
      const { client } = await WireClient.connect(address, { user: 'bench', database: DATABASE })
      for (const table of TABLES) await mustSucceed(client.query(table))
      await client.end()
    })
    proxy.clear()
    const sent = await withSpanwire(env, (address) => runWorkloads(address, proxy))
    const backend = await connectTo(server, DATABASE)
    ends.unshift(async () => backend.close())
    return [...sent.workloads, ...(await askAll(backend, sent.bookkeeping))]
  } finally {
    for (const end of ends) await end()
  }
}

async function withSpanwire<T>(
  env: Readonly<Record<string, string>>,
  work: (address: ServerAddress) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanwire-bench-'))
  const spanwire = await startSpanwire({ env, dataDir, args: ['--database', DATABASE] })
  try {
    return await work(spanwire)
  } finally {
    await spanwire.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** A statement that reached the backend. */
interface SentStatement {
  readonly sql: string
  /** PLAN mode: whether the backend accepts it is all that was asked. */
  readonly isPlanOnly: boolean
}

interface Sent {
  readonly bookkeeping: readonly SentStatement[]
  readonly workloads: readonly CannedReply[]
}

async function runWorkloads(address: ServerAddress, proxy: RecordingProxy): Promise<Sent> {
  const { client } = await WireClient.connect(address, { user: 'bench', database: DATABASE })
  const bookkeeping = statementsOf(proxy)
  const textsOf = async (run: () => Promise<unknown>): Promise<readonly string[]> => {
    proxy.clear()
    await run()
    return statementsOf(proxy).map(({ sql }) => sql)
  }
  const workloads: CannedReply[] = []
  for (const { text, values, types, answer } of STATEMENTS) {
    const untyped = await textsOf(() => mustSucceed(client.extended(text, values)))
    // Again, as a row that is there: the key of an INSERT is free once only.
    const others = values.map((value, index) => (index === 0 ? `${value}1` : value))
    const typed = await textsOf(() =>
      mustSucceed(runTyped(client, text, { types, values: others })),
    )
    workloads.push(...workloadReplies([...untyped, ...typed], answer))
  }
  const literals = await textsOf(async () => {
    for (const key of LITERAL_KEYS) await mustSucceed(client.query(`${POINT_SQL}${key}`))
  })
  workloads.push(...workloadReplies(literals, POINT))
  await client.end()
  return { bookkeeping, workloads }
}

function runTyped(
  client: WireClient,
  text: string,
  given: { readonly types: readonly number[]; readonly values: readonly string[] },
) {
  client.send(
    serialize.parse({ text, types: [...given.types] }),
    serialize.bind({ values: [...given.values] }),
    serialize.describe({ type: 'P' }),
    serialize.execute({ portal: '', rows: 0 }),
    serialize.sync(),
  )
  return client.untilReady()
}

function statementsOf(proxy: RecordingProxy): SentStatement[] {
  return proxy.calls
    .filter(({ method }) => method === 'ExecuteSql' || method === 'ExecuteStreamingSql')
    .map((call) => {
      const request = call.request()
      return { sql: String(request['sql']), isPlanOnly: request['queryMode'] === 1 }
    })
}

async function mustSucceed(answer: ReturnType<WireClient['query']>): Promise<void> {
  const error = (await answer).find(({ name }) => name === 'error')
  if (error !== undefined) throw new Error(`Spanwire answers ${String(error['message'])}`)
}

async function askAll(
  backend: EmbeddedClient,
  statements: readonly SentStatement[],
): Promise<CannedReply[]> {
  const replies = new Map<string, CannedReply>()
  for (const { sql, isPlanOnly } of statements) {
    const reply = isPlanOnly
      ? { sql, columns: ['accepted:bool'] }
      : recordedReply(sql, await backend.run(sql))
    replies.set(sql, reply)
  }
  return [...replies.values()]
}
