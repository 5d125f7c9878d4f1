import type {
  BackendDatabase,
  BackendTransaction,
  BatchResult,
  CallOptions,
  CommitResult,
  RowStream,
  SpannerStatement,
} from '../backend/backend.ts'
import { transactionEvents } from '../base/channels.ts'
import { BufferedStream } from './buffered-stream.ts'
import type { TransactionCharacteristics } from './characteristics.ts'
import type { LogMark } from './log.ts'
import { type BatchOptions, ReplayedTransaction } from './replayed-transaction.ts'
import { type SpannerOptions, snapshotBound, spannerIsolation } from './spanner-options.ts'
import type { LoadTraits, StatementTraits } from './statement-traits.ts'
import type { WriterQueue } from './writer-queue.ts'

export interface SpannerTransactionOptions {
  readonly database: BackendDatabase
  /** undefined where the backend lets transactions run side by side. */
  readonly writerQueue: WriterQueue | undefined
  /** How long a statement waits for locks, in milliseconds; 0: without end. */
  readonly lockTimeoutMs: () => number
  readonly spannerOptions: () => SpannerOptions
  /** For events. */
  readonly connId: number
}

/** What it must know of the block whose statements it sends. */
export interface SurroundingBlock {
  readonly characteristics: TransactionCharacteristics
  /** Whether what Spanner aborts is run again from the log. */
  readonly mayReplay: boolean
}

/**
 * What a connection has at Spanner, one transaction after the other: nothing until a statement needs it; then a read-write transaction, or a
 * read-only one where the block may only read; and reads that need neither. What the block itself must be for a statement, the block has seen to.
 */
export class SpannerTransaction {
  readonly #options: SpannerTransactionOptions
  readonly #block: SurroundingBlock
  #readWrite: ReplayedTransaction | undefined
  #readOnly: BackendTransaction | undefined
  /** Of an implicit transaction that is run again from its start. */
  #previousAttempt: BackendTransaction | undefined
  #openStream: BufferedStream | undefined
  /** Of the last read outside read-write transactions: a stream or a transaction, which learn the moment with the first rows. */
  #lastRead: { readonly readTimestamp?: string | undefined } | undefined
  #lastCommit: CommitResult | undefined
  #statementsSent = 0
  /** Where the log stood when each table was first written. */
  readonly #written = new Map<string, LogMark>()

  constructor(options: SpannerTransactionOptions, block: SurroundingBlock) {
    this.#options = options
    this.#block = block
  }

  /** Whether rows were changed. */
  get hasWritten(): boolean {
    return this.#readWrite?.hasWritten === true
  }

