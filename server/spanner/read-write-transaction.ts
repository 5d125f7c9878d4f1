import type {
  BackendTransaction,
  BatchResult,
  CommitOptions,
  CommitResult,
  ExecuteOptions,
  ReadWriteOptions,
  RowStream,
  SpannerStatement,
} from '../backend/backend.ts'
import { BackendError, type BackendFailureKind } from '../backend/backend-error.ts'
import { Bug } from '../base/pg-error.ts'
import { demandTransaction, rollbackOrphan, rollbackTransaction } from './begin-and-rollback.ts'
import { commitTransaction } from './commit.ts'
import { Deadline } from './deadline.ts'
import { isLostSequence } from './error-patterns.ts'
import { PrecommitToken } from './precommit-token.ts'
import { encodeExecuteBatchDml, encodeExecuteSql, type TransactionSelector } from './requests.ts'
import { decodeBatchDml, type TransactionReply } from './responses.ts'
import { SpannerRowStream } from './row-stream.ts'
import type { Session } from './session.ts'
import { SessionLease } from './session-lease.ts'
import { fromStatus, toBackendError } from './status.ts'
import type { TransactionHost } from './transaction-host.ts'
import { readWriteOptions } from './transaction-options.ts'
import { GRPC_CODE } from './transport.ts'

/** After these the emulator has rolled the inlined begin back by itself. */
const ROLLED_BACK_BY_ITSELF: ReadonlySet<BackendFailureKind> = new Set<BackendFailureKind>([
  'unique-violation',
  'foreign-key-violation',
  'not-null-violation',
  'check-violation',
  'aborted',
])

/** After these the statement may have run all the same. */
const IN_DOUBT: ReadonlySet<BackendFailureKind> = new Set<BackendFailureKind>([
  'cancelled',
  'deadline-exceeded',
  'unavailable',
])

/**
 * One attempt at a read-write transaction on one session; the first statement begins it. It ends with commit or rollback:
 * a commit that fails rolls back by itself, and the later rollback has nothing to do.
 *
 * Statements whose connection is lost are sent again: Spanner knows DML by its seqno and answers as it did before. Where even
 * the begin's answer was lost, the begin is sent again too, as nothing can have been committed: on a regular session that voids
 * the transaction that may be open, on a multiplexed one Spanner ends it when it has been idle for ten seconds.
 */
export class ReadWriteTransaction implements BackendTransaction {
  readonly mode = 'read-write'
  readonly #host: TransactionHost
  readonly #lease: SessionLease
  readonly #begin: TransactionSelector & { kind: 'begin' }
  readonly #tag: string | undefined
  /** Of the attempt before this one. */
  readonly #previousId: Buffer | undefined
  #id: Buffer | undefined
  #seqno = 0
  readonly #precommitToken = new PrecommitToken()
  /** A begin has been sent, and a transaction may be open at Spanner whose id never came. */
  #mayHaveOrphan = false
  /** Spanner has ended it: nothing needs to be sent for a rollback. */
  #isAborted = false
  /** The caller has been told that it was aborted, and is likely to try it again. */
  #mayBeRetried = false
  #isOver = false
  #stream: RowStream | undefined
  #lastSession: Session | undefined

  constructor(host: TransactionHost, options: ReadWriteOptions) {
    this.#host = host
    const { previousAttempt: previous } = options
    const isOurs = previous instanceof ReadWriteTransaction
    this.#lease = new SessionLease(host.sessions, isOurs ? previous.#lastSession : undefined)
    this.#previousId = isOurs ? (previous.#id ?? previous.#previousId) : undefined
    const seniority = host.sessions.isMultiplexed ? this.#previousId : undefined
    this.#begin = { kind: 'begin', options: readWriteOptions(options, seniority) }
    this.#tag = options.tag
  }

  get isBegun(): boolean {
    return this.#id !== undefined
  }

