import type {
  BackendTransaction,
  BatchResult,
  CallOptions,
  CommitResult,
  ExecuteOptions,
  ReadOnlyOptions,
  RequestOptions,
  RowStream,
  SingleUseOptions,
  SpannerStatement,
} from '../backend/backend.ts'
import type { BackendError } from '../backend/backend-error.ts'
import { Bug } from '../base/pg-error.ts'
import { demandTransaction } from './begin-and-rollback.ts'
import { Deadline } from './deadline.ts'
import { encodeExecuteSql, type TransactionSelector } from './requests.ts'
import type { TransactionReply } from './responses.ts'
import { SpannerRowStream } from './row-stream.ts'
import { SessionLease } from './session-lease.ts'
import type { TransactionHost } from './transaction-host.ts'
import { readOnlyOptions } from './transaction-options.ts'

interface ReadOptions extends CallOptions {
  readonly requestOptions: RequestOptions | undefined
  readonly lease: SessionLease
  readonly selector: () => TransactionSelector
  readonly onTransaction: (transaction: TransactionReply | undefined) => void
  readonly mayReplaceSession: () => boolean
  readonly onEnd: (error: BackendError | undefined) => BackendError | undefined
}

/** A read outside any transaction: its session goes back to the pool with its last row. */
export function singleUseRead(
  host: TransactionHost,
  statement: SpannerStatement,
  options: SingleUseOptions,
): RowStream {
  const lease = new SessionLease(host.sessions)
  const selector = { kind: 'single-use', options: readOnlyOptions(options.bound) } as const
  return readStream(host, statement, {
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    requestOptions: options.requestOptions,
    lease,
    selector: () => selector,
    onTransaction: () => undefined,
    mayReplaceSession: () => lease.replace(),
    onEnd: () => {
      lease.release()
      return undefined
    },
  })
}

/**
 * A read-only transaction over one snapshot; its first statement begins it. It takes no locks: commit and rollback send nothing.
 * A session that is lost costs nothing either: the snapshot is begun again at the same moment in another.
 */
export class ReadOnlyTransaction implements BackendTransaction {
  readonly mode = 'read-only'
  readonly #host: TransactionHost
  readonly #lease: SessionLease
  #begin: Buffer
  #id: Buffer | undefined
  #readTimestamp: string | undefined
  #isOver = false
  #stream: RowStream | undefined

  constructor(host: TransactionHost, { bound }: ReadOnlyOptions) {
    this.#host = host
    this.#lease = new SessionLease(host.sessions)
    this.#begin = readOnlyOptions(bound)
  }

  get isBegun(): boolean {
    return this.#id !== undefined
  }

  get readTimestamp(): string | undefined {
    return this.#readTimestamp
  }

  /** Queries only: whoever routes statements knows which of them write. */
  execute(statement: SpannerStatement, options: ExecuteOptions): RowStream {
    if (this.#isOver) throw new Bug('a transaction was used after its end')
    if (options.isDml) throw new Bug('DML in a read-only transaction')
    this.#stream = readStream(this.#host, statement, {
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      requestOptions: options.requestOptions,
      lease: this.#lease,
      selector: () =>
        this.#id === undefined
          ? { kind: 'begin', options: this.#begin }
          : { kind: 'id', id: this.#id },
      onTransaction: (transaction) => this.#note(transaction),
      mayReplaceSession: () => this.#moveOn(),
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

  #note(transaction: TransactionReply | undefined): void {
    if (this.#id !== undefined) return
    const { id, readTimestamp } = demandTransaction(transaction)
    this.#id = id
    this.#readTimestamp ??= readTimestamp
  }

  /** Whether the next call can go on in another session. */
  #moveOn(): boolean {
    if (this.#id !== undefined) {
      if (this.#readTimestamp === undefined) return false
      this.#begin = readOnlyOptions({ kind: 'read-timestamp', timestamp: this.#readTimestamp })
      this.#id = undefined
    }
    return this.#lease.replace()
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
    startRetries: () => host.rpc.startRetries(deadline, options.signal),
    open: async (resumeToken) => {
      const session = options.lease.current ?? (await options.lease.get(deadline, options.signal))
      const request = encodeExecuteSql({
        session: session.name,
        selector: options.selector(),
        statement,
        resumeToken,
        requestOptions: options.requestOptions,
      })
      return host.rpc.stream(
        host.client.target(session, 'ExecuteStreamingSql', false),
        request,
        deadline.options(options.signal),
      )
    },
    onMetadata: ({ transaction }) => options.onTransaction(transaction),
    onPrecommitToken: () => undefined,
    replaceSession: options.mayReplaceSession,
    onEnd: options.onEnd,
  })
}
