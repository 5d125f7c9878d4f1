import type {
  BackendDatabase,
  BackendTransaction,
  BatchResult,
  CallOptions,
  CommitResult,
  RowStream,
  SpannerStatement,
} from '../backend/backend.ts'
import { isAborted } from '../backend/backend-error.ts'
import { transactionEvents } from '../base/channels.ts'
import { nowMicros } from '../base/clock.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { BufferedStream } from './buffered-stream.ts'
import type { TransactionCharacteristics } from './characteristics.ts'
import { type BatchOptions, ReplayedTransaction } from './replayed-transaction.ts'
import { SavepointStack } from './savepoints.ts'
import { type SpannerOptions, snapshotBound, spannerIsolation } from './spanner-options.ts'
import type { LoadTraits, StatementTraits } from './statement-traits.ts'
import type { WriterQueue } from './writer-queue.ts'

/**
 * Where the connection stands (TBlockState in src/backend/access/transam/xact.c, as far as clients can tell):
 * `idle` outside, `implicit` inside the transaction that a query string or a pipeline forms by itself, `explicit` after BEGIN,
 * `failed` after an error in an explicit one.
 */
export type BlockState = 'idle' | 'implicit' | 'explicit' | 'failed'

/** Something else that takes effect with the transaction: DDL that waits in the companion. Levels are those of savepoints. */
export interface TransactionParticipant {
  commit(options: CallOptions): Promise<void>
  rollback(): Promise<void>
  savepoint(level: number): Promise<void>
  release(level: number): Promise<void>
  rollbackTo(level: number): Promise<void>
}

/** Something of the session that follows savepoints, such as its settings. */
export interface SavepointListener {
  savepoint(level: number): void
  release(level: number): void
  rollbackTo(level: number): void
}

export interface BlockOptions {
  readonly database: BackendDatabase
  /** undefined where the backend lets transactions run side by side. */
  readonly writerQueue: WriterQueue | undefined
  /** What a transaction gets that asks for nothing (default_transaction_*). */
  readonly defaults: () => TransactionCharacteristics
  /** How long a statement waits for locks, in milliseconds; 0: without end. */
  readonly lockTimeoutMs: () => number
  readonly spannerOptions: () => SpannerOptions
  /** Whether transactions that Spanner aborts are run again (spanwire.retry_aborts). */
  readonly retriesAborts: () => boolean
  /** Called once when a transaction begins. */
  readonly onStart?: () => void
  /** Called once when a transaction has ended, for everything that lives with it (settings, portals). */
  readonly onEnd: (outcome: 'committed' | 'rolled-back') => void
  readonly savepointListener: SavepointListener
  /** For events. */
  readonly connId: number
}

/**
 * The transaction of one client connection: at most one at Spanner, begun with the first statement that needs it. All
 * changes of state happen in `#become`.
 */
export class TransactionBlock {
  readonly #options: BlockOptions
  readonly #savepoints = new SavepointStack()
  #state: BlockState = 'idle'
  #startMicros: bigint | undefined
  #characteristics: TransactionCharacteristics | undefined
  #readWrite: ReplayedTransaction | undefined
  #readOnly: BackendTransaction | undefined
  /** Of an implicit transaction that is run again from its start. */
  #previousAttempt: BackendTransaction | undefined
  #openStream: BufferedStream | undefined
  #participants: TransactionParticipant[] = []
  #hasRun = false
  /** Of the last read outside read-write transactions: a stream or a transaction, which learn the moment with the first rows. */
  #lastRead: { readonly readTimestamp?: string | undefined } | undefined
  #lastCommit: CommitResult | undefined
  #isAnswerOut = false
  #transactionCount = 0

  constructor(options: BlockOptions) {
    this.#options = options
  }

  get state(): BlockState {
    return this.#state
  }

