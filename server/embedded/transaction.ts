import { status as GRPC } from '@grpc/grpc-js'
import { PgError } from '../base/pg-error.ts'
import type { EmbeddedConnection } from './connections.ts'
import { DmlLog } from './dml-log.ts'
import { endsTransaction } from './error-texts.ts'
import { aborted, GrpcStatus } from './grpc-status.ts'
import type { TransactionMark } from './incarnations.ts'
import { encodeStats, encodeTransaction } from './spanner-answers.ts'
import type { SqlRequest, TransactionOptions } from './spanner-requests.ts'
import type { StatementCache } from './statement-cache.ts'
import { encodeMetadata } from './statement-cache.ts'
import {
  describe,
  type Prelude,
  type RunOptions,
  runPrelude,
  runStatement,
} from './statement-run.ts'
import { type BlockHost, TransactionBlock, type TransactionMode } from './transaction-block.ts'
import { readOnlyId } from './transaction-id.ts'
import {
  alreadyCommitted,
  nothingToEnd,
  stateError,
  type TransactionState,
} from './transaction-state.ts'
import { WriteLimits } from './write-limits.ts'

/*
 * A transaction of a client is a transaction of PostgreSQL on a connection of its own.
 *
 * Read-write is SERIALIZABLE: a serialization failure or deadlock, at whatever point, ends it and the client gets ABORTED, as it would from
 * Spanner's lock conflicts. Every statement but the first of an inlined begin and the last stands under a savepoint, so that one that fails
 * leaves the transaction as it was. PostgreSQL's transaction id is drawn at the begin (transaction-id.ts says what for).
 */

/** What a transaction needs of its database. */
export interface TransactionHost extends BlockHost {
  readonly statements: StatementCache
  /** The id of a read-write transaction. */
  idOf(mark: TransactionMark): string
  /** Called before a Commit is sent and after its answer. */
  commitBegins(): void
  commitEnds(): void
  /** What became of a transaction of PostgreSQL whose Commit was not answered. */
  outcomeOf(mark: TransactionMark): Promise<'committed' | 'aborted'>
  mapError(error: unknown): Promise<GrpcStatus>
  /** It has an id now, which a client may ask for. */
  remember(transaction: ServerTransaction): void
}

export class ServerTransaction {
  /** The DML that it has been asked for, by seqno. */
  readonly dml = new DmlLog()
  readonly mode: TransactionMode
  readonly options: TransactionOptions
  /** Name of the session that it belongs to; empty where it is nobody's. */
  readonly session: string
  readonly readMicros: number
  lastUsedMs = performance.now()
  /** When the statement that runs now began; undefined while none runs. */
  runningSinceMs: number | undefined
  readonly #host: TransactionHost
  #id = ''
  readonly #block: TransactionBlock
  #state: TransactionState = 'open'
  /** What its Commit has failed with. */
  #failure: GrpcStatus | undefined
  #hadLastStatement = false
  #commitMicros: number | undefined
  /** The statement that runs has changed what it changes, and is not told to have failed by PostgreSQL. */
  #hasRun = false
  readonly #limits: WriteLimits
  #mutationCount: number | undefined
  #tail: Promise<unknown> = Promise.resolve()

  constructor(
    host: TransactionHost,
    mode: TransactionMode,
    options: TransactionOptions,
    session: string,
  ) {
    this.#host = host
    this.#block = new TransactionBlock(host, mode, options.repeatableRead)
    this.#limits = new WriteLimits(host.statements.acceptance.profile)
    this.mode = mode
    this.options = options
    this.session = session
    this.readMicros = Date.now() * 1000
  }

