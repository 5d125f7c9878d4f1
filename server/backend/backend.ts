import type { EncodedValue, SpannerType } from '../types/spanner-type.ts'
import type { Capabilities } from './capabilities.ts'

/**
 * The port: what the proxy asks of Spanner, and nothing that only one backend has. Every method that fails rejects with a
 * BackendError (backend-error.ts); ABORTED leaves it as that error's kind `aborted`, and nobody below retries a transaction.
 */
export interface Backend {
  /** For messages and logs: `projects/p/instances/i` and where it is. */
  readonly description: string
  /** Opens a database and probes its capabilities. Rejects with kind `database-not-found`. */
  openDatabase(id: string, options: CallOptions): Promise<BackendDatabase>
  createDatabase(id: string, options: CallOptions): Promise<void>
  dropDatabase(id: string, options: CallOptions): Promise<void>
  /** The ids of the databases of the PostgreSQL dialect, sorted. */
  listDatabases(options: CallOptions): Promise<readonly string[]>
  /** Ends sessions and channels. Calls under way fail with kind `unavailable`. */
  close(): Promise<void>
}

/** Every call has a deadline and can be given up. */
export interface CallOptions {
  /** Milliseconds from now. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface BackendDatabase {
  readonly id: string
  readonly capabilities: Capabilities
  /** A read outside any transaction, strong where no bound is given: one RPC. */
  singleUse(statement: SpannerStatement, options: SingleUseOptions): RowStream
  /** A read-only transaction over one snapshot, strong where no bound is given; begun with its first statement. */
  beginReadOnly(options?: ReadOnlyOptions): BackendTransaction
  /** A read-write transaction; begun with its first statement. No RPC until then. */
  beginReadWrite(options: ReadWriteOptions): BackendTransaction
  /**
   * Partitioned DML: one UPDATE or DELETE that runs over the table in pieces of their own, each at least once and outside any
   * transaction. Gives the lower bound of the rows changed. Rejects with kind `unsupported` where the statement cannot be cut.
   */
  executePartitionedDml(
    statement: SpannerStatement,
    options: PartitionedDmlOptions,
  ): Promise<bigint>
  /**
   * One UpdateDatabaseDdl and the polls until it is done. Rejects with the error of the first statement that failed, whose
   * `appliedStatements` says how many stay in force.
   */
  updateDdl(statements: readonly string[], options: CallOptions): Promise<void>
  /** GetDatabaseDdl. */
  getDdl(options: CallOptions): Promise<readonly string[]>
  close(): Promise<void>
}

export interface ReadWriteOptions {
  readonly isolation: 'serializable' | 'repeatable-read'
  /** ReadWrite.read_lock_mode; absent, pessimistic at repeatable-read, and at serializable what Spanner takes by itself. */
  readonly readLockMode?: 'pessimistic' | 'optimistic' | undefined
  /** What the previous attempt of the same client transaction was called: Spanner gives its locks seniority. */
  readonly previousAttempt?: BackendTransaction | undefined
  /** The transaction tag, on all of the transaction's requests. */
  readonly tag?: string | undefined
  /** TransactionOptions.exclude_txn_from_change_streams. */
  readonly excludeFromChangeStreams?: boolean | undefined
}

export interface ReadOnlyOptions {
  readonly bound?: SnapshotBound | undefined
}

export interface SingleUseOptions extends CallOptions {
  readonly bound?: ReadTimestampBound | undefined
  readonly requestOptions?: RequestOptions | undefined
}

export interface PartitionedDmlOptions extends CallOptions {
  readonly requestOptions?: RequestOptions | undefined
  readonly excludeFromChangeStreams?: boolean | undefined
}

/**
 * What a request asks beyond its statement: google.spanner.v1.RequestOptions, and for single statements QueryOptions and
 * DirectedReadOptions. Tags are cut at 50 characters by Spanner.
 */
export interface RequestOptions {
  /** high where absent. */
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  /** The statement's name in Spanner's statistics. Of no effect on Commit. */
  readonly requestTag?: string | undefined
  /** QueryOptions.optimizer_version: a number, or `latest`. Of no effect on batches and Commit. */
  readonly optimizerVersion?: string | undefined
  /** QueryOptions.optimizer_statistics_package. Of no effect on batches and Commit. */
  readonly optimizerStatisticsPackage?: string | undefined
  /** For reads outside read-write transactions only: Spanner refuses others with it. */
  readonly directedRead?: DirectedRead | undefined
}

/** google.spanner.v1.DirectedReadOptions: which replicas may answer. */
export type DirectedRead =
  | {
      readonly kind: 'include'
      readonly selections: readonly ReplicaSelection[]
      /** The read fails where none of them can be reached, instead of going to another. */
      readonly autoFailoverDisabled: boolean
    }
  | { readonly kind: 'exclude'; readonly selections: readonly ReplicaSelection[] }