  /** The status byte of ReadyForQuery. */
  get status(): 'I' | 'T' | 'E' {
    if (this.#state === 'failed') return 'E'
    return this.#state === 'explicit' ? 'T' : 'I'
  }

  /** The moment that now() stands for, in microseconds since the Unix epoch; undefined outside a transaction. */
  get startMicros(): bigint | undefined {
    return this.#startMicros
  }

  get characteristics(): TransactionCharacteristics {
    return this.#characteristics ?? this.#options.defaults()
  }

  /** Whether rows were changed at Spanner. */
  get hasWritten(): boolean {
    return this.#readWrite?.hasWritten === true
  }

  /** Whether what surrounds the newest savepoint may only read. */
  get isReadOnlyOutside(): boolean {
    return this.#savepoints.surrounding?.readOnly === true
  }

  /** Whether a query has run: isolation can no longer be chosen. */
  get hasRun(): boolean {
    return this.#hasRun
  }

  /** Whether the whole implicit transaction may be run again, because nobody has seen anything of it. */
  get mayRestart(): boolean {
    return this.#state === 'implicit' && !this.#isAnswerOut && this.#options.retriesAborts()
  }

  /** The number of the transaction among those of the connection. */
  get transactionNumber(): number {
    return this.#transactionCount
  }

  /** RFC 3339: what the last read outside read-write transactions saw. */
  get readTimestamp(): string | undefined {
    return this.#lastRead?.readTimestamp
  }

  /** Of the last transaction that wrote. */
  get lastCommit(): CommitResult | undefined {
    return this.#lastCommit
  }

  /** How many savepoints are in force. */
  get savepointLevel(): number {
    return this.#savepoints.level
  }

  /** Every statement begins with it: outside a transaction it opens the implicit one. */
  startStatement(): void {
    if (this.#state !== 'idle') return
    this.#become('implicit')
  }

  /** BEGIN: makes the implicit transaction (with what ran in it) an explicit one. */
  begin(characteristics: TransactionCharacteristics): void {
    this.#characteristics = characteristics
    this.#become('explicit')
  }

  /** SET TRANSACTION. */
  setCharacteristics(characteristics: TransactionCharacteristics): void {
    this.#characteristics = characteristics
  }

  /** Answers of the implicit transaction have left: from now on they must stay true. */
  answerSent(): void {
    this.#isAnswerOut = true
  }

  /** A query runs, wherever it runs: it has PostgreSQL's first snapshot. */
  noteQuery(): void {
    this.#hasRun = true
  }

  async enlist(participant: TransactionParticipant): Promise<void> {
    this.#participants.push(participant)
    for (let level = 1; level <= this.#savepoints.level; level++) await participant.savepoint(level)
  }

  /**
   * Sends one statement in the transaction that it belongs to: a sole read goes single-use. DML has run to its end when this returns;
   * the stream of a read may be left half read, it is drained before the next statement.
   */
  async execute(
    statement: SpannerStatement,
    traits: StatementTraits,
    options: CallOptions,
  ): Promise<RowStream> {
    const { readOnly } = this.characteristics
    if (readOnly && traits.isDml) throw readOnlyViolation(traits.command)
    if (readOnly && traits.locksRows)
      throw readOnlyViolation(traits.drawsValues === true ? traits.command : 'SELECT FOR UPDATE')
    this.#hasRun = true
    const isPlainRead = !traits.isDml && !traits.locksRows
    if (traits.isSole && isPlainRead && !this.#isAtSpanner) {
      return this.#readOnce(statement, traits, options)
    }
    await this.#drainOpenStream()
    const stream = new BufferedStream(this.#send(statement, traits, options))
    if (traits.isDml) await stream.drain()
    else this.#openStream = stream
    return stream
  }

  /**
   * Reads rows for an emulated statement, in the transaction that it belongs to; where it is alone, single-use, or in a read-only
   * transaction, so that all its loads see one snapshot. The stream must be drained or cancelled before the next call.
   */
  async load(
    statement: SpannerStatement,
    traits: LoadTraits,
    options: CallOptions,
  ): Promise<RowStream> {
    const { readOnly } = this.characteristics
    if (readOnly && traits.locksRows) throw readOnlyViolation('SELECT FOR UPDATE')
    this.#hasRun = true
    await this.#drainOpenStream()
    if (traits.isSole && !traits.locksRows && this.#readWrite === undefined) {
      if (traits.isOnly && this.#readOnly === undefined)
        return this.#readOnce(statement, { ...LOAD, ...traits }, options)
      return this.#readInSnapshot(statement, traits.requestTag, options)
    }
    return this.#send(statement, { ...LOAD, ...traits }, options)
  }

  /** Sends DML without RETURNING as one batch, which begins with `command`; `error` of the result is that of the first statement that failed. */
  async executeBatch(
    statements: readonly SpannerStatement[],
    command: string,
    options: BatchOptions,
  ): Promise<BatchResult> {
    if (this.characteristics.readOnly) throw readOnlyViolation(command)
    this.#hasRun = true
    await this.#drainOpenStream()
    return this.#joinReadWrite().executeBatch(statements, options)
  }

  /**
   * Makes everything since the start last, whatever kind of transaction it is. Where that fails, it is rolled back; an implicit
   * one that Spanner aborted stays open where it may be run again.
   */
  async commit(options: CallOptions): Promise<void> {
    this.#cancelOpenStream()
    try {
      const result = await this.#readWrite?.commit({ ...options, ...this.#commitOptions() })
      if (result?.commitTimestamp !== undefined) this.#lastCommit = result
      await this.#readOnly?.commit(options)
      for (const participant of this.#participants) await participant.commit(options)
    } catch (error) {
      if (!this.mayRestart || !isAborted(error)) await this.rollback()
      throw error
    }
    this.#end('committed')
  }

  /** Undoes everything. Never rejects: a lost connection to Spanner rolls back by itself. */
  async rollback(): Promise<void> {
    await this.#abandon()
    if (this.#state !== 'idle') this.#end('rolled-back')
  }

  /**
   * A statement failed: an explicit transaction waits for ROLLBACK, and keeps what a savepoint may want back; an implicit one is
   * over.
   */
  async fail(): Promise<void> {
    if (this.#state === 'implicit') await this.rollback()
    if (this.#state !== 'explicit') return
    if (this.#savepoints.level === 0) await this.#abandon()
    else this.#cancelOpenStream()
    this.#become('failed')
  }

  /** As if the statement that failed last had not been sent: the next one is told nothing of it. */
  async forgetFailure(): Promise<void> {
    this.#cancelOpenStream()
    await this.#readWrite?.rollbackTo(this.#readWrite.mark())
  }

  /** SAVEPOINT. */
  async savepoint(name: string): Promise<void> {
    await this.#drainOpenStream()
    const level = this.#savepoints.push({
      name,
      mark: this.#readWrite?.mark() ?? 0,
      characteristics: this.characteristics,
    })
    for (const participant of this.#participants) await participant.savepoint(level)
    this.#options.savepointListener.savepoint(level)
  }

  /** RELEASE SAVEPOINT. Throws 3B001. */
  async release(name: string): Promise<void> {
    const level = this.#savepoints.release(name)
    for (const participant of this.#participants) await participant.release(level)
    this.#options.savepointListener.release(level)
  }

  /** ROLLBACK TO SAVEPOINT; a failed transaction goes on after it. Throws 3B001. */
  async rollbackTo(name: string): Promise<void> {
    const { level, mark, characteristics } = this.#savepoints.rollBackTo(name)
    this.#characteristics = characteristics
    this.#cancelOpenStream()
    await this.#readWrite?.rollbackTo(mark)
    for (const participant of this.#participants) await participant.rollbackTo(level)
    this.#options.savepointListener.rollbackTo(level)
    if (this.#state === 'failed') this.#become('explicit')
  }

  /** Tells Spanner that the client is still there, where a read-write transaction is under way and nothing of it is half read. */
  async keepAlive(options: CallOptions): Promise<void> {
    if (this.#openStream === undefined) await this.#readWrite?.keepAlive(options)
  }

  /** Forgets the implicit transaction's attempt at Spanner, so that the same statements can be run again in a new one. */
  async restart(): Promise<void> {
    transactionEvents.publish({
      kind: 'aborted',
      connId: this.#options.connId,
      willReplay: true,
    })
    const previous = this.#readWrite?.lastAttempt
    this.#cancelOpenStream()
    await this.#readWrite?.rollback()
    this.#readWrite = undefined
    this.#previousAttempt = previous
  }

  #commitOptions() {
    const { maxCommitDelayMs, returnCommitStats } = this.#options.spannerOptions()
    return { maxCommitDelayMs, returnCommitStats }
  }

  get #isAtSpanner(): boolean {
    return this.#readWrite !== undefined || this.#readOnly !== undefined
  }

  #readOnce(statement: SpannerStatement, traits: StatementTraits, options: CallOptions): RowStream {
    const { bound, priority } = this.#options.spannerOptions()
    const requestOptions = { priority, requestTag: traits.requestTag }
    const stream = this.#options.database.singleUse(statement, {
      ...options,
      bound,
      requestOptions,
    })
    this.#lastRead = stream
    return stream
  }

  /**
   * Partitioned DML, outside any transaction: it runs at least once on each row. Gives the lower bound of the rows changed. The
   * implicit transaction around it holds nothing.
   */
  executePartitioned(
    statement: SpannerStatement,
    command: string,
    options: CallOptions,
  ): Promise<bigint> {
    if (this.characteristics.readOnly) throw readOnlyViolation(command)
    const { priority, excludeFromChangeStreams } = this.#options.spannerOptions()
    return this.#options.database.executePartitionedDml(statement, {
      ...options,
      excludeFromChangeStreams,
      requestOptions: { priority },
    })
  }

  #send(statement: SpannerStatement, traits: StatementTraits, options: CallOptions): RowStream {
    if (this.characteristics.readOnly && this.#readWrite === undefined) {
      return this.#readInSnapshot(statement, traits.requestTag, options)
    }
    return this.#joinReadWrite().execute(statement, traits, options)
  }

  /** Joins the read-only transaction, or makes it. */
  #readInSnapshot(
    statement: SpannerStatement,
    requestTag: string | undefined,
    options: CallOptions,
  ): RowStream {
    const { bound, priority } = this.#options.spannerOptions()
    this.#readOnly ??= this.#options.database.beginReadOnly({ bound: snapshotBound(bound) })
    this.#lastRead = this.#readOnly
    const requestOptions = { priority, requestTag }
    return this.#readOnly.execute(statement, { ...options, isDml: false, requestOptions })
  }

  /** Joins the read-write transaction, or makes it; nothing is sent before the first statement. */
  #joinReadWrite(): ReplayedTransaction {
    if (this.#readWrite !== undefined) return this.#readWrite
    const { database, writerQueue, lockTimeoutMs, connId } = this.#options
    const { isolation } = this.characteristics
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
      },
      priority: spanner.priority,
      isolation,
      mayReplay: () => !this.mayRestart && this.#options.retriesAborts(),
      writerQueue,
      lockTimeoutMs,
      onAborted: (willReplay) => {
        transactionEvents.publish({ kind: 'aborted', connId, willReplay })
      },
    })
    return this.#readWrite
  }

  async #drainOpenStream(): Promise<void> {
    const stream = this.#openStream
    this.#openStream = undefined
    await stream?.drain()
  }

