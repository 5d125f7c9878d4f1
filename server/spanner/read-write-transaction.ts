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
import { commitTransaction } from './commit.ts'
import { Deadline } from './deadline.ts'
import { ProtoReader } from './protobuf-wire.ts'
import {
  encodeBeginTransaction,
  encodeExecuteBatchDml,
  encodeExecuteSql,
  encodeRollback,
  type TransactionSelector,
} from './requests.ts'
import { decodeBatchDml, readTransaction } from './responses.ts'
import { SpannerRowStream } from './row-stream.ts'
import type { RpcClient } from './rpc-client.ts'
import { SessionLease } from './session-lease.ts'
import type { Session, SessionPool } from './session-pool.ts'
import { backendFailure, fromStatus, toBackendError } from './status.ts'
import { readWriteOptions } from './transaction-options.ts'
import { GRPC_CODE } from './transport.ts'

const ROLLBACK_TIMEOUT_MS = 5000

/** What a transaction needs of its database. */
export interface TransactionHost {
  readonly rpc: RpcClient
  readonly pool: SessionPool
  /**
   * The official emulator keeps the lock of a transaction whose inlined begin came with a statement that failed: only a
   * begin on the same session ends it.
   */
  readonly orphansFailedBegin: boolean
}

/** After these the emulator has rolled the inlined begin back by itself. */
const ROLLED_BACK_BY_ITSELF: ReadonlySet<BackendFailureKind> = new Set<BackendFailureKind>([
  'unique-violation',
  'foreign-key-violation',
  'not-null-violation',
  'check-violation',
  'aborted',
  'session-not-found',
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
 */
export class ReadWriteTransaction implements BackendTransaction {
  readonly mode = 'read-write'
  readonly #host: TransactionHost
  readonly #lease: SessionLease
  readonly #begin: TransactionSelector & { kind: 'begin' }
  readonly #tag: string | undefined
  #id: Buffer | undefined
  #seqno = 0
  #precommitToken: Buffer | undefined
  /** A begin has been sent, and a transaction may be open at Spanner whose id never came. */
  #mayHaveOrphan = false
  /** Spanner has ended it: nothing needs to be sent for a rollback. */
  #isAborted = false
  #isOver = false
  #stream: RowStream | undefined
  #lastSession: Session | undefined

  constructor(host: TransactionHost, options: ReadWriteOptions) {
    this.#host = host
    const previous = options.previousAttempt
    this.#lease = new SessionLease(
      host.pool,
      previous instanceof ReadWriteTransaction ? previous.#lastSession : undefined,
    )
    this.#begin = { kind: 'begin', options: readWriteOptions(options) }
    this.#tag = options.tag
  }

  get isBegun(): boolean {
    return this.#id !== undefined
  }

  execute(statement: SpannerStatement, options: ExecuteOptions): RowStream {
    this.#demandOpen()
    const deadline = new Deadline(options.timeoutMs)
    const seqno = options.isDml ? ++this.#seqno : undefined
    const stream = new SpannerRowStream({
      startRetries: () => this.#host.rpc.startRetries(deadline, options.signal),
      open: async (resumeToken) => {
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
          this.#host.pool.target(session, 'ExecuteStreamingSql', true),
          request,
          deadline.options(options.signal),
        )
      },
      onMetadata: ({ transaction }) => this.#setId(transaction?.id),
      onPrecommitToken: (token) => {
        this.#precommitToken = token
      },
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
          this.#host.pool.target(session, 'ExecuteBatchDml', true),
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
        this.#host.pool.target(session, 'Commit', true),
        {
          session: session.name,
          transactionId: this.#id,
          transactionTag: this.#tag,
          precommitToken: this.#precommitToken,
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
        this.#lease.drop()
      } else await this.rollback()
      throw told
    }
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return
    this.#stream?.cancel()
    this.#isOver = true
    const session = this.#lease.current
    if (session === undefined || this.#isAborted) {
      this.#lease.release()
      return
    }
    try {
      const id = this.#id ?? (this.#mayHaveOrphan ? await this.#adoptOrphan(session) : undefined)
      if (id !== undefined) await this.#sendRollback(session, id)
      this.#lease.release()
    } catch (error) {
      // Nobody knows whether a transaction is open in it: no other may use the session.
      toBackendError(error)
      this.#lease.drop()
    }
  }

  async #session(deadline: Deadline, signal: AbortSignal | undefined): Promise<Session> {
    const session = await this.#lease.get(deadline, signal)
    this.#lastSession = session
    return session
  }

  /** For a request that is sent now. */
  #selector(): TransactionSelector {
    if (this.#id !== undefined) return { kind: 'id', id: this.#id }
    this.#mayHaveOrphan = true
    return this.#begin
  }

  #setId(id: Buffer | undefined): void {
    if (this.#id !== undefined) return
    if (id === undefined) {
      throw backendFailure(
        { kind: 'internal' },
        GRPC_CODE.INTERNAL,
        'the server returned no transaction for a begin',
      )
    }
    this.#id = id
    this.#mayHaveOrphan = false
  }

  #readBatch(reply: Buffer): BatchResult {
    const batch = decodeBatchDml(reply)
    if (batch.transaction !== undefined || batch.status === undefined) {
      this.#setId(batch.transaction?.id)
    }
    if (batch.precommitToken !== undefined) this.#precommitToken = batch.precommitToken
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

  /** Draws the consequences of a call's end and gives the error that the caller is told. */
  #noteEnd(error: BackendError | undefined): BackendError | undefined {
    if (error === undefined) return undefined
    const { kind } = error.failure
    if (this.#id === undefined) {
      this.#mayHaveOrphan &&=
        IN_DOUBT.has(kind) || (this.#host.orphansFailedBegin && !ROLLED_BACK_BY_ITSELF.has(kind))
      return undefined
    }
    if (kind === 'aborted') this.#isAborted = true
    if (kind === 'session-not-found') {
      // The session took the transaction with it: running it again elsewhere is the cure.
      this.#isAborted = true
      this.#lease.drop()
      return new BackendError(error.message, {
        failure: { kind: 'aborted' },
        grpcCode: error.grpcCode,
        cause: error,
      })
    }
    return undefined
  }

  /** A begin on the same session voids the transaction whose id nobody knows. */
  async #adoptOrphan(session: Session): Promise<Buffer | undefined> {
    const reply = await this.#host.rpc.unary(
      this.#host.pool.target(session, 'BeginTransaction', true),
      encodeBeginTransaction(session.name, this.#begin.options),
      { timeoutMs: ROLLBACK_TIMEOUT_MS },
    )
    return readTransaction(new ProtoReader(reply)).id
  }

  async #sendRollback(session: Session, id: Buffer): Promise<void> {
    await this.#host.rpc.unary(
      this.#host.pool.target(session, 'Rollback', true),
      encodeRollback(session.name, id),
      { timeoutMs: ROLLBACK_TIMEOUT_MS },
    )
  }

  #demandOpen(): void {
    if (this.#isOver) throw new Bug('a transaction was used after its end')
  }
}