/** What is not said, may be any. */
export interface ReplicaSelection {
  /** `us-east4` */
  readonly location: string | undefined
  readonly type: 'READ_WRITE' | 'READ_ONLY' | undefined
}

/** Bounds that every read of one snapshot can have (Spanner's page on timestamp bounds). */
export type SnapshotBound =
  | { readonly kind: 'strong' }
  | { readonly kind: 'exact-staleness'; readonly nanoseconds: bigint }
  /** RFC 3339 with up to nine digits of the second, `2026-01-31T10:00:00.5Z`. */
  | { readonly kind: 'read-timestamp'; readonly timestamp: string }

/** When a read sees the database. The last two let Spanner choose a moment, and so are for single-use reads only. */
export type ReadTimestampBound =
  | SnapshotBound
  | { readonly kind: 'max-staleness'; readonly nanoseconds: bigint }
  | { readonly kind: 'min-read-timestamp'; readonly timestamp: string }

export interface SpannerStatement {
  /** Spanner's PostgreSQL dialect, parameters as $1, $2 ... */
  readonly sql: string
  /** In the order of $1, $2 ... */
  readonly params: readonly SpannerParam[]
}

export interface SpannerParam {
  readonly type: SpannerType
  readonly value: EncodedValue
}

/** One attempt at a transaction on one session. Methods are called one after the other, never two at once. */
export interface BackendTransaction {
  readonly mode: 'read-write' | 'read-only'
  /** Whether Spanner knows of it already (a statement has begun it). */
  readonly isBegun: boolean
  /** Read-only ones: the moment of the snapshot, RFC 3339; undefined until the first message of the first statement. */
  readonly readTimestamp?: string | undefined
  /** A query or a DML statement, with or without RETURNING. The stream must be drained or cancelled before the next call. */
  execute(statement: SpannerStatement, options: ExecuteOptions): RowStream
  /** ExecuteBatchDml: counts of the statements that ran; `error` is that of the first that failed, the ones after it did not run. */
  executeBatch(
    statements: readonly SpannerStatement[],
    options: ExecuteOptions,
  ): Promise<BatchResult>
  /** Nothing is sent where the transaction was never begun. */
  commit(options: CommitOptions): Promise<CommitResult>
  /** Never rejects: the session goes back to the pool, or is thrown away where its state is in doubt. Nothing is sent where nothing was begun. */
  rollback(): Promise<void>
}

export interface ExecuteOptions extends CallOptions {
  /** Whether the statement writes: it gets a seqno, and needs a read-write transaction. */
  readonly isDml: boolean
  /** The client asked for nothing after it but Commit (ExecuteSqlRequest.last_statement). */
  readonly isLast?: boolean | undefined
  readonly requestOptions?: RequestOptions | undefined
}

export interface CommitOptions extends CallOptions {
  /** CommitRequest.max_commit_delay: how long Spanner may wait for other commits to go with it, 0 to 500 ms. */
  readonly maxCommitDelayMs?: number | undefined
  /** Asks for `CommitResult.mutationCount`. */
  readonly returnCommitStats?: boolean | undefined
  readonly requestOptions?: RequestOptions | undefined
}

export interface BatchResult {
  readonly rowCounts: readonly bigint[]
  readonly error?: Error | undefined
}

export interface CommitResult {
  /** RFC 3339; absent where nothing was begun. */
  readonly commitTimestamp?: string | undefined
  /** CommitStats.mutation_count, where it was asked for and the backend counts (the emulator does not). */
  readonly mutationCount?: bigint | undefined
}

/** Rows as they arrive. `next` pulls: while nobody pulls, flow control holds the server back. */
export interface RowStream {
  /** Result columns; waits for the first message. Empty for DML without RETURNING. */
  columns(): Promise<readonly ResultColumn[]>
  /** The next rows, or undefined at the end. Broken streams have been resumed from their token below. */
  next(): Promise<RowBatch | undefined>
  /** After the end: the exact count of rows that DML changed. */
  rowCount(): bigint | undefined
  /** Single-use reads: the moment they saw, RFC 3339; undefined until `columns` has resolved. */
  readonly readTimestamp?: string | undefined
  /** Gives up the rest: the call is cancelled at the server. Harmless after the end. */
  cancel(): void
}

export interface ResultColumn {
  readonly name: string
  readonly type: SpannerType
}

/**
 * Whole rows (a row cut between two messages, or a value cut into chunks, has been put together). Cell c of row r is the
 * encoded google.protobuf.Value at `bytes[starts[i] .. ends[i])`, i = r * columnCount + c.
 */
export interface RowBatch {
  readonly rowCount: number
  readonly columnCount: number
  readonly bytes: Buffer
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}
