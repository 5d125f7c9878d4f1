import type {
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
import type { TransactionCharacteristics } from './characteristics.ts'
import type { BatchOptions } from './replayed-transaction.ts'
import { SavepointStack } from './savepoints.ts'
import { SpannerTransaction, type SpannerTransactionOptions } from './spanner-transaction.ts'
import type { LoadTraits, StatementTraits } from './statement-traits.ts'

/**
 * Where the connection stands (TBlockState in src/backend/access/transam/xact.c, as far as clients can tell):
 * `idle` outside, `implicit` inside the transaction that a query string or a pipeline forms by itself, `explicit` after BEGIN,
 * `failed` after an error in an explicit one.
 */
export type BlockState = 'idle' | 'implicit' | 'explicit' | 'failed'

/**
 * What forms an implicit transaction: one statement; several in one query string, which PostgreSQL takes for a block that nobody began
 * (TBLOCK_IMPLICIT_INPROGRESS); or what a pipeline has executed so far (XACT_FLAGS_PIPELINING).
 */
export type ImplicitForm = 'statement' | 'query-string' | 'pipeline'

/** What a transaction has at Spanner, to a participant whose part must take effect together with it. */
export interface SpannerSide {
  /** Whether rows were changed. */
  readonly hasWritten: boolean
  /** Spanner's names of the tables whose rows were written. */
  readonly written: ReadonlySet<string>
  /** Ends what is under way at Spanner, for which a change of the schema would wait; the next call does again what was done. */
  rest(): Promise<void>
  /** Reads rows in the transaction. The stream must be drained or cancelled before the next call. */
  load(statement: SpannerStatement, traits: LoadTraits, options: CallOptions): Promise<RowStream>
  /** Sends DML in the transaction. */
  executeBatch(statements: readonly SpannerStatement[], options: BatchOptions): Promise<BatchResult>
  commit(options: CallOptions): Promise<void>
}

/** Something else that takes effect with the transaction: DDL that waits in the companion. Levels are those of savepoints. */
export interface TransactionParticipant {
  /** Commits what is at Spanner together with its own part; of several participants one at most has it. */
  commitRows?(options: CallOptions): Promise<void>
  /** Comes after the commit at Spanner. */
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

export interface BlockOptions extends SpannerTransactionOptions {
  /** What a transaction gets that asks for nothing (default_transaction_*). */
  readonly defaults: () => TransactionCharacteristics
  /** Whether transactions that Spanner aborts are run again (spanwire.retry_aborts). */
  readonly retriesAborts: () => boolean
  /** Called once when a transaction begins. */
  readonly onStart?: () => void
  /** Called once when a transaction has ended, for everything that lives with it (settings, portals). */
  readonly onEnd: (outcome: 'committed' | 'rolled-back') => void
  readonly savepointListener: SavepointListener
}

/**
 * The transaction of one client connection as PostgreSQL knows it: where it stands, what it may do, its savepoints, and what ends with it. What its
 * statements are at Spanner, SpannerTransaction decides. All changes of state happen in `#become`.
 */
export class TransactionBlock {
  readonly #options: BlockOptions
  readonly #spanner: SpannerTransaction
  readonly #savepoints = new SavepointStack()
  #state: BlockState = 'idle'
  #implicitForm: ImplicitForm = 'statement'
  #startMicros: bigint | undefined
  #characteristics: TransactionCharacteristics | undefined
  #participants: TransactionParticipant[] = []
  #hasRun = false
  #isAnswerOut = false
  #transactionCount = 0

  constructor(options: BlockOptions) {
    this.#options = options
    this.#spanner = new SpannerTransaction(options, this)
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
    return this.#spanner.hasWritten
  }

  /** What the transaction has at Spanner. */
  get spanner(): SpannerSide {
    return this.#spanner
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

  /** Whether what Spanner aborts is run again from the log, because something of it has been seen. */
  get mayReplay(): boolean {
    return !this.mayRestart && this.#options.retriesAborts()
  }

  /** The number of the transaction among those of the connection. */
  get transactionNumber(): number {
    return this.#transactionCount
  }

  /** How many statements, batches and loads have been for Spanner since the connection began. */
  get statementsSent(): number {
    return this.#spanner.statementsSent
  }

  /** RFC 3339: what the last read outside read-write transactions saw. */
  get readTimestamp(): string | undefined {
    return this.#spanner.readTimestamp
  }

  /** Of the last transaction that wrote. */
  get lastCommit(): CommitResult | undefined {
    return this.#spanner.lastCommit
  }

  /** How many savepoints are in force. */
  get savepointLevel(): number {
    return this.#savepoints.level
  }

  /** Of the implicit transaction; undefined in others and outside. */
  get implicitForm(): ImplicitForm | undefined {
    return this.#state === 'implicit' ? this.#implicitForm : undefined
  }

  /** Every statement begins with it: outside a transaction it opens the implicit one, which `form` widens. */
  startStatement(form: ImplicitForm = 'statement'): void {
    if (this.#state === 'idle') this.#become('implicit')
    if (form !== 'statement') this.#implicitForm = form
  }

  /** A statement of the extended protocol has been executed: what comes before Sync comes after it. */
  statementExecuted(): void {
    if (this.implicitForm === 'statement') this.#implicitForm = 'pipeline'
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
   * Sends one statement in the transaction that it belongs to. DML has run to its end when this returns; the stream of a read may be
   * left half read. Throws 25006 for what a read-only transaction may not do, and so do its relatives below.
   */
  async execute(
    statement: SpannerStatement,
    traits: StatementTraits,
    options: CallOptions,
  ): Promise<RowStream> {
    if (traits.isDml) this.#mustWrite(traits.command)
    if (traits.draws !== undefined) this.#mustWrite('nextval()')
    if (traits.locksRows) this.#mustWrite('SELECT FOR UPDATE')
    this.#hasRun = true
    return this.#spanner.execute(statement, traits, options)
  }

  /**
   * Reads rows for an emulated statement, in the transaction that it belongs to; all loads of a statement see one snapshot. The stream
   * must be drained or cancelled before the next call.
   */
  async load(
    statement: SpannerStatement,
    traits: LoadTraits,
    options: CallOptions,
  ): Promise<RowStream> {
    if (traits.locksRows) this.#mustWrite('SELECT FOR UPDATE')
    this.#hasRun = true
    return this.#spanner.load(statement, traits, options)
  }

  /** Sends DML without RETURNING as one batch, which begins with `command`; `error` of the result is that of the first statement that failed. */
  async executeBatch(
    statements: readonly SpannerStatement[],
    command: string,
    options: BatchOptions,
  ): Promise<BatchResult> {
    this.#mustWrite(command)
    this.#hasRun = true
    return this.#spanner.executeBatch(statements, options)
  }

  /**
   * Partitioned DML, outside any transaction: it runs at least once on each row. Gives the lower bound of the rows changed. The
   * implicit transaction around it holds nothing.
   */
  executePartitioned(
    statement: SpannerStatement,
    traits: Pick<StatementTraits, 'command' | 'requestTag'>,
    options: CallOptions,
  ): Promise<bigint> {
    this.#mustWrite(traits.command)
    return this.#spanner.executePartitioned(statement, traits, options)
  }

  /**
   * Makes everything since the start last, whatever kind of transaction it is. Where that fails, it is rolled back; an implicit
   * one that Spanner aborted stays open where it may be run again.
   */
  async commit(options: CallOptions): Promise<void> {
    try {
      const joint = this.#participants.find(({ commitRows }) => commitRows !== undefined)
      await (joint?.commitRows?.(options) ?? this.#spanner.commit(options))
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
    else this.#spanner.cancelOpenStream()
    this.#become('failed')
  }

  /** As if the statement that failed last had not been sent: the next one is told nothing of it. */
  forgetFailure(): Promise<void> {
    return this.#spanner.forgetFailure()
  }

  /** SAVEPOINT. */
  async savepoint(name: string): Promise<void> {
    const mark = await this.#spanner.mark()
    const level = this.#savepoints.push({ name, mark, characteristics: this.characteristics })
    for (const participant of this.#participants) await participant.savepoint(level)
    this.#options.savepointListener.savepoint(level)
  }

  /** RELEASE SAVEPOINT. Throws 3B001. */
  async release(name: string): Promise<void> {
    const { level, characteristics } = this.#savepoints.release(name)
    // Only this one of them is not kept (CommitSubTransaction in src/backend/access/transam/xact.c).
    this.#characteristics = { ...this.characteristics, readOnly: characteristics.readOnly }
    for (const participant of this.#participants) await participant.release(level)
    this.#options.savepointListener.release(level)
  }

  /** ROLLBACK TO SAVEPOINT; a failed transaction goes on after it. Throws 3B001. */
  async rollbackTo(name: string): Promise<void> {
    const { level, mark, characteristics } = this.#savepoints.rollBackTo(name)
    this.#characteristics = characteristics
    await this.#spanner.rollbackTo(mark)
    for (const participant of this.#participants.toReversed()) await participant.rollbackTo(level)
    this.#options.savepointListener.rollbackTo(level)
    if (this.#state === 'failed') this.#become('explicit')
  }

  /** Tells Spanner that the client is still there, where a read-write transaction is under way and nothing of it is half read. */
  keepAlive(options: CallOptions): Promise<void> {
    return this.#spanner.keepAlive(options)
  }

  /** Forgets the implicit transaction's attempt at Spanner, so that the same statements can be run again in a new one. */
  restart(): Promise<void> {
    return this.#spanner.restart()
  }

  #mustWrite(command: string): void {
    if (this.characteristics.readOnly) throw readOnlyViolation(command)
  }

  async #abandon(): Promise<void> {
    await this.#spanner.rollback()
    // What came last is taken back first.
    for (const participant of this.#participants.toReversed()) await participant.rollback()
    this.#participants = []
  }

  #end(outcome: 'committed' | 'rolled-back'): void {
    this.#publishEnd(outcome)
    this.#spanner.end()
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
      attempts: this.#spanner.attempts,
    })
  }

  #become(state: BlockState): void {
    const begins = this.#state === 'idle' && state !== 'idle'
    if (begins) {
      this.#startMicros = nowMicros()
      this.#characteristics ??= this.#options.defaults()
      this.#implicitForm = 'statement'
      this.#transactionCount++
    }
    if (state === 'idle') this.#startMicros = undefined
    this.#state = state
    if (begins) this.#options.onStart?.()
  }
}

/** src/backend/tcop/utility.c, PreventCommandIfReadOnly. */
export function readOnlyViolation(command: string): PgError {
  return new PgError(
    SQL_STATE.readOnlySqlTransaction,
    `cannot execute ${command} in a read-only transaction`,
  )
}
