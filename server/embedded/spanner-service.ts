import { status as GRPC } from '@grpc/grpc-js'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { batchWrite, commit } from './commits.ts'
import type { EmbeddedDatabase } from './database.ts'
import type { DmlAnswer } from './dml-log.ts'
import { aborted, encodeStatus, GrpcStatus } from './grpc-status.ts'
import type { EmbeddedInstance } from './instance.ts'
import { newPartitionedId, ownsPartitioned, runPartitionedDml } from './partitioned-dml.ts'
import {
  checkPartitionOptions,
  checkPartitionToken,
  PARTITION_OPTIONS,
  partition,
  refuseUnpartitionable,
} from './partitions.ts'
import { withQueryStats } from './query-stats.ts'
import { readAsQuery, readReadRequest } from './read-requests.ts'
import { databaseOfSession } from './resource-name.ts'
import { CountWriter, PartialResultWriter, ResultSetWriter, type RowSink } from './result-writer.ts'
import { END_OF_STREAM, isEndToken, markOf, messagesAfter, resumePoint } from './resume-tokens.ts'
import type { ServiceHandlers, UnaryHandler } from './service.ts'
import type { Session } from './session.ts'
import { sessionHandlers } from './session-service.ts'
import { runSingleUse } from './single-use.ts'
import { encodeTransaction } from './spanner-answers.ts'
import {
  type ExecuteBatchDmlRequest,
  type ExecuteSqlRequest,
  QUERY_MODE,
  readBeginTransactionRequest,
  readExecuteBatchDmlRequest,
  readExecuteSqlRequest,
  readRollbackRequest,
  type SqlRequest,
  type TransactionSelector,
} from './spanner-requests.ts'
import type { RunOptions } from './statement-run.ts'
import type { ServerTransaction } from './transaction.ts'
import {
  chooseTransaction,
  newTransaction,
  ownTransaction,
  transactionNotFound,
} from './transaction-choice.ts'
import { nothingToEnd } from './transaction-state.ts'

/** ExecuteSql's answer is one message: a longer result must be streamed. */
const RESULT_SET_LIMIT_BYTES = 10 * 1024 * 1024
const EMPTY = Buffer.alloc(0)

/** google.spanner.v1.Spanner. What is not here is UNIMPLEMENTED. */
export function spannerService(instance: EmbeddedInstance): ServiceHandlers {
  const service = new SpannerService(instance)
  return {
    unary: {
      ...sessionHandlers(instance),
      ExecuteSql: (bytes, signal) => service.executeSql(readExecuteSqlRequest(bytes), signal),
      Read: async (bytes, signal) => service.executeSql(await service.readQuery(bytes), signal),
      PartitionQuery: (bytes, signal) => {
        checkPartitionOptions(bytes, PARTITION_OPTIONS.query)
        return service.partitionQuery(readExecuteSqlRequest(bytes), signal)
      },
      PartitionRead: async (bytes, signal) => {
        checkPartitionOptions(bytes, PARTITION_OPTIONS.read)
        return service.partition(await service.readQuery(bytes), signal)
      },
      ExecuteBatchDml: (bytes, signal) => service.executeBatchDml(bytes, signal),
      BeginTransaction: (bytes, signal) => service.beginTransaction(bytes, signal),
      Commit: (bytes) => commit(instance, bytes),
      Rollback: (bytes) => service.rollback(bytes),
    } satisfies Record<string, UnaryHandler>,
    stream: {
      BatchWrite: (bytes, signal, send) => batchWrite(instance, bytes, { signal, send }),
      ExecuteStreamingSql: (bytes, signal, send) =>
        service.executeStreamingSql(readExecuteSqlRequest(bytes), signal, send),
      StreamingRead: async (bytes, signal, send) =>
        service.executeStreamingSql(await service.readQuery(bytes), signal, send),
    },
  }
}

class SpannerService {
  readonly #instance: EmbeddedInstance

  constructor(instance: EmbeddedInstance) {
    this.#instance = instance
  }

  /** A read as a query. */
  async readQuery(bytes: Buffer): Promise<ExecuteSqlRequest> {
    const request = readReadRequest(bytes)
    const { database } = await this.#session(request.session)
    return readAsQuery(request, await database.tableShape(request.table, request.index))
  }

  async partitionQuery(request: ExecuteSqlRequest, signal: AbortSignal): Promise<Buffer> {
    const answer = await this.partition(request, signal)
    const { database } = await this.#session(request.session)
    refuseUnpartitionable(database.statements.get(request), request.sql)
    return answer
  }

