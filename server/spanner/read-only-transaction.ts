import type {
  BackendTransaction,
  BatchResult,
  CallOptions,
  CommitResult,
  ExecuteOptions,
  RowStream,
  SpannerStatement,
} from '../backend/backend.ts'
import type { BackendError } from '../backend/backend-error.ts'
import { Bug } from '../base/pg-error.ts'
import { Deadline } from './deadline.ts'
import type { TransactionHost } from './read-write-transaction.ts'
import { encodeExecuteSql, READ_ONLY_OPTIONS, type TransactionSelector } from './requests.ts'
import { SpannerRowStream } from './row-stream.ts'
import { SessionLease } from './session-lease.ts'
import { backendFailure } from './status.ts'
import { GRPC_CODE } from './transport.ts'

interface ReadOptions extends CallOptions {
  readonly lease: SessionLease
  readonly selector: () => TransactionSelector
  readonly onTransactionId: (id: Buffer | undefined) => void
  readonly mayReplaceSession: () => boolean
  readonly onEnd: (error: BackendError | undefined) => BackendError | undefined
}

/** A strong read outside any transaction: its session goes back to the pool with its last row. */
export function singleUseRead(
  host: TransactionHost,
  statement: SpannerStatement,
  options: CallOptions,
): RowStream {
  const lease = new SessionLease(host.pool)
  return readStream(host, statement, {
    ...options,
    lease,
    selector: () => ({ kind: 'single-use' }),
    onTransactionId: () => undefined,
    mayReplaceSession: () => lease.replace(),
    onEnd: () => {
      lease.release()
      return undefined
    },
  })
}

/**
 * A read-only transaction over one strong snapshot; its first statement begins it. It takes no locks: commit and rollback send
 * nothing.
 */
export class ReadOnlyTransaction implements BackendTransaction {
  readonly mode = 'read-only'
  readonly #host: TransactionHost
  readonly #lease: SessionLease
  #id: Buffer | undefined
  #isOver = false
  #stream: RowStream | undefined

  constructor(host: TransactionHost) {
    this.#host = host
    this.#lease = new SessionLease(host.pool)
  }

  get isBegun(): boolean {
    return this.#id !== undefined
  }

  /** Queries only: whoever routes statements knows which of them write. */
  execute(statement: SpannerStatement, options: ExecuteOptions): RowStream {
    if (this.#isOver) throw new Bug('a transaction was used after its end')
    if (options.isDml) throw new Bug('DML in a read-only transaction')
    this.#stream = readStream(this.#host, statement, {
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      lease: this.#lease,
      selector: () =>
        this.#id === undefined
          ? { kind: 'begin', options: READ_ONLY_OPTIONS }
          : { kind: 'id', id: this.#id },
      onTransactionId: (id) => this.#setId(id),
      mayReplaceSession: () => this.#id === undefined && this.#lease.replace(),
      onEnd: () => undefined,
    })
    return this.#stream
  }

  async executeBatch(): Promise<BatchResult> {
    throw new Bug('DML in a read-only transaction')
  }

  async commit(): Promise<CommitResult> {
    this.#end()
    return {}
  }

  async rollback(): Promise<void> {
    this.#end()
  }

  #setId(id: Buffer | undefined): void {
    if (this.#id === undefined && id === undefined) {
      throw backendFailure(
        { kind: 'internal' },
        GRPC_CODE.INTERNAL,
        'the server returned no transaction for a begin',
      )
    }
    this.#id ??= id
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stream?.cancel()
    this.#lease.release()
  }
}

function readStream(
  host: TransactionHost,
  statement: SpannerStatement,
  options: ReadOptions,
): RowStream {
  const deadline = new Deadline(options.timeoutMs)
  return new SpannerRowStream({
    deadline,
    signal: options.signal,
    retryWindowMs: host.rpc.maxRetryMs,
    open: async (resumeToken) => {
      const session = await options.lease.get(deadline, options.signal)
      const request = encodeExecuteSql({
        session: session.name,
        selector: options.selector(),
        statement,
        resumeToken,
      })
      return host.rpc.stream(
        host.pool.target(session, 'ExecuteStreamingSql', false),
        request,
        deadline.options(options.signal),
      )
    },
    onMetadata: ({ transactionId }) => options.onTransactionId(transactionId),
    onPrecommitToken: () => undefined,
    replaceSession: options.mayReplaceSession,
    onEnd: options.onEnd,
  })
}
