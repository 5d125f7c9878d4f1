import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ServiceRow } from '../companion/companion-types.ts'
import type { PostgresCluster } from '../companion/postgres-cluster.ts'
import { Acceptance, type ChangedRelations, type SystemNames } from './acceptance.ts'
import { ConnectionPool, type EmbeddedConnection } from './connections.ts'
import { CONSTRAINTS_QUERY, constraintNames } from './constraint-names.ts'
import { type ConstraintNames, toGrpcStatus } from './error-texts.ts'
import type { GrpcStatus } from './grpc-status.ts'
import type { Incarnations, TransactionMark } from './incarnations.ts'
import { PartitionedStatements } from './partitioned-statements.ts'
import type { Profile } from './profile.ts'
import { Sessions } from './session.ts'
import type { TransactionOptions } from './spanner-requests.ts'
import { StatementCache } from './statement-cache.ts'
import { loadTableShape, type TableShape } from './table-shape.ts'
import { ServerTransaction, type TransactionHost } from './transaction.ts'
import type { TransactionMode } from './transaction-block.ts'
import { markOfTransaction, readWriteId } from './transaction-id.ts'

/** Open transactions of each kind that a database may have, and single-use reads that run at a time. */
const READ_WRITE_LIMIT = 100
const READ_ONLY_LIMIT = 60
const SINGLE_USE_LIMIT = 30
const SINGLE_USE_WAIT_MS = 30_000
/** Transactions remembered, the finished ones included: they answer for what became of them. */
const REMEMBERED = 5_000
/** How long a Commit whose answer was lost is looked for. */
const OUTCOME_DEADLINE_MS = 20_000
const OUTCOME_POLL_MS = 50

const NO_NAMES: ConstraintNames = { find: () => undefined }

/** The name of a Spanner database's PostgreSQL database. */
export function postgresName(id: string): string {
  return `db_${id}`
}

/** One Spanner database: its PostgreSQL database, sessions, transactions. */
export class EmbeddedDatabase implements TransactionHost {
  readonly name: string
  readonly id: string
  readonly sessions: Sessions
  readonly partitioned = new PartitionedStatements()
  readonly profile: Profile
  readonly statements: StatementCache
  /** Single-use reads. */
  readonly reads: ConnectionPool
  /** Schema changes, one at a time. */
  readonly ddl: ConnectionPool
  readonly #incarnations: Incarnations
  readonly #pools: Readonly<Record<TransactionMode, ConnectionPool>>
  readonly #transactions = new Map<string, ServerTransaction>()
  readonly #shapes = new Map<string, Promise<TableShape>>()
  #names: Promise<ConstraintNames> | undefined
  #lastMicros = 0
  #commits = 0
  #committing = 0

