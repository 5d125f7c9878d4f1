import { seededRandom } from '../../helpers/random.ts'
import type { HistoryEntry, Operation } from '../checker/history.ts'
import type { FaultySpanwire } from '../faulty-spanwire.ts'
import type { ChaosClient, Outcome, Query } from './chaos-client.ts'
import {
  clientOf,
  createDatabase,
  type RunOptions,
  type RunReport,
  runClients,
} from './run-clients.ts'
import { Tally } from './tally.ts'

/** Keys that are used at a time; when their lists have grown long, others take their place. */
const KEYS_IN_USE = 12
const APPENDS_PER_KEY = 40
const KEYS = 600
const MAX_OPERATIONS = 4
const READ_ONLY_SHARE = 0.2

export interface ListAppendOptions extends RunOptions {
  readonly isolation: 'read committed' | 'repeatable read' | 'serializable'
  /** One in five transactions is READ ONLY. */
  readonly withReadOnly?: boolean
}

export interface ListAppendReport extends RunReport {
  readonly history: readonly HistoryEntry[]
  readonly tally: Tally
}

/**
 * Transactions of one to four reads and appends over lists that are kept as text. Its history ends with a transaction that reads all
 * lists, when everything is quiet.
 */
export async function runListAppend(
  faulty: FaultySpanwire,
  options: ListAppendOptions,
): Promise<ListAppendReport> {
  const database = `list_append_${options.isolation.replace(' ', '_')}`
  await createDatabase(faulty, database)
  const setup = clientOf(faulty, database)
  await setup.read('create table list (k bigint primary key, v text not null)')
  const keys = Array.from({ length: KEYS }, (_, key) => `(${key}, '')`)
  await setup.read(`insert into list (k, v) values ${keys.join(', ')}`)
  const clients = Array.from({ length: options.clients }, () => clientOf(faulty, database))
  const run = new ListAppendRun(clients, options)
  const report = await runClients(faulty, options, (process) => run.step(process))
  await run.readAll(setup)
  await setup.end()
  await run.end()
  return { ...report, history: run.history, tally: run.tally }
}

class ListAppendRun {
  readonly history: HistoryEntry[] = []
  readonly tally = new Tally()
  readonly #options: ListAppendOptions
  readonly #clients: readonly ChaosClient[]
  readonly #randoms
  #appends = 0
  #nextId = 0

  constructor(clients: readonly ChaosClient[], options: ListAppendOptions) {
    this.#options = options
    this.#clients = clients
    const { seed } = options.faults
    this.#randoms = this.#clients.map((_, process) => seededRandom(seed * 1000 + process))
  }

  async step(process: number): Promise<void> {
    const client = this.#clients[process]
    const random = this.#randoms[process]
    if (client === undefined || random === undefined) return
    const isReadOnly = this.#options.withReadOnly === true && random.chance(READ_ONLY_SHARE)
    const plan = Array.from({ length: 1 + random.below(MAX_OPERATIONS) }, () => ({
      isRead: random.chance(0.5) || isReadOnly,
      key: this.#firstKey + random.below(KEYS_IN_USE),
    }))
    await this.#record({ client, process, isReadOnly }, async (query, done) => {
      for (const { isRead, key } of plan) {
        if (isRead) {
          const [row] = await query('select v from list where k = $1', [key])
          done.push({ kind: 'read', key, values: parseList(row?.['v']) })
          continue
        }
        const value = ++this.#appends
        // Written down first: an append whose answer is lost may have happened.
        done.push({ kind: 'append', key, value })
        await query('update list set v = v || $2 where k = $1', [key, ` ${value}`])
      }
    })
  }

  /** One transaction that sees all lists. */
  async readAll(client: ChaosClient): Promise<void> {
    const process = this.#clients.length
    await this.#record({ client, process, isReadOnly: false }, async (query, done) => {
      for (const { k, v } of await query('select k, v from list order by k')) {
        done.push({ kind: 'read', key: Number(k), values: parseList(v) })
      }
    })
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()))
  }

  get #firstKey(): number {
    const round = Math.floor(this.#appends / (KEYS_IN_USE * APPENDS_PER_KEY))
    return (round * KEYS_IN_USE) % KEYS
  }

  async #record(
    by: { readonly client: ChaosClient; readonly process: number; readonly isReadOnly: boolean },
    work: (query: Query, done: Operation[]) => Promise<void>,
  ): Promise<void> {
    const operations: Operation[] = []
    const mode = by.isReadOnly ? ', read only' : ''
    const begin = `begin isolation level ${this.#options.isolation}${mode}`
    const startMs = performance.now()
    const outcome: Outcome = await by.client.transaction(begin, (query) => work(query, operations))
    this.tally.add(outcome)
    const { kind } = outcome
    this.history.push({
      id: ++this.#nextId,
      process: by.process,
      startMs,
      endMs: performance.now(),
      outcome: kind,
      operations,
      ...(kind === 'committed' ? {} : { error: outcome.error }),
    })
  }
}

function parseList(text: string | undefined): readonly number[] {
  return (text ?? '').split(' ').filter(Boolean).map(Number)
}