  /** Empty until it has begun. */
  get id(): string {
    return this.#id
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Process id of the PostgreSQL connection that it holds. */
  get processId(): number | undefined {
    return this.#block.connection?.server.processId
  }

  /** CommitStats.mutation_count; undefined where nobody counts. */
  get mutationCount(): number | undefined {
    return this.#mutationCount ?? this.#limits.mutations
  }

  /** Takes the place of what the statements have counted that mutations became. */
  set mutationCount(count: number | undefined) {
    this.#mutationCount = count
  }

  /** Begins without a statement. */
  begin(signal: AbortSignal): Promise<void> {
    return this.#runOwn([], signal)
  }

  /** Runs SQL of ours; begins where nothing has. What fails leaves nothing but to roll back. */
  runOwn(sql: string, signal: AbortSignal): Promise<void> {
    return this.#runOwn([{ sql }], signal)
  }

  #runOwn(own: readonly Prelude[], signal: AbortSignal): Promise<void> {
    return this.#serially(async () => {
      this.checkOpen()
      const isFirst = this.#block.connection === undefined
      const connection = await this.#block.open()
      try {
        await runPrelude(connection, isFirst ? [...this.#block.beginning(), ...own] : own, signal)
      } catch (error) {
        if (isFirst) this.#giveUp('rolled-back')
        else if (connection.server.isLost) this.#giveUp('aborted')
        throw await this.#host.mapError(error)
      }
      this.#begun()
    })
  }