  execute(statement: SpannerStatement, options: ExecuteOptions): RowStream {
    this.#demandOpen()
    const deadline = new Deadline(options.timeoutMs)
    const seqno = options.isDml ? ++this.#seqno : undefined
    const beginsAnew = this.#id === undefined && this.#host.orphansFailedBegin
    const stream = new SpannerRowStream({
      startRetries: () => this.#host.rpc.startRetries(deadline, options.signal),
      open: async (resumeToken) => {
        // To the emulator, the statement of a begin that comes again with an id is another one under the same seqno.
        if (beginsAnew) this.#id = undefined
        const session = await this.#session(deadline, options.signal)
        const request = encodeExecuteSql({
          session: session.name,
          selector: this.#selector(),
          statement,
          resumeToken,
          seqno,
          isLast: options.isLast,
          transactionTag: this.#tag,
          requestOptions: options.requestOptions,
        })
        return this.#host.rpc.stream(
          this.#host.client.target(session, 'ExecuteStreamingSql', true),
          request,
          deadline.options(options.signal),
        )
      },
      onMetadata: ({ transaction }) => this.#noteTransaction(transaction),
      onPrecommitToken: (token) => this.#precommitToken.note(token),
      replaceSession: () => this.#id === undefined && this.#lease.replace(),
      onEnd: (error) => this.#noteEnd(error),
    })
    this.#stream = stream
    return stream
  }

  async executeBatch(
    statements: readonly SpannerStatement[],
    options: ExecuteOptions,
  ): Promise<BatchResult> {
    this.#demandOpen()
    if (statements.length === 0) return { rowCounts: [] }
    const deadline = new Deadline(options.timeoutMs)
    const seqno = ++this.#seqno
    for (;;) {
      try {
        const session = await this.#session(deadline, options.signal)
        const request = encodeExecuteBatchDml({
          session: session.name,
          selector: this.#selector(),
          statements,
          seqno,
          isLast: options.isLast,
          transactionTag: this.#tag,
          requestOptions: options.requestOptions,
        })
        const reply = await this.#host.rpc.unary(
          this.#host.client.target(session, 'ExecuteBatchDml', true),
          request,
          deadline.options(options.signal),
        )
        return this.#readBatch(reply)
      } catch (error) {
        const failure = toBackendError(error)
        if (!this.#mayReplaceSession(failure)) throw this.#noteEnd(failure) ?? failure
      }
    }
  }

  async commit(options: CommitOptions): Promise<CommitResult> {
    this.#demandOpen()
    const session = this.#lease.current
    if (this.#id === undefined || session === undefined) {
      await this.rollback()
      return {}
    }
    try {
      const result = await commitTransaction(
        this.#host.rpc,
        this.#host.client.target(session, 'Commit', true),
        {
          session: session.name,
          transactionId: this.#id,
          transactionTag: this.#tag,
          precommitToken: this.#precommitToken.current,
          maxCommitDelayMs: options.maxCommitDelayMs,
          returnCommitStats: options.returnCommitStats,
          requestOptions: options.requestOptions,
        },
        options,
      )
      this.#isOver = true
      this.#lease.release()
      return result
    } catch (error) {
      const failure = toBackendError(error)
      const told = this.#noteEnd(failure) ?? failure
      if (told.failure.kind === 'commit-unknown') {
        this.#isOver = true
        this.#lease.drop('in-doubt')
      } else await this.rollback()
      throw told
    }
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return
    this.#stream?.cancel()
    this.#isOver = true
    const session = this.#lease.current
    try {
      if (session !== undefined) await this.#endAtServer(session)
      if (this.#mayBeRetried) this.#lease.park()
      else this.#lease.release()
    } catch (error) {
      // Nobody knows whether a transaction is open in it: no other may use the session.
      toBackendError(error)
      this.#lease.drop('in-doubt')
    }
  }

  async #session(deadline: Deadline, signal: AbortSignal | undefined): Promise<Session> {
    const session = this.#lease.current ?? (await this.#lease.get(deadline, signal))
    this.#lastSession = session
    return session
  }

  /** For a request that is sent now. */
  #selector(): TransactionSelector {
    if (this.#id !== undefined) return { kind: 'id', id: this.#id }
    this.#mayHaveOrphan = true
    return this.#begin
  }

  #noteTransaction(reply: TransactionReply | undefined): void {
    if (this.#id === undefined) {
      this.#id = demandTransaction(reply).id
      this.#mayHaveOrphan = false
    }
    this.#precommitToken.note(reply?.precommitToken)
  }

  #readBatch(reply: Buffer): BatchResult {
    const batch = decodeBatchDml(reply)
    if (batch.transaction !== undefined || batch.status === undefined) {
      this.#noteTransaction(batch.transaction)
    }
    this.#precommitToken.note(batch.precommitToken)
    if (batch.status === undefined) return { rowCounts: batch.rowCounts }
    const failure = fromStatus(batch.status)
    const told = this.#noteEnd(failure) ?? failure
    if (told.failure.kind === 'aborted') throw told
    return { rowCounts: batch.rowCounts, error: told }
  }

  #mayReplaceSession(failure: BackendError): boolean {
    return (
      failure.failure.kind === 'session-not-found' &&
      this.#id === undefined &&
      this.#lease.replace()
    )
  }

  /** Draws the consequences of a call's end and gives the error that the caller is told, where it is another. */
  #noteEnd(error: BackendError | undefined): BackendError | undefined {
    if (error === undefined) return undefined
    const told = this.#noteError(error)
    if ((told ?? error).failure.kind === 'aborted') this.#mayBeRetried = true
    return told
  }

  #noteError(error: BackendError): BackendError | undefined {
    if (error.failure.kind === 'session-not-found') return this.#noteLostSession(error)
    const told = this.#id === undefined ? this.#noteFailedBegin(error) : this.#noteFailure(error)
    return this.#host.mixesUpSequences && isLostSequence(error) ? asAborted(error) : told
  }

  /** The session took the transaction with it: running it again elsewhere is the cure. */
  #noteLostSession(error: BackendError): BackendError {
    this.#isAborted = true
    this.#lease.drop('gone')
    return asAborted(error)
  }

  #noteFailedBegin(error: BackendError): BackendError | undefined {
    const { kind } = error.failure
    this.#mayHaveOrphan &&=
      IN_DOUBT.has(kind) || (this.#host.orphansFailedBegin && !ROLLED_BACK_BY_ITSELF.has(kind))
    // The server is there and its answer does not come through: nothing is committed, so that running it again is the cure.
    const isLost = this.#mayHaveOrphan && kind === 'unavailable'
    return isLost && this.#host.rpc.transport.connectedChannels > 0 ? asAborted(error) : undefined
  }

  #noteFailure(error: BackendError): undefined {
    const isEnded = error.failure.kind === 'aborted' && error.grpcCode !== GRPC_CODE.OK
    if (isEnded) this.#isAborted = true
  }

  /** Rejects with a BackendError where it is not certain that the transaction has ended. */
  async #endAtServer(session: Session): Promise<void> {
    if (this.#isAborted) return
    const { client, sessions } = this.#host
    if (this.#id !== undefined) await rollbackTransaction(client, session, this.#id)
    else if (this.#mayHaveOrphan && !sessions.isMultiplexed) {
      await rollbackOrphan(client, session, this.#begin.options)
    }
  }

  #demandOpen(): void {
    if (this.#isOver) throw new Bug('a transaction was used after its end')
  }
}

function asAborted(cause: BackendError): BackendError {
  return new BackendError(cause.message, {
    failure: { kind: 'aborted' },
    grpcCode: cause.grpcCode,
    cause,
  })
}
