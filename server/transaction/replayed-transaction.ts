import type {
  BackendDatabase,
  BackendTransaction,
  BatchResult,
  CallOptions,
  CommitOptions,
  CommitResult,
  ReadWriteOptions,
  RequestOptions,
  RowStream,
  SpannerStatement,
} from '../backend/backend.ts'
import { BackendError, type BackendFailure, isAborted } from '../backend/backend-error.ts'
import { backOff, MAX_ATTEMPTS, MAX_ELAPSED_MS } from './backoff.ts'
import { comparesReads, type IsolationLevel } from './characteristics.ts'
import { type ImpatientTransaction, withLockTimeout } from './lock-timeout.ts'
import { type LogMark, TransactionLog } from './log.ts'
import { replayLog } from './replay.ts'
import { ReplayingStream } from './replaying-stream.ts'
import { serializationFailure } from './serialization-failure.ts'
import { isAnswer } from './statement-failure.ts'
import type { StatementTraits } from './statement-traits.ts'
import type { ReleaseWriter, Writer, WriterQueue } from './writer-queue.ts'

/** For one ExecuteBatchDml. */
export interface BatchOptions extends CallOptions {
  /** Spanner's names of the tables whose rows they write. */
  readonly written: Iterable<string>
  /** One of them writes values that Spanner draws in it. */
  readonly writesDrawn?: boolean | undefined
  /** The client asked for nothing after it but Commit. */
  readonly isLast?: boolean | undefined
  readonly requestTag?: string | undefined
}

export interface ReplayedTransactionOptions {
  readonly database: BackendDatabase
  readonly begin: ReadWriteOptions
  /** What every request asks, of a replay too, as it stands when it is made. */
  readonly requestOptions?: () => RequestOptions
  readonly isolation: IsolationLevel
  /** Whether an ABORTED is dealt with here; else it is thrown like any other failure. */
  readonly mayReplay: () => boolean
  /** undefined where the backend lets transactions run side by side. */
  readonly writerQueue: WriterQueue | undefined
  /** How long a statement waits for locks, in milliseconds; 0: without end. */
  readonly lockTimeoutMs: () => number
  readonly onAborted?: ((willReplay: boolean) => void) | undefined
}

/**
 * A client's read-write transaction, over as many attempts at Spanner as it takes. What was done in it is in its log; whenever an
 * attempt is lost (Spanner aborted it, its place was needed, a savepoint was rolled back to), the next call begins another one and
 * brings it to where the last one was, comparing what the client was told. If that cannot be repeated, the call fails with 40001.
 *
 * Calls come one after the other. The stream of a statement must be drained or cancelled before the next call.
 */
export class ReplayedTransaction implements Writer {
  readonly #options: ReplayedTransactionOptions
  readonly #log = new TransactionLog()
  #attempt: BackendTransaction | undefined
  /** The last attempt that was lost: its successor inherits the seniority of its locks. */
  #lost: BackendTransaction | undefined
  /** Whether plain reads must come again: at the isolation level, or since values were written that a replay draws anew and a read may have shown. */
  #comparesReads: boolean
  #attempts = 0
  /** Since a call last succeeded. */
  #aborts = 0
  #firstAbortAt = 0
  /** A statement failed in a way that leaves the attempt good for nothing but its end. */
  #isPoisoned = false
  #releasePlace: ReleaseWriter | undefined
  /** The place was given back while the client was idle; settles when the attempt has ended at Spanner. */
  #yielding: Promise<void> | undefined
  #callsUnderWay = 0

  constructor(options: ReplayedTransactionOptions) {
    this.#options = options
    this.#comparesReads = comparesReads(options.isolation)
    this.#lost = options.begin.previousAttempt
  }

  /** Whether rows were changed. */
  get hasWritten(): boolean {
    return this.#log.hasWritten()
  }

  /** Attempts so far. */
  get attempts(): number {
    return this.#attempts
  }

  /** For the seniority of a successor. */
  get lastAttempt(): BackendTransaction | undefined {
    return this.#attempt ?? this.#lost
  }

