import type {
  BackendDatabase,
  BackendTransaction,
  CallOptions,
  RowStream,
  SpannerStatement,
} from '../backend/backend.ts'
import { isAborted } from '../backend/backend-error.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { BufferedStream } from './buffered-stream.ts'
import type { ReleaseWriter, WriterQueue } from './writer-queue.ts'

/** PostgreSQL's four isolation levels, as SHOW transaction_isolation writes them. */
export type IsolationLevel =
  | 'read uncommitted'
  | 'read committed'
  | 'repeatable read'
  | 'serializable'

export interface TransactionCharacteristics {
  readonly isolation: IsolationLevel
  readonly readOnly: boolean
  readonly deferrable: boolean
}

/**
 * Where the connection stands (TBlockState in src/backend/access/transam/xact.c, as far as clients can tell):
 * `idle` outside, `implicit` inside the transaction that a query string or a pipeline forms by itself, `explicit` after BEGIN,
 * `failed` after an error in an explicit one.
 */
export type BlockState = 'idle' | 'implicit' | 'explicit' | 'failed'

/** Something else that takes effect with the transaction: DDL that waits in the companion. */
export interface TransactionParticipant {
  commit(options: CallOptions): Promise<void>
  rollback(): Promise<void>
}

export interface StatementTraits {
  readonly isDml: boolean
  /** FOR UPDATE and its relatives. */
  readonly locksRows: boolean
  /** INSERT, UPDATE, DELETE or SELECT: named in 25006. */
  readonly command: string
  /** The statement is all that its implicit transaction will hold. */
  readonly isSole: boolean
}

export interface BlockOptions {
  readonly database: BackendDatabase
  /** undefined where the backend lets transactions run side by side. */
  readonly writerQueue: WriterQueue | undefined
  /** What a transaction gets that asks for nothing (default_transaction_*). */
  readonly defaults: () => TransactionCharacteristics
  /** How long a place in the writer queue is waited for, in milliseconds. */
  readonly lockTimeoutMs: () => number
  /** Called once when a transaction has ended, for everything that lives with it (settings, portals). */
  readonly onEnd: (outcome: 'committed' | 'rolled-back') => void
}

/**
 * The transaction of one client connection: at most one at Spanner, begun with the first statement that needs it. All
 * changes of state happen in `#become`.
 */