  #cancelOpenStream(): void {
    this.#openStream?.cancel()
    this.#openStream = undefined
  }

  async #abandon(): Promise<void> {
    this.#cancelOpenStream()
    await this.#readWrite?.rollback()
    await this.#readOnly?.rollback()
    for (const participant of this.#participants) await participant.rollback()
    this.#readWrite = undefined
    this.#readOnly = undefined
    this.#participants = []
  }

  #end(outcome: 'committed' | 'rolled-back'): void {
    this.#publishEnd(outcome)
    this.#readWrite = undefined
    this.#readOnly = undefined
    this.#previousAttempt = undefined
    this.#participants = []
    this.#characteristics = undefined
    this.#savepoints.clear()
    this.#hasRun = false
    this.#isAnswerOut = false
    this.#become('idle')
    this.#options.onEnd(outcome)
  }

  #publishEnd(outcome: 'committed' | 'rolled-back'): void {
    if (!transactionEvents.hasSubscribers || !this.#hasRun) return
    transactionEvents.publish({
      kind: 'ended',
      connId: this.#options.connId,
      outcome: outcome === 'committed' ? 'commit' : 'rollback',
      durationMs: Number(nowMicros() - (this.#startMicros ?? nowMicros())) / 1000,
      attempts: this.#readWrite?.attempts ?? 1,
    })
  }

  #become(state: BlockState): void {
    const begins = this.#state === 'idle' && state !== 'idle'
    if (begins) {
      this.#startMicros = nowMicros()
      this.#transactionCount++
    }
    if (state === 'idle') this.#startMicros = undefined
    this.#state = state
    if (begins) this.#options.onStart?.()
  }
}

const LOAD = { command: 'SELECT', isDml: false, isLoad: true, returnsRows: true, isOrdered: false }

/** src/backend/tcop/utility.c, PreventCommandIfReadOnly. */
export function readOnlyViolation(command: string): PgError {
  return new PgError(
    SQL_STATE.readOnlySqlTransaction,
    `cannot execute ${command} in a read-only transaction`,
  )
}