  async partition(request: ExecuteSqlRequest, signal: AbortSignal): Promise<Buffer> {
    const { database, session } = await this.#session(request.session)
    const transaction = await chooseTransaction(database, session, request.transaction, signal)
    return partition(request, transaction, signal)
  }

  async executeSql(request: ExecuteSqlRequest, signal: AbortSignal): Promise<Buffer> {
    const sink = new ResultSetWriter()
    const { answer } = await this.#replayable(request, [request], signal, async ({ target }) => {
      const told = withQueryStats(sink, { ...request, isStream: false })
      await this.#execute(request, { sink: told, signal, target })
      if (sink.sizeBytes > RESULT_SET_LIMIT_BYTES) {
        throw new GrpcStatus(
          GRPC.FAILED_PRECONDITION,
          'The result set is larger than 10 MiB: use ExecuteStreamingSql.',
        )
      }
      return [sink.take()]
    })
    return answer.messages[0] ?? EMPTY
  }

  async executeStreamingSql(
    request: ExecuteSqlRequest,
    signal: AbortSignal,
    send: (message: Buffer) => Promise<void> | undefined,
  ): Promise<void> {
    const { database } = await this.#session(request.session)
    if (isEndToken(request.resumeToken)) return
    const mark = markOf(request.transaction, database)
    const skipRows = resumePoint(request, mark)
    const { answer, isReplay } = await this.#replayable(
      request,
      [request],
      signal,
      async ({ target, keep }) => {
        const writer = new PartialResultWriter({
          send: (message) => {
            keep(message)
            return send(message)
          },
          tokenOf: (rows, isEnd) => Buffer.from(`${mark}.${rows}${isEnd ? END_OF_STREAM : ''}`),
          skipRows,
        })
        const told = withQueryStats(writer, { ...request, isStream: true })
        await this.#execute(request, { sink: told, signal, target })
        return undefined
      },
    )
    if (!isReplay) return
    for (const message of messagesAfter(request.resumeToken, answer.messages)) await send(message)
  }

  async executeBatchDml(bytes: Buffer, signal: AbortSignal): Promise<Buffer> {
    const request = readExecuteBatchDmlRequest(bytes)
    if (request.transaction.kind === 'single-use') throw needsReadWrite()
    if (request.statements.length === 0) {
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'No statements in batch DML request.')
    }
    const { answer } = await this.#replayable(
      request,
      request.statements,
      signal,
      async ({ target }) => [await this.#runBatch(request, target, signal)],
    )
    return answer.messages[0] ?? EMPTY
  }

  /** ExecuteBatchDmlResponse: what ran before the first statement that failed, and the status of that. */
  async #runBatch(
    request: ExecuteBatchDmlRequest,
    target: ServerTransaction | undefined,
    signal: AbortSignal,
  ): Promise<Buffer> {
    if (target?.mode !== 'read-write') throw needsReadWrite()
    target.checkOpen()
    const out = new ProtoWriter()
    for (const [index, statement] of request.statements.entries()) {
      const sink = new CountWriter()
      const isLast = request.lastStatements && index === request.statements.length - 1
      try {
        await this.#executeDml({ ...request, ...statement }, { sink, signal, isLast, target })
      } catch (error) {
        const status =
          error instanceof GrpcStatus ? error : new GrpcStatus(GRPC.INTERNAL, String(error))
        if (status.code === GRPC.ABORTED || status.code === GRPC.CANCELLED) throw status
        return out.message(2, encodeStatus(status)).take()
      }
      out.message(1, sink.take())
    }
    return out.message(2, EMPTY).take()
  }

  async beginTransaction(bytes: Buffer, signal: AbortSignal): Promise<Buffer> {
    const request = readBeginTransactionRequest(bytes)
    const { database, session } = await this.#session(request.session)
    if (request.options.mode === 'partitioned-dml') {
      return new ProtoWriter().string(1, newPartitionedId(session)).take()
    }
    const transaction = await newTransaction(database, session, request.options, signal)
    await transaction.begin(signal)
    return encodeTransaction(transaction)
  }

  async rollback(bytes: Buffer): Promise<Buffer> {
    const request = readRollbackRequest(bytes)
    const { database, session } = await this.#session(request.session)
    const transaction = ownTransaction(database, session.name, request.transactionId)
    if (transaction?.mode === 'read-only' || ownsPartitioned(session, request.transactionId))
      throw nothingToEnd()
    // A read-write one may have been lost with the server that it was of: it is rolled back.
    const isKnown =
      transaction !== undefined || database.markOf(request.transactionId) !== undefined
    // Spanner documents that Rollback of a transaction that is not found is OK.
    if (!isKnown && database.profile !== 'production')
      throw transactionNotFound(request.transactionId)
    await transaction?.rollback()
    return EMPTY
  }

  async #session(name: string): Promise<{ database: EmbeddedDatabase; session: Session }> {
    const database = await this.#instance.database(databaseOfSession(name))
    return { database, session: database.sessions.get(name) }
  }

  async #execute(
    request: ExecuteSqlRequest,
    how: {
      readonly sink: RowSink
      readonly signal: AbortSignal
      readonly target: ServerTransaction | undefined
    },
  ): Promise<void> {
    checkPartitionToken(request)
    refuseDirected(request, how.target)
    const options: RunOptions = {
      sink: how.sink,
      signal: how.signal,
      isLast: request.lastStatement,
      isPlanOnly: request.queryMode === QUERY_MODE.plan,
    }
    const { transaction } = request
    if (how.target !== undefined) return how.target.execute(request, options)
    const { database } = await this.#session(request.session)
    if (transaction.kind === 'single-use') {
      await runSingleUse(database, request, { ...options, transaction: transaction.options })
    } else await runPartitionedDml(database, request, options)
  }

  async #executeDml(
    request: { readonly session: string } & SqlRequest,
    how: {
      readonly sink: RowSink
      readonly signal: AbortSignal
      readonly isLast: boolean
      readonly target: ServerTransaction
    },
  ): Promise<void> {
    const { database } = await this.#session(request.session)
    if (database.statements.get(request).kind !== 'dml') {
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'ExecuteBatchDml only supports DML statements.')
    }
    await how.target.execute(request, { ...how, isPlanOnly: false })
  }

  /** Runs a request, or answers it once more where its seqno says that it was run before. */
  async #replayable(
    request: {
      readonly session: string
      readonly transaction: TransactionSelector
      readonly seqno: bigint
      /** A batch has none. */
      readonly queryMode?: number
    },
    statements: readonly SqlRequest[],
    signal: AbortSignal,
    run: (context: RunContext) => Promise<readonly Buffer[] | undefined>,
  ): Promise<{ readonly answer: DmlAnswer; readonly isReplay: boolean }> {
    const { database, session } = await this.#session(request.session)
    const [first] = statements
    // What is wrong with a statement of a batch is told with its place there.
    const isBatch = request.queryMode === undefined
    const isDml =
      first !== undefined &&
      request.queryMode !== QUERY_MODE.plan &&
      (isBatch || database.statements.get(first).kind === 'dml')
    const target = await chooseTransaction(database, session, request.transaction, signal)
    if (target === undefined || target.mode !== 'read-write' || !isDml) {
      const messages = (await run({ target, keep: () => undefined })) ?? []
      return { answer: { messages, error: undefined }, isReplay: false }
    }
    const known = target.dml.replay(request.seqno, statements)
    const coming = known ?? answerOf(target, (keep) => run({ target, keep }))
    if (known === undefined) target.dml.keep(request.seqno, statements, coming)
    const answer = await coming
    if (answer.error !== undefined) throw answer.error
    return { answer, isReplay: known !== undefined }
  }
}

