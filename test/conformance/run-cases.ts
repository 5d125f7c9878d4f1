import { PgError } from '../../server/base/pg-error.ts'
import { SQL_STATE } from '../../server/base/sql-state.ts'
import { SUPERUSER } from '../../server/embedded/instance.ts'
import {
  connectTo,
  type EmbeddedClient,
  failure,
  type Message,
  type TestServer,
  value,
} from '../embedded/embedded-client.ts'
import type { Case, CaseParam, Cases, Expected, Fixture } from './cases.ts'
import { type DdlChange, judge, type Outcome, type Verdict } from './compare.ts'

/** A case with how it went. */
export interface Result {
  readonly case: Case
  readonly verdict: Verdict
}

type Judged = Omit<Result, 'case'>

async function judged(
  one: Case,
  client: EmbeddedClient,
  run: (client: EmbeddedClient, one: Case) => Promise<Outcome>,
): Promise<Judged> {
  return { verdict: judge(await run(client, one), expectedIn(one, idOf(client))) }
}

/** What is expected of a case in a database of this id. */
function expectedIn(one: Case, databaseId: string): Expected {
  return JSON.parse(filled(JSON.stringify(one.expect), databaseId)) as Expected
}

function idOf({ database }: EmbeddedClient): string {
  return database.split('/').at(-1) ?? ''
}

/** Databases of one fixture on the server. */
interface Prepared {
  readonly client: EmbeddedClient
  /** PostgreSQL's name of a copy that nobody connects to. */
  readonly template: string
}

const COPY_ATTEMPTS = 5
/** Queries that run at a time. */
const CONCURRENT = 6
/** DDL cases that run at a time: each has a database of its own. */
const CONCURRENT_DDL = 2

/** Runs all cases against an embedded server, as the README beside them says. */
export async function runCases(server: TestServer, { fixtures, cases }: Cases): Promise<Result[]> {
  const prepared = new Map<string, Prepared>()
  for (const [name, fixture] of Object.entries(fixtures)) {
    if (cases.some((one) => one.fixture === name))
      prepared.set(name, await prepare(server, name, fixture))
  }
  const of = (one: Case): Prepared => {
    const found = prepared.get(one.fixture)
    if (found === undefined) throw new Error(`${one.id}: no fixture ${one.fixture}`)
    return found
  }
  const isWrite = (one: Case) => one.kind === 'dml' || one.txn === 'rw'
  const isDdl = (one: Case) => one.kind === 'ddl' || one.kind === 'ddl-batch'
  const results: Result[] = []
  const take = (list: readonly Case[], width: number, run: (one: Case) => Promise<Judged>) =>
    spread(list, width, async (one) => {
      results.push({ case: one, ...(await run(one)) })
    })
  const statements = cases.filter((one) => !isDdl(one))
  await take(
    statements.filter((one) => !isWrite(one)),
    CONCURRENT,
    (one) => judged(one, of(one).client, runQuery),
  )
  await take(statements.filter(isWrite), 1, (one) => judged(one, of(one).client, runWrite))
  const pools = new Map<string, DdlDatabases>()
  for (const [name, { template }] of prepared)
    pools.set(name, new DdlDatabases(server, name, template))
  await take(cases.filter(isDdl), CONCURRENT_DDL, async (one) => {
    const pool = pools.get(one.fixture)
    if (pool === undefined) throw new Error(`${one.id}: no fixture ${one.fixture}`)
    return pool.run(one)
  })
  for (const pool of pools.values()) await pool.close()
  for (const { client } of prepared.values()) client.close()
  return results
}

async function spread<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

function filled(text: string, database: string): string {
  return text.replaceAll('{database}', database)
}

async function prepare(server: TestServer, name: string, fixture: Fixture): Promise<Prepared> {
  const id = `fixture-${name}`
  const client = await connectTo(server, id)
  const operation = await client.ddl(...fixture.ddl.map((text) => filled(text, id)))
  if (operation.error) throw new Error(`fixture ${name}: ${operation.error.message}`)
  for (const row of fixture.rows) await client.write(filled(row, id))
  const template = `template-${name}`
  await asSuperuser(server, (connection) => copyDatabase(connection, `db_${id}`, template))
  return { client, template }
}

type Superuser = Awaited<ReturnType<TestServer['cluster']['connect']>>

async function asSuperuser<T>(
  server: TestServer,
  work: (connection: Superuser) => Promise<T>,
): Promise<T> {
  const connection = await server.cluster.connect({
    user: SUPERUSER,
    database: 'postgres',
    settings: {},
    signal: AbortSignal.timeout(30_000),
  })
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

/** Nobody may be connected to the one that is copied; the server's housekeeping may come between the two statements. */
async function copyDatabase(connection: Superuser, from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await connection.query(
      'SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = $1',
      [from],
    )
    try {
      await connection.query(
        `CREATE DATABASE "${to}" TEMPLATE "${from}" OWNER spanner STRATEGY file_copy`,
      )
      return
    } catch (error) {
      const isInUse = error instanceof PgError && error.code === SQL_STATE.objectInUse
      if (!isInUse || attempt === COPY_ATTEMPTS) throw error
    }
  }
}