  /** Runs a statement; the first one begins the transaction. Throws GrpcStatus. */
  execute(request: SqlRequest, options: RunOptions): Promise<void> {
    return this.#serially(async () => {
      this.#checkUsable()
      const isFirst = this.#block.connection === undefined
      const connection = await this.#block.open()
      try {
        await this.#run(connection, request, options, isFirst)
        if (options.isLast && !options.isPlanOnly) this.#hadLastStatement = true
      } catch (error) {
        throw await this.#recover(connection, error, isFirst, options)
      }
    })
  }

  /** Microseconds since 1970 of the commit. Answers the same again where it has been committed. Throws GrpcStatus. */
  commit(): Promise<number> {
    return this.#serially(async () => {
      if (this.#state === 'committed' && this.#commitMicros !== undefined) return this.#commitMicros
      if (this.mode === 'read-only') throw nothingToEnd()
      if (this.#state !== 'open') throw this.#stateError()
      return this.#commit()
    })
  }

  /** Throws FAILED_PRECONDITION where it has been committed; in any other state it is harmless. */
  rollback(): Promise<void> {
    return this.#serially(async () => {
      if (this.#state === 'committed') throw alreadyCommitted()
      if (this.#state !== 'open') return
      await this.#close('rolled-back')
    })
  }

  /** Rolls back because its Commit fails: whoever asks for it again is told the same. */
  fail(failure: unknown): Promise<void> {
    return this.#serially(async () => {
      if (this.#state !== 'open') return
      if (failure instanceof GrpcStatus) this.#failure = failure
      await this.#close('rolled-back')
    })
  }

  /** Throws what a call is told that comes too late. */
  checkOpen(): void {
    if (this.#state !== 'open') throw this.#stateError()
  }

  /** Ends it from outside, at once, whatever it is doing: its next call gets ABORTED (or, invalidated, FAILED_PRECONDITION). */
  terminate(state: 'aborted' | 'invalidated'): void {
    if (this.#state !== 'open') return
    this.#giveUp(state)
  }

  async #run(
    connection: EmbeddedConnection,
    request: SqlRequest,
    options: RunOptions,
    isFirst: boolean,
  ): Promise<void> {
    this.#hasRun = false
    const statement = this.#host.statements.get(request)
    this.#checkKind(statement.kind)
    const prelude = isFirst ? this.#block.beginning() : this.#guards(options)
    if (statement.usesCommitTimestamp && this.mode === 'read-write')
      prelude.push(this.#block.commitTimestamp())
    const run = { connection, statement, request, prelude, signal: options.signal }
    const transaction = () => {
      if (!isFirst) return undefined
      this.#begun()
      return encodeTransaction(this)
    }
    if (options.isPlanOnly) {
      if (!(await describe(run))) await runPrelude(connection, prelude, options.signal)
      if (statement.description !== undefined) {
        options.sink.start(encodeMetadata(statement.description, request, transaction()), [])
      }
      await options.sink.end(statement.kind === 'dml' ? encodeStats(0) : undefined)
      return
    }
    const watch = this.#limits.watch(statement, request, connection)
    const count = await runStatement(run, {
      sink: options.sink,
      prelude: watch.prelude,
      counted: (rows) => {
        this.#hasRun = true
        return watch.counted(rows)
      },
      start: (description) =>
        options.sink.start(
          encodeMetadata(description, request, transaction()),
          description.columns,
        ),
    })
    await options.sink.end(statement.kind === 'dml' ? encodeStats(count) : undefined)
  }

  #begun(): void {
    if (this.#id !== '') return
    this.#id = this.mode === 'read-write' ? this.#host.idOf(this.#block.mark) : readOnlyId()
    this.#host.remember(this)
  }

  #guards({ isLast }: RunOptions): Prelude[] {
    return isLast ? [] : this.#block.savepoint()
  }

  /** After a failed statement: back to the savepoint, or the end. Returns what the client is told. */
  async #recover(
    connection: EmbeddedConnection,
    error: unknown,
    isFirst: boolean,
    options: RunOptions,
  ): Promise<GrpcStatus> {
    if (this.#state !== 'open') return this.#stateError()
    if (connection.server.isLost || (error instanceof PgError && endsTransaction(error))) {
      this.#giveUp('aborted')
      return error instanceof PgError
        ? this.#host.mapError(error)
        : aborted('Transaction was aborted.')
    }
    const status = await this.#host.mapError(error)
    // Begun by this statement, it has not told its id to anybody: it never was.
    if (isFirst && this.#id === '') {
      await this.#close('rolled-back')
      return status
    }
    if (connection.server.transactionStatus === 'T' && !this.#hasRun) return status
    if (!this.#block.hasSavepoint || options.isLast || isFirst) {
      this.#giveUp('aborted')
      return status
    }
    try {
      await this.#block.goBack(connection)
    } catch {
      this.#giveUp('aborted')
      return aborted('Transaction was aborted.')
    }
    return status
  }

  async #commit(): Promise<number> {
    const { connection } = this.#block
    if (connection === undefined) throw this.#stateError()
    try {
      this.#limits.refuseLargeCommit()
    } catch (error) {
      await this.#close('rolled-back')
      throw error
    }
    this.#host.commitBegins()
    try {
      await runPrelude(connection, [{ sql: 'COMMIT' }])
    } catch (error) {
      if (!connection.server.isLost) {
        this.#giveUp('aborted')
        throw await this.#host.mapError(error)
      }
      // The answer is lost, not necessarily the commit.
      if ((await this.#host.outcomeOf(this.#block.mark)) === 'aborted') {
        this.#giveUp('aborted')
        throw aborted('Transaction was aborted.')
      }
    } finally {
      this.#host.commitEnds()
    }
    this.#commitMicros = this.#block.pendingMicros ?? this.#host.nextTimestamp()
    this.#state = 'committed'
    this.#block.letGo()
    return this.#commitMicros
  }

  async #close(state: TransactionState): Promise<void> {
    const { connection } = this.#block
    this.#state = state
    if (connection !== undefined && !connection.server.isLost && !connection.server.isBusy) {
      // Failure loses the connection, and with it the transaction.
      await runPrelude(connection, [{ sql: 'ROLLBACK' }]).catch(() => connection.server.destroy())
    }
    this.#block.letGo()
  }

  /** Drops the connection: PostgreSQL rolls back when it notices. */
  #giveUp(state: TransactionState): void {
    this.#state = state
    this.#block.connection?.server.destroy()
    this.#block.letGo()
  }

  #stateError(): GrpcStatus {
    return this.#failure ?? stateError(this.#state)
  }

  #checkUsable(): void {
    this.checkOpen()
    if (this.#hadLastStatement) {
      throw new GrpcStatus(
        GRPC.INVALID_ARGUMENT,
        'Cannot execute further statements after the last statement of the transaction.',
      )
    }
  }

  #checkKind(kind: 'query' | 'dml'): void {
    if (kind === 'query' || this.mode === 'read-write') return
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'DML statements can only be performed in a read-write or partitioned-dml transaction. Current transaction type is ReadOnly.',
    )
  }

  /** One call at a time; the others wait in their order. */
  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      this.runningSinceMs = performance.now()
      try {
        return await work()
      } finally {
        this.runningSinceMs = undefined
        this.lastUsedMs = performance.now()
      }
    })
    this.#tail = result.catch(() => undefined)
    return result
  }
}