/** Throws FAILED_PRECONDITION where a request names replicas and is not read-only: only the leader writes. */
function refuseDirected(
  { isDirected, transaction }: ExecuteSqlRequest,
  target: ServerTransaction | undefined,
): void {
  const isReadOnly = target?.mode === 'read-only' || transaction.kind === 'single-use'
  if (!isDirected || isReadOnly) return
  throw new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    'Directed reads can only be performed in a read-only transaction.',
  )
}

/** What the run of a request is given. */
interface RunContext {
  /** undefined for a single-use read and for partitioned DML. */
  readonly target: ServerTransaction | undefined
  /** To be told of every message that was sent. */
  readonly keep: (message: Buffer) => void
}

/**
 * Runs DML and gives its answer, errors of Spanner's included. What a call has done that was given up is not known to whoever
 * asks again: the transaction is over then.
 */
async function answerOf(
  transaction: ServerTransaction,
  run: (keep: (message: Buffer) => void) => Promise<readonly Buffer[] | undefined>,
): Promise<DmlAnswer> {
  const kept: Buffer[] = []
  try {
    const messages = (await run((message) => void kept.push(message))) ?? kept
    return { messages, error: undefined }
  } catch (error) {
    if (!(error instanceof GrpcStatus)) throw error
    if (error.code !== GRPC.CANCELLED) return { messages: [], error }
    transaction.terminate('aborted')
    return { messages: [], error: aborted('Transaction was aborted: a call of it was cancelled.') }
  }
}

function needsReadWrite(): GrpcStatus {
  return new GrpcStatus(
    GRPC.INVALID_ARGUMENT,
    'DML statements can only be performed in a read-write or partitioned-dml transaction. Current transaction type is ReadOnly.',
  )
}