async function outcomeOf(run: () => Promise<Message>): Promise<Outcome> {
  try {
    return { ok: true, answer: await run() }
  } catch (error) {
    const { code, details } = await failure(Promise.reject(error))
    if (typeof code !== 'number') throw error
    return { ok: false, code, text: details }
  }
}

function requestOf(one: Case, database: string) {
  const params = Object.entries(one.params ?? {})
  return {
    sql: filled(String(one.sql), database),
    queryMode: one.mode ?? 'NORMAL',
    params: {
      fields: Object.fromEntries(params.map(([name, param]) => [name, value(param.value)])),
    },
    paramTypes: Object.fromEntries(
      params.flatMap(([name, { type }]) => (type === undefined ? [] : [[name, typeOf(type)]])),
    ),
  }
}

function typeOf(text: NonNullable<CaseParam['type']>): object {
  if (text.endsWith('[]')) return { code: 'ARRAY', arrayElementType: typeOf(text.slice(0, -2)) }
  const [code, typeAnnotation] = text.split(':')
  return typeAnnotation === undefined ? { code } : { code, typeAnnotation }
}

function runQuery(client: EmbeddedClient, one: Case): Promise<Outcome> {
  return outcomeOf(() =>
    client.call('executeSql', {
      session: client.session,
      transaction: { singleUse: { readOnly: { strong: true } } },
      ...requestOf(one, idOf(client)),
    }),
  )
}

async function runWrite(client: EmbeddedClient, one: Case): Promise<Outcome> {
  const { session } = client
  const transaction = await client.call('beginTransaction', {
    session,
    options: { readWrite: {} },
  })
  const outcome = await outcomeOf(() =>
    client.call('executeSql', {
      session,
      transaction: { id: transaction.id },
      seqno: 1,
      ...requestOf(one, idOf(client)),
    }),
  )
  await client.call('rollback', { session, transactionId: transaction.id })
  return outcome
}

/**
 * Databases like a fixture's for DDL. A copy costs more than a case: one that is as it was, because it refused everything or because
 * what was added could be dropped, serves again.
 */
class DdlDatabases {
  readonly #server: TestServer
  readonly #name: string
  readonly #template: string
  readonly #idle: EmbeddedClient[] = []
  #before: readonly string[] | undefined
  #made = 0

  constructor(server: TestServer, name: string, template: string) {
    this.#server = server
    this.#name = name
    this.#template = template
  }

  async run(one: Case): Promise<Judged> {
    const client = this.#idle.pop() ?? (await this.#make())
    const outcome = await this.#outcome(client, one)
    return { verdict: judge(outcome, expectedIn(one, idOf(client))) }
  }

  async #outcome(client: EmbeddedClient, one: Case): Promise<Outcome> {
    const id = idOf(client)
    this.#before ??= await statementsOf(client)
    const texts = [one.sql].flat().map((text) => filled(text, id))
    let operation: Message
    const outcome = await outcomeOf(async () => {
      operation = await client.ddl(...texts)
      while (operation.done !== true)
        operation = await client.call('getOperation', { name: operation.name })
      return operation
    })
    const after = await statementsOf(client)
    const ddl = changeOf(this.#before, after)
    if (await this.#isAsBefore(client, ddl)) this.#idle.push(client)
    else await this.#drop(client)
    if (operation?.error) {
      return { ok: false, code: operation.error.code, text: operation.error.message }
    }
    return outcome.ok ? { ok: true, ddl } : outcome
  }

  /** Drops what has been added. Whether the schema is now what it was. */
  async #isAsBefore(client: EmbeddedClient, ddl: DdlChange): Promise<boolean> {
    if (ddl.removed.length > 0) return false
    if (ddl.added.length === 0) return true
    const drops = ddl.added.map(dropOf).reverse()
    if (drops.includes(undefined)) return false
    const undone = await outcomeOf(() => client.ddl(...drops.map(String)))
    return undone.ok && changeOf(this.#before ?? [], await statementsOf(client)).added.length === 0
  }

  async close(): Promise<void> {
    for (const client of this.#idle.splice(0)) await this.#drop(client)
  }

  async #make(): Promise<EmbeddedClient> {
    const id = `ddl-${this.#name}-${this.#made++}`
    await asSuperuser(this.#server, (connection) =>
      connection.query(`CREATE DATABASE "db_${id}" TEMPLATE "${this.#template}" OWNER spanner`),
    )
    return connectTo(this.#server, id)
  }

  async #drop(client: EmbeddedClient): Promise<void> {
    await client.call('dropDatabase', { database: client.database })
    client.close()
  }
}

/** The statement that takes back another; undefined where there is none. */
function dropOf(create: string): string | undefined {
  const match = /^CREATE (?:UNIQUE )?(TABLE|INDEX|VIEW|SEQUENCE|SCHEMA) ((?:"[^"]*"|[\w.])+)/.exec(
    create,
  )
  return match === null ? undefined : `DROP ${match[1]} ${match[2]}`
}

async function statementsOf(client: EmbeddedClient): Promise<readonly string[]> {
  return (await client.call('getDatabaseDdl', { database: client.database })).statements ?? []
}

function changeOf(before: readonly string[], after: readonly string[]): DdlChange {
  return {
    added: after.filter((text) => !before.includes(text)),
    removed: before.filter((text) => !after.includes(text)),
  }
}