export class TransactionBlock {
  readonly #options: BlockOptions
  #state: BlockState = 'idle'
  #startMicros: bigint | undefined
  #characteristics: TransactionCharacteristics | undefined
  #transaction: BackendTransaction | undefined
  #previousAttempt: BackendTransaction | undefined
  #releaseWriter: ReleaseWriter | undefined
  #openStream: BufferedStream | undefined
  #participant: TransactionParticipant | undefined
  #hasWritten = false
  #hasRun = false

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
    return this.#hasWritten
  }

  /** Whether a statement has read or written at Spanner: isolation can no longer be chosen. */
  get hasRun(): boolean {
    return this.#hasRun
  }

  get participant(): TransactionParticipant | undefined {
    return this.#participant
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

  enlist(participant: TransactionParticipant): void {
    this.#participant = participant
  }

  /**
   * Sends one statement in the transaction that it belongs to: a sole read goes single-use. The stream may be left half read; it
   * is drained before the next statement.
   */
  async execute(
    statement: SpannerStatement,
    traits: StatementTraits,
    options: CallOptions & { readonly signal: AbortSignal },
  ): Promise<RowStream> {
    const { readOnly } = this.characteristics
    if (readOnly && traits.isDml) throw readOnlyViolation(traits.command)
    if (readOnly && traits.locksRows) throw readOnlyViolation('SELECT FOR UPDATE')
    this.#hasRun = true
    if (traits.isSole && !traits.isDml && !traits.locksRows && this.#transaction === undefined) {
      return this.#options.database.singleUse(statement, options)
    }
    await this.#drainOpenStream()
    const transaction = await this.#join(readOnly, options.signal)
    if (traits.isDml) this.#hasWritten = true
    const stream = new BufferedStream(
      transaction.execute(statement, {
        ...options,
        isDml: traits.isDml,
        isLast: traits.isSole && traits.isDml,
      }),
    )
    this.#openStream = stream
    return stream
  }

  /**
   * Makes everything since the start last, whatever kind of transaction it is. Where that fails, it is rolled back; an implicit
   * one that Spanner aborted stays open, because it may be run again.
   */
  async commit(options: CallOptions): Promise<void> {
    try {
      await this.#drainOpenStream()
      await this.#transaction?.commit(options)
      this.#leaveWriterQueue()
      await this.#participant?.commit(options)
    } catch (error) {
      if (this.#state !== 'implicit' || !isAborted(error)) await this.rollback()
      throw error
    }
    this.#end('committed')
  }

  /** Undoes everything. Never rejects: a lost connection to Spanner rolls back by itself. */
  async rollback(): Promise<void> {
    await this.#abandon()
    await this.#participant?.rollback()
    if (this.#state !== 'idle') this.#end('rolled-back')
  }

  /** A statement failed: an explicit transaction waits for ROLLBACK, an implicit one is over. */
  async fail(): Promise<void> {
    if (this.#state !== 'explicit') {
      if (this.#state === 'implicit') await this.rollback()
      return
    }
    await this.#abandon()
    await this.#participant?.rollback()
    this.#participant = undefined
    this.#become('failed')
  }

  /** Forgets the attempt at Spanner, so that the same statements can be run again in a new one. */
  async restart(): Promise<void> {
    const previous = this.#transaction
    await this.#abandon()
    this.#previousAttempt = previous
    this.#hasWritten = false
  }

  /** Joins the transaction at Spanner, or makes it; nothing is sent before the first statement. */
  async #join(readOnly: boolean, signal: AbortSignal): Promise<BackendTransaction> {
    if (this.#transaction !== undefined) return this.#transaction
    if (readOnly) {
      this.#transaction = this.#options.database.beginReadOnly()
      return this.#transaction
    }
    const queue = this.#options.writerQueue
    if (queue !== undefined) {
      this.#releaseWriter = await queue.acquire(this.#options.lockTimeoutMs(), signal)
    }
    this.#transaction = this.#options.database.beginReadWrite({
      isolation: 'serializable',
      previousAttempt: this.#previousAttempt,
    })
    return this.#transaction
  }

  async #drainOpenStream(): Promise<void> {
    const stream = this.#openStream
    this.#openStream = undefined
    await stream?.drain()
  }

  async #abandon(): Promise<void> {
    this.#openStream?.cancel()
    this.#openStream = undefined
    const transaction = this.#transaction
    this.#transaction = undefined
    await transaction?.rollback()
    this.#leaveWriterQueue()
  }

  #leaveWriterQueue(): void {
    this.#releaseWriter?.()
    this.#releaseWriter = undefined
  }

  #end(outcome: 'committed' | 'rolled-back'): void {
    this.#transaction = undefined
    this.#previousAttempt = undefined
    this.#participant = undefined
    this.#characteristics = undefined
    this.#hasWritten = false
    this.#hasRun = false
    this.#become('idle')
    this.#options.onEnd(outcome)
  }

  #become(state: BlockState): void {
    if (this.#state === 'idle' && state !== 'idle') this.#startMicros = nowMicros()
    if (state === 'idle') this.#startMicros = undefined
    this.#state = state
  }
}

function nowMicros(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000))
}

/** src/backend/tcop/utility.c, PreventCommandIfReadOnly. */
export function readOnlyViolation(command: string): PgError {
  return new PgError(
    SQL_STATE.readOnlySqlTransaction,
    `cannot execute ${command} in a read-only transaction`,
  )
}
