import { type Random, seededRandom } from '../../helpers/random.ts'
import type { FaultySpanwire } from '../faulty-spanwire.ts'
import { type ChaosClient, GivenUp, type Outcome, type Query } from './chaos-client.ts'
import {
  clientOf,
  createDatabase,
  type RunOptions,
  type RunReport,
  runClients,
} from './run-clients.ts'
import { Tally } from './tally.ts'

const DATABASE = 'bank'
const ACCOUNTS = 40
const OPENING_BALANCE = 1000
const MAX_AMOUNT = 50

/**
 * How a transfer is written: `blind` lets the server compute, and has nothing that could come out differently when it is run again;
 * `locked` reads with FOR UPDATE and computes by itself; `serializable` reads plainly and relies on the isolation level.
 */
export type TransferStyle = 'blind' | 'locked' | 'serializable'

/** A transfer with all attempts at it. */
export interface Transfer {
  readonly id: number
  readonly process: number
  readonly style: TransferStyle
  readonly source: number
  readonly target: number
  readonly amount: number
  readonly startMs: number
  readonly endMs: number
  readonly outcome: Outcome['kind']
}

export interface BankReport extends RunReport {
  readonly history: readonly Transfer[]
  readonly tallies: Readonly<Record<TransferStyle, Tally>>
  /** What is wrong, one sentence each. */
  readonly faultsFound: readonly string[]
}

/**
 * Transfers between accounts, each with a row of its own in a ledger: a transfer whose outcome is unknown is looked up there and tried
 * again if it is missing, as an application would. In the end the books must agree.
 */
export async function runBank(faulty: FaultySpanwire, options: RunOptions): Promise<BankReport> {
  await createDatabase(faulty, DATABASE)
  const setup = clientOf(faulty, DATABASE)
  await setup.read('create table account (id bigint primary key, balance bigint not null)')
  await setup.read(
    'create table ledger (id bigint primary key, source bigint, target bigint, amount bigint)',
  )
  const rows = Array.from({ length: ACCOUNTS }, (_, id) => `(${id}, ${OPENING_BALANCE})`)
  await setup.read(`insert into account (id, balance) values ${rows.join(', ')}`)
  const run = new BankRun(faulty, options)
  const report = await runClients(faulty, options, (process) => run.step(process))
  const faultsFound = [...run.wrongTotals, ...(await audit(setup, run.history))]
  await setup.end()
  await run.end()
  return { ...report, history: run.history, tallies: run.tallies, faultsFound }
}

class BankRun {
  readonly history: Transfer[] = []
  readonly tallies = { blind: new Tally(), locked: new Tally(), serializable: new Tally() }
  readonly wrongTotals: string[] = []
  readonly #clients: readonly ChaosClient[]
  readonly #randoms: readonly Random[]
  #nextId = 0

  constructor(faulty: FaultySpanwire, options: RunOptions) {
    this.#clients = Array.from({ length: options.clients }, () => clientOf(faulty, DATABASE))
    const { seed } = options.faults
    this.#randoms = this.#clients.map((_, process) => seededRandom(seed * 1000 + process))
  }

  async step(process: number): Promise<void> {
    const client = this.#clients[process]
    const random = this.#randoms[process]
    if (client === undefined || random === undefined) return
    if (random.chance(0.1)) return this.#checkTotal(client)
    const source = random.below(ACCOUNTS)
    const target = (source + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS
    const amount = 1 + random.below(MAX_AMOUNT)
    const style = random.pick(['blind', 'blind', 'locked', 'serializable'] as const)
    const transfer = { id: ++this.#nextId, process, style, source, target, amount }
    const startMs = performance.now()
    const outcome = await this.#make(client, transfer)
    this.history.push({ ...transfer, startMs, endMs: performance.now(), outcome })
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()))
  }

  /** Once, and after an unknown outcome again until it is known: `unknown` where the money has run out meanwhile. */
  async #make(client: ChaosClient, transfer: PlannedTransfer): Promise<Outcome['kind']> {
    const begin = transfer.style === 'serializable' ? 'begin isolation level serializable' : 'begin'
    let isInDoubt = false
    for (;;) {
      const outcome = await client.transaction(begin, (query) => makeTransfer(query, transfer))
      this.tallies[transfer.style].add(outcome)
      if (outcome.kind === 'committed') return outcome.kind
      if (outcome.kind === 'failed' && !isInDoubt) return outcome.kind
      isInDoubt = true
      const found = await client.read(`select id from ledger where id = ${transfer.id}`)
      if (found.length > 0) return 'committed'
      if (outcome.kind === 'failed' && outcome.error.startsWith('given up')) return 'unknown'
    }
  }

  async #checkTotal(client: ChaosClient): Promise<void> {
    const [row] = await client.read('select sum(balance) as total, count(*) as n from account')
    if (Number(row?.['total']) === ACCOUNTS * OPENING_BALANCE) return
    this.wrongTotals.push(`a client saw a total of ${row?.['total']} in ${row?.['n']} accounts`)
  }
}

type PlannedTransfer = Omit<Transfer, 'startMs' | 'endMs' | 'outcome'>

async function makeTransfer(query: Query, transfer: PlannedTransfer): Promise<void> {
  const { id, style, source, target, amount } = transfer
  if (style === 'blind') {
    await query('update account set balance = balance - $2 where id = $1', [source, amount])
    await query('update account set balance = balance + $2 where id = $1', [target, amount])
  } else {
    const lock = style === 'locked' ? ' for update' : ''
    const read = async (account: number): Promise<number> => {
      const [row] = await query(`select balance from account where id = $1${lock}`, [account])
      return Number(row?.['balance'])
    }
    const before = { source: await read(source), target: await read(target) }
    if (before.source < amount) throw new GivenUp('not enough money')
    const set = 'update account set balance = $2 where id = $1'
    await query(set, [source, before.source - amount])
    await query(set, [target, before.target + amount])
  }
  await query('insert into ledger (id, source, target, amount) values ($1, $2, $3, $4)', [
    id,
    source,
    target,
    amount,
  ])
}

/** Balances must be what the ledger says, and the ledger what the clients were told. */
async function audit(client: ChaosClient, history: readonly Transfer[]): Promise<string[]> {
  const found: string[] = []
  const expected = new Map<number, number>()
  for (let id = 0; id < ACCOUNTS; id++) expected.set(id, OPENING_BALANCE)
  const move = (account: number, amount: number): void => {
    expected.set(account, (expected.get(account) ?? 0) + amount)
  }
  const ledger = new Set<number>()
  for (const row of await client.read('select id, source, target, amount from ledger')) {
    ledger.add(Number(row['id']))
    move(Number(row['source']), -Number(row['amount']))
    move(Number(row['target']), Number(row['amount']))
  }
  for (const { id, balance } of await client.read('select id, balance from account')) {
    const due = expected.get(Number(id))
    if (Number(balance) !== due) found.push(`account ${id} has ${balance}, the ledger says ${due}`)
  }
  for (const { id, outcome, style } of history) {
    const isThere = ledger.has(id)
    if (outcome === 'committed' && !isThere) found.push(`${style} transfer ${id} is lost`)
    if (outcome === 'failed' && isThere) found.push(`${style} transfer ${id} failed, and is there`)
  }
  const count = (kind: Outcome['kind']): number =>
    history.filter(({ outcome }) => outcome === kind).length
  const surplus = ledger.size - count('committed')
  if (surplus < 0 || surplus > count('unknown')) found.push(`the ledger has ${ledger.size} rows`)
  return found
}