  /** Spanner's names of the tables whose rows were written. */
  get written(): ReadonlySet<string> {
    return new Set(this.#written.keys())
  }

  /** How often the transaction was begun. */
  get attempts(): number {
    return this.#readWrite?.attempts ?? 1
  }

  /** How many statements, batches and loads there were since the connection began. */
  get statementsSent(): number {
    return this.#statementsSent
  }

  /** RFC 3339: what the last read outside read-write transactions saw. */
  get readTimestamp(): string | undefined {
    return this.#lastRead?.readTimestamp
  }

  /** Of the last transaction that wrote. */
  get lastCommit(): CommitResult | undefined {
    return this.#lastCommit
  }

  /**
   * Sends one statement; a sole read goes single-use. DML has run to its end when this returns; the stream of a read may be left half
   * read, it is drained before the next statement.
   */
  async execute(
    statement: SpannerStatement,
    traits: StatementTraits,
    options: CallOptions,
  ): Promise<RowStream> {
    this.#statementsSent++
    const isPlainRead = !traits.isDml && !traits.locksRows && traits.draws === undefined
    const hasBegun = this.#readWrite !== undefined || this.#readOnly !== undefined
    if (traits.isSole && isPlainRead && !hasBegun) return this.#readOnce(statement, traits, options)
    await this.#drainOpenStream()
    if (traits.written !== undefined) this.#noteWritten([traits.written])
    const stream = new BufferedStream(this.#send(statement, traits, options))
    if (traits.isDml) await stream.drain()
    else this.#openStream = stream
    return stream
  }

  /**
   * Reads rows for an emulated statement; where it is alone, single-use, or in a read-only transaction, so that all its loads see one
   * snapshot. The stream must be drained or cancelled before the next call.
   */
  async load(
    statement: SpannerStatement,
    traits: LoadTraits,
    options: CallOptions,
  ): Promise<RowStream> {
    this.#statementsSent++
    await this.#drainOpenStream()
    if (traits.isSole && !traits.locksRows && this.#readWrite === undefined) {
      if (traits.isOnly && this.#readOnly === undefined)
        return this.#readOnce(statement, traits, options)
      return this.#readInSnapshot(statement, traits, options)
    }
    return this.#send(statement, { ...LOAD, ...traits }, options)
  }

  /** Sends DML without RETURNING as one batch; `error` of the result is that of the first statement that failed. */
  async executeBatch(
    statements: readonly SpannerStatement[],
    options: BatchOptions,
  ): Promise<BatchResult> {
    this.#statementsSent++
    await this.#drainOpenStream()
    this.#noteWritten(options.written)
    return this.#joinReadWrite().executeBatch(statements, options)
  }

  /** Partitioned DML, outside any transaction: it runs at least once on each row. Gives the lower bound of the rows changed. */
  executePartitioned(
    statement: SpannerStatement,
    { requestTag }: Pick<StatementTraits, 'requestTag'>,
    options: CallOptions,
  ): Promise<bigint> {
    const { request, excludeFromChangeStreams } = this.#options.spannerOptions()
    return this.#options.database.executePartitionedDml(statement, {
      ...options,
      excludeFromChangeStreams,
      requestOptions: { ...request, requestTag },
    })
  }

  /** Makes it last. It is the caller's to roll back where that fails, and to call `end` where nothing else does. */
  async commit(options: CallOptions): Promise<void> {
    this.cancelOpenStream()
    const { maxCommitDelayMs, returnCommitStats } = this.#options.spannerOptions()
    const result = await this.#readWrite?.commit({
      ...options,
      maxCommitDelayMs,
      returnCommitStats,
    })
    if (result?.commitTimestamp !== undefined) this.#lastCommit = result
    await this.#readOnly?.commit(options)
  }

  /** Undoes everything. Never rejects: a lost connection to Spanner rolls back by itself. */
  async rollback(): Promise<void> {
    this.cancelOpenStream()
    await this.#readWrite?.rollback()
    await this.#readOnly?.rollback()
    this.end()
  }

  /** The transaction is over: the next statement begins another one. */
  end(): void {
    this.#readWrite = undefined
    this.#readOnly = undefined
    this.#previousAttempt = undefined
    this.#written.clear()
  }

  /** Ends what is under way at Spanner, for which a change of the schema would wait; the next call does again what was done. */
  async rest(): Promise<void> {
    await this.#drainOpenStream()
    await this.#readWrite?.rest()
  }

  /** Forgets this attempt, so that the same statements can be run again in a new one. */
  async restart(): Promise<void> {
    this.#publishAborted(true)
    const previous = this.#readWrite?.lastAttempt
    this.cancelOpenStream()
    await this.#readWrite?.rollback()
    this.#readWrite = undefined
    this.#previousAttempt = previous
  }

  /** Where it stands, for `rollbackTo`; 0 where it has not begun. What is half read is drained. */
  async mark(): Promise<LogMark> {
    await this.#drainOpenStream()
    return this.#readWrite?.mark() ?? 0
  }

  /** Undoes what came after the mark. */
  async rollbackTo(mark: LogMark): Promise<void> {
    this.cancelOpenStream()
    for (const [table, first] of this.#written) {
      if (first >= mark) this.#written.delete(table)
    }
    await this.#readWrite?.rollbackTo(mark)
  }

  /** As if the statement that failed last had not been sent: the next one is told nothing of it. */
  async forgetFailure(): Promise<void> {
    await this.rollbackTo(this.#readWrite?.mark() ?? 0)
  }

  /** Gives up the rows of a read that nobody has fetched. */
  cancelOpenStream(): void {
    this.#openStream?.cancel()
    this.#openStream = undefined
  }

  /** Tells Spanner that the client is still there, where a read-write transaction is under way and nothing of it is half read. */
  async keepAlive(options: CallOptions): Promise<void> {
    if (this.#openStream === undefined) await this.#readWrite?.keepAlive(options)
  }

  #noteWritten(tables: Iterable<string>): void {
    const mark = this.#readWrite?.mark() ?? 0
    for (const table of tables) {
      if (!this.#written.has(table)) this.#written.set(table, mark)
    }
  }

  async #drainOpenStream(): Promise<void> {
    const stream = this.#openStream
    this.#openStream = undefined
    await stream?.drain()
  }

  #readOnce(
    statement: SpannerStatement,
    { requestTag }: Pick<StatementTraits, 'requestTag'>,
    options: CallOptions,
  ): RowStream {
    const { bound, request, directedRead } = this.#options.spannerOptions()
    const stream = this.#options.database.singleUse(statement, {
      ...options,
      bound,
      requestOptions: { ...request, directedRead, requestTag },
    })
    this.#lastRead = stream
    return stream
  }

  /** Joins the read-only transaction, or makes it. */
  #readInSnapshot(
    statement: SpannerStatement,
    { requestTag }: Pick<StatementTraits, 'requestTag'>,
    options: CallOptions,
  ): RowStream {
    const { bound, request, directedRead } = this.#options.spannerOptions()
    this.#readOnly ??= this.#options.database.beginReadOnly({ bound: snapshotBound(bound) })
    this.#lastRead = this.#readOnly
    const requestOptions = { ...request, directedRead, requestTag }
    return this.#readOnly.execute(statement, { ...options, isDml: false, requestOptions })
  }

  #send(statement: SpannerStatement, traits: StatementTraits, options: CallOptions): RowStream {
    if (this.#block.characteristics.readOnly && this.#readWrite === undefined) {
      return this.#readInSnapshot(statement, traits, options)
    }
    return this.#joinReadWrite().execute(statement, traits, options)
  }

  /** Joins the read-write transaction, or makes it; nothing is sent before the first statement. */
  #joinReadWrite(): ReplayedTransaction {
    if (this.#readWrite !== undefined) return this.#readWrite
    const { database, writerQueue, lockTimeoutMs } = this.#options
    const { isolation } = this.#block.characteristics
    const spanner = this.#options.spannerOptions()
    this.#readWrite = new ReplayedTransaction({
      database,
      begin: {
        isolation: database.capabilities.repeatableRead
          ? spannerIsolation(isolation, spanner)
          : 'serializable',
        previousAttempt: this.#previousAttempt,
        tag: spanner.transactionTag,
        excludeFromChangeStreams: spanner.excludeFromChangeStreams,
        readLockMode: spanner.readLockMode,
      },
      requestOptions: () => this.#options.spannerOptions().request,
      isolation,
      mayReplay: () => this.#block.mayReplay,
      writerQueue,
      lockTimeoutMs,
      onAborted: (willReplay) => this.#publishAborted(willReplay),
    })
    return this.#readWrite
  }

  #publishAborted(willReplay: boolean): void {
    transactionEvents.publish({ kind: 'aborted', connId: this.#options.connId, willReplay })
  }
}

const LOAD = { command: 'SELECT', isDml: false, isLoad: true, returnsRows: true, isOrdered: false }