  /** Nothing is sent before the first pull. */
  execute(statement: SpannerStatement, traits: StatementTraits, options: CallOptions): RowStream {
    this.#callsUnderWay++
    const { requestTag } = traits
    const mustCompare = traits.isDml || traits.locksRows || this.#comparesReads
    return new ReplayingStream({
      isOrdered: traits.isOrdered,
      open: async () => {
        const attempt = await this.#impatient(options)
        return attempt.execute(statement, {
          ...options,
          isDml: traits.isDml,
          isLast: traits.isSole && traits.isDml,
          requestOptions: this.#requestOptions(requestTag),
        })
      },
      recover: (error) => this.#recover(error, options),
      changed: () => this.#changed('rows that it had sent'),
      onEnd: (observed) => {
        this.#callsUnderWay--
        if (!this.#isAnswered(observed.failure, traits.isDml)) return
        if (!mustCompare || traits.draws === 'only') return
        if (traits.isLoad === true) {
          this.#log.append({ kind: 'load', statement, requestTag, observed })
          return
        }
        const again = observed.rows === undefined ? undefined : traits.again?.(observed.rows)
        if (traits.writesDrawn === true && again === undefined) this.#comparesReads = true
        this.#log.append({
          kind: 'statement',
          statement,
          again,
          isDml: traits.isDml,
          isOrdered: traits.isOrdered,
          requestTag,
          observed: { ...observed, rows: traits.returnsRows ? observed.rows : undefined },
        })
      },
    })
  }

  /** DML without RETURNING; `error` of the result is that of the first statement that failed. */
  async executeBatch(
    statements: readonly SpannerStatement[],
    options: BatchOptions,
  ): Promise<BatchResult> {
    const result = await this.#run(options, (attempt) =>
      attempt.executeBatch(statements, {
        ...options,
        isDml: true,
        requestOptions: this.#requestOptions(options.requestTag),
      }),
    ).catch((givenUp: unknown) => {
      // Given up half-way: what it changed stays in the attempt, and must not be committed.
      this.#isPoisoned = true
      throw givenUp
    })
    const { requestTag } = options
    const { rowCounts, error } = result
    const failure = error instanceof BackendError ? error.failure : undefined
    if (this.#isAnswered(failure, true)) {
      if (options.writesDrawn === true) this.#comparesReads = true
      this.#log.append({ kind: 'batch', statements, requestTag, observed: { rowCounts, failure } })
    }
    return result
  }

  async commit(options: CommitOptions): Promise<CommitResult> {
    const hasNothing = this.#attempt === undefined && this.#log.isEmpty
    const result = hasNothing
      ? {}
      : await this.#run(options, (attempt) =>
          attempt.commit({ ...options, requestOptions: this.#requestOptions() }),
        )
    this.#close()
    return result
  }

  /** Never rejects. */
  async rollback(): Promise<void> {
    await this.#discardAttempt()
    this.#close()
  }

  /** Makes Spanner see that the transaction is not idle. An attempt that is lost by now is begun anew by the next call. */
  async keepAlive(options: CallOptions): Promise<void> {
    const attempt = this.#attempt
    if (attempt === undefined || this.#isPoisoned || this.#callsUnderWay > 0) return
    this.#callsUnderWay++
    try {
      const stream = attempt.execute(
        { sql: 'SELECT 1', params: [] },
        { ...options, isDml: false, requestOptions: this.#requestOptions() },
      )
      while ((await stream.next()) !== undefined);
    } catch {
      await this.#discardAttempt()
    } finally {
      this.#callsUnderWay--
    }
  }

  /** Ends the attempt at Spanner: the next call begins another one and brings it to where this one was. Calls must not be under way. */
  rest(): Promise<void> {
    return this.#discardAttempt()
  }

  /** Where the transaction stands, for {@link rollbackTo}. */
  mark(): LogMark {
    return this.#log.mark()
  }

  /** Undoes what came after `mark`. Nothing is sent where nothing was changed and the attempt is sound. */
  async rollbackTo(mark: LogMark): Promise<void> {
    if (!this.#log.hasWritten(mark) && !this.#isPoisoned) return
    this.#log.truncate(mark)
    await this.#discardAttempt()
  }

  yieldPlace(): boolean {
    if (this.#callsUnderWay > 0 || this.#releasePlace === undefined) return false
    const attempt = this.#attempt
    this.#lost = attempt ?? this.#lost
    this.#attempt = undefined
    this.#yielding = (attempt?.rollback() ?? Promise.resolve()).then(() => this.#leavePlace())
    return true
  }

  /** Makes a call in the attempt, and again in another one as long as Spanner aborts it. */
  async #run<T>(
    options: CallOptions,
    call: (attempt: ImpatientTransaction) => Promise<T>,
  ): Promise<T> {
    this.#callsUnderWay++
    try {
      for (;;) {
        try {
          const result = await call(await this.#impatient(options))
          this.#aborts = 0
          return result
        } catch (error) {
          await this.#recover(error, options)
        }
      }
    } finally {
      this.#callsUnderWay--
    }
  }

  async #impatient(options: CallOptions): Promise<ImpatientTransaction> {
    return withLockTimeout(await this.#current(options), this.#options.lockTimeoutMs())
  }

  /** The attempt under way, or a new one that has been brought to where the last one was. */
  async #current(options: CallOptions): Promise<BackendTransaction> {
    await this.#yielding
    if (this.#attempt !== undefined) return this.#attempt
    const { database, begin, writerQueue, lockTimeoutMs } = this.#options
    if (writerQueue !== undefined && this.#releasePlace === undefined) {
      this.#releasePlace = await writerQueue.acquire(this, lockTimeoutMs(), options.signal)
    }
    const attempt = database.beginReadWrite({ ...begin, previousAttempt: this.#lost })
    this.#attempt = attempt
    this.#attempts++
    this.#isPoisoned = false
    const changed = await replayLog(
      this.#log.entries(),
      withLockTimeout(attempt, lockTimeoutMs()),
      { ...options, requestOptions: this.#requestOptions() },
    ).catch(async (error: unknown) => {
      // Half of the log is no place to go on from.
      await this.#discardAttempt()
      throw error
    })
    if (changed !== undefined) throw this.#changed(changed)
    return attempt
  }

  /** After ABORTED: waits, so that the next call begins anew. Throws every other error, and ABORTED past the bounds. */
  async #recover(error: unknown, options: CallOptions): Promise<void> {
    if (!isAborted(error)) throw error
    const willReplay = this.#options.mayReplay()
    this.#options.onAborted?.(willReplay)
    if (!willReplay) throw error
    this.#demandWithinBounds()
    await this.#discardAttempt()
    await backOff(error, this.#aborts, this.#options.database, options.signal)
  }

  #demandWithinBounds(): void {
    const { isolation } = this.#options
    if (this.#aborts++ === 0) this.#firstAbortAt = performance.now()
    const elapsedMs = performance.now() - this.#firstAbortAt
    if (this.#aborts >= MAX_ATTEMPTS || elapsedMs > MAX_ELAPSED_MS) {
      const attempts = this.#aborts
      throw serializationFailure(isolation, { kind: 'too-many-aborts', attempts, elapsedMs })
    }
  }

  /** A replay came out differently: it must not be committed, and nothing of it may be built upon. */
  #changed(what: string): Error {
    this.#isPoisoned = true
    return serializationFailure(this.#options.isolation, { kind: 'changed', what })
  }

  async #discardAttempt(): Promise<void> {
    await this.#yielding
    const attempt = this.#attempt
    this.#lost = attempt ?? this.#lost
    this.#attempt = undefined
    this.#isPoisoned = false
    await attempt?.rollback()
  }

  /** Whether a statement ran to an end that a replay can come to again. */
  #isAnswered(failure: BackendFailure | undefined, isDml: boolean): boolean {
    if (failure === undefined) {
      this.#aborts = 0
      return !this.#isPoisoned
    }
    const { survivesStatementError } = this.#options.database.capabilities
    if (isAnswer(failure)) this.#isPoisoned ||= !survivesStatementError
    else if (isDml) this.#isPoisoned = true
    return isAnswer(failure) && !this.#isPoisoned
  }

  #requestOptions(requestTag?: string): RequestOptions {
    return { ...this.#options.requestOptions?.(), requestTag }
  }

  #close(): void {
    this.#log.close()
    this.#leavePlace()
  }

  #leavePlace(): void {
    this.#yielding = undefined
    this.#releasePlace?.()
    this.#releasePlace = undefined
  }
}