  constructor(
    name: string,
    id: string,
    options: {
      cluster: PostgresCluster
      incarnations: Incarnations
      systemNames: SystemNames
      settings: Readonly<Record<string, string>>
      profile: Profile
    },
  ) {
    this.name = name
    this.id = id
    this.sessions = new Sessions(name)
    this.profile = options.profile
    this.statements = new StatementCache(
      new Acceptance(options.profile, options.systemNames, (text) => this.query(text)),
    )
    this.#incarnations = options.incarnations
    const common = { cluster: options.cluster, database: postgresName(id) }
    const { settings } = options
    this.reads = new ConnectionPool({
      ...common,
      settings: { ...settings, default_transaction_read_only: 'on' },
      limit: SINGLE_USE_LIMIT,
      waitMs: SINGLE_USE_WAIT_MS,
    })
    this.ddl = new ConnectionPool({
      ...common,
      // Defaults are kept as this connection prints them.
      settings: { ...settings, IntervalStyle: 'postgres' },
      limit: 1,
      waitMs: 0,
    })
    this.#pools = {
      'read-write': new ConnectionPool({ ...common, settings, limit: READ_WRITE_LIMIT, waitMs: 0 }),
      'read-only': new ConnectionPool({ ...common, settings, limit: READ_ONLY_LIMIT, waitMs: 0 }),
    }
  }

  /** A transaction that has not begun yet; of a session by name, where it may be asked for again. */
  newTransaction(
    mode: TransactionMode,
    options: TransactionOptions,
    session = '',
  ): ServerTransaction {
    return new ServerTransaction(this, mode, options, session)
  }

  /** To be called once it has an id. */
  remember(transaction: ServerTransaction): void {
    this.#transactions.set(transaction.id, transaction)
    if (this.#transactions.size <= REMEMBERED) return
    for (const [id, old] of this.#transactions) {
      if (old.state !== 'open') this.#transactions.delete(id)
      if (this.#transactions.size <= REMEMBERED) break
    }
  }

  findTransaction(id: string): ServerTransaction | undefined {
    return this.#transactions.get(id)
  }

  /** Those that hold a connection. */
  openTransactions(): ServerTransaction[] {
    return [...this.#transactions.values()].filter((transaction) => transaction.state === 'open')
  }

  async acquire(mode: TransactionMode): Promise<EmbeddedConnection> {
    const pool = this.#pools[mode]
    if (pool.isExhausted) this.#makeRoom(mode)
    return pool.acquire()
  }

  release(mode: TransactionMode, connection: EmbeddedConnection): void {
    this.#pools[mode].release(connection)
  }

  nextTimestamp(): number {
    this.#lastMicros = Math.max(this.#lastMicros + 1, Date.now() * 1000)
    return this.#lastMicros
  }

  /** Microseconds of the last commit's timestamp; 0 where there was none since the start. */
  get lastCommitMicros(): number {
    return this.#lastMicros
  }

  commitBegins(): void {
    this.#commits++
    this.#committing++
  }

  commitEnds(): void {
    this.#commits++
    this.#committing--
  }

  /** Equal at two moments: no commit became visible between them. undefined while one is under way. */
  get quietMark(): number | undefined {
    return this.#committing === 0 ? this.#commits : undefined
  }

  get incarnation(): number {
    return this.#incarnations.current
  }

  idOf(mark: TransactionMark): string {
    return readWriteId(mark, this.#incarnations.secretOf(mark.incarnation) ?? '')
  }

  /** PostgreSQL's transaction in an id that was given out here, be it long ago; undefined where it never was. */
  markOf(id: string): TransactionMark | undefined {
    return markOfTransaction(id, (number) => this.#incarnations.secretOf(number))
  }

  async outcomeOf(mark: TransactionMark): Promise<'committed' | 'aborted'> {
    return (await this.committedMicros(mark)) === undefined ? 'aborted' : 'committed'
  }

  /** When a transaction of PostgreSQL committed; undefined where it did not. Waits for one that is still ending. */
  async committedMicros(mark: TransactionMark): Promise<number | undefined> {
    const deadline = performance.now() + OUTCOME_DEADLINE_MS
    const text = `SELECT pg_xact_status($1::xid8) AS status,
      (extract(epoch FROM pg_xact_commit_timestamp($1::xid8::xid)) * 1000000)::bigint AS micros`
    for (;;) {
      const [row] = await this.query(text, [mark.xid]).catch(noSuchTransaction)
      // Asked for last: the server may have been lost since, and its successor have answered.
      if (!this.#incarnations.isOwn(mark)) return undefined
      if (row?.['status'] === 'committed') return Number(row['micros'] ?? 0)
      if (row?.['status'] !== 'in progress' || performance.now() > deadline) return undefined
      await new Promise((resolve) => setTimeout(resolve, OUTCOME_POLL_MS))
    }
  }

  /** SQL of ours on a connection for reads. */
  async query(
    text: string,
    params: readonly (string | null)[] = [],
  ): Promise<readonly ServiceRow[]> {
    const connection = await this.reads.acquire()
    try {
      return await connection.server.query(text, params)
    } finally {
      this.reads.release(connection)
    }
  }

  /** A table with its primary key, or with the key of an index. Throws NOT_FOUND. */
  tableShape(table: string, index: string): Promise<TableShape> {
    const key = `${table}\0${index}`
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    const loading = loadTableShape((text, params) => this.query(text, params), table, index)
    this.#shapes.set(key, loading)
    loading.catch(() => this.#shapes.delete(key))
    return loading
  }

  async mapError(error: unknown): Promise<GrpcStatus> {
    const needsNames = error instanceof PgError && error.code.startsWith('23')
    return toGrpcStatus(error, needsNames ? await this.#constraintNames() : NO_NAMES)
  }

  /** The schema has changed: forgets what depended on it. */
  schemaChanged(changed: ChangedRelations, settings: Readonly<Record<string, string>> = {}): void {
    this.#names = undefined
    this.#shapes.clear()
    this.statements.schemaChanged(changed)
    for (const pool of this.#allPools()) pool.schemaChanged(settings)
  }

  /** Closes what has been idle for long. */
  tidy(): void {
    this.sessions.expire()
    for (const pool of this.#allPools()) pool.closeIdle()
  }

  /** Ends everything that is open. */
  close(): void {
    for (const transaction of this.openTransactions()) transaction.terminate('aborted')
    for (const pool of this.#allPools()) pool.close()
  }

  #allPools(): readonly ConnectionPool[] {
    return [this.reads, this.ddl, this.#pools['read-write'], this.#pools['read-only']]
  }

  #constraintNames(): Promise<ConstraintNames> {
    this.#names ??= this.query(CONSTRAINTS_QUERY).then(constraintNames)
    this.#names.catch(() => {
      this.#names = undefined
    })
    return this.#names
  }

  /** Ends the transaction that has been idle for longest, where it has been so for Spanner's ten seconds. */
  #makeRoom(mode: TransactionMode): void {
    const idle = this.openTransactions()
      .filter((transaction) => transaction.mode === mode && isIdle(transaction))
      .sort((left, right) => left.lastUsedMs - right.lastUsedMs)
    idle[0]?.terminate('aborted')
  }
}

/** pg_xact_status refuses ids that it cannot know: those of the future. */
function noSuchTransaction(error: unknown): readonly ServiceRow[] {
  if (error instanceof PgError && error.code === SQL_STATE.invalidParameterValue) return []
  throw error
}

/** Spanner may end a transaction that has had no request for ten seconds. */
export const IDLE_TRANSACTION_MS = 10_000

/** Whether a transaction has been without a request for as long as Spanner waits. */
export function isIdle(transaction: ServerTransaction): boolean {
  return (
    transaction.runningSinceMs === undefined &&
    performance.now() - transaction.lastUsedMs > IDLE_TRANSACTION_MS
  )
}
