import { status as GRPC } from '@grpc/grpc-js'
import type { EmbeddedDatabase } from './database.ts'
import type { DmlAnswer } from './dml-log.ts'
import { aborted, encodeStatus, GrpcStatus } from './grpc-status.ts'
import type { EmbeddedInstance } from './instance.ts'
import { isPartitionedId, newPartitionedId, runPartitionedDml } from './partitioned-dml.ts'
import { ProtoWriter } from './protobuf.ts'
import { databaseOfSession } from './resource-name.ts'
import { PartialResultWriter, ResultSetWriter, type RowSink } from './result-writer.ts'
import type { ServiceHandlers, UnaryHandler } from './service.ts'
import type { Session } from './session.ts'
import { sessionHandlers } from './session-service.ts'
import { awaitTimestampBound, runSingleUse } from './single-use.ts'
import { encodeCommitResponse, encodeTransaction } from './spanner-answers.ts'
import {
  type ExecuteSqlRequest,
  QUERY_MODE,
  readBeginTransactionRequest,
  readCommitRequest,
  readExecuteBatchDmlRequest,
  readExecuteSqlRequest,
  readRollbackRequest,
  type TransactionOptions,
  type TransactionSelector,
} from './spanner-requests.ts'
import { type RunOptions, type ServerTransaction, xidOf } from './transaction.ts'

/** ExecuteSql's answer is one message: a longer result must be streamed. */
const RESULT_SET_LIMIT_BYTES = 10 * 1024 * 1024
const EMPTY = Buffer.alloc(0)

/** google.spanner.v1.Spanner. What is not here is UNIMPLEMENTED. */
export function spannerService(instance: EmbeddedInstance): ServiceHandlers {
  const service = new SpannerService(instance)
  return {
    unary: {
      ...sessionHandlers(instance),
      ExecuteSql: (bytes, signal) => service.executeSql(bytes, signal),
      ExecuteBatchDml: (bytes, signal) => service.executeBatchDml(bytes, signal),
      BeginTransaction: (bytes, signal) => service.beginTransaction(bytes, signal),
      Commit: (bytes) => service.commit(bytes),
      Rollback: (bytes) => service.rollback(bytes),
    } satisfies Record<string, UnaryHandler>,
    stream: {
      ExecuteStreamingSql: (bytes, signal, send) =>
        service.executeStreamingSql(bytes, signal, send),
    },
  }
}

class SpannerService {
  readonly #instance: EmbeddedInstance

  constructor(instance: EmbeddedInstance) {
    this.#instance = instance
  }

  async executeSql(bytes: Buffer, signal: AbortSignal): Promise<Buffer> {
    const request = readExecuteSqlRequest(bytes)
    const sink = new ResultSetWriter()
    const answer = await this.#replayable(request, [request], async () => {
      await this.#execute(request, sink, signal)
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
    bytes: Buffer,
    signal: AbortSignal,
    send: (message: Buffer) => Promise<void> | undefined,
  ): Promise<void> {
    const request = readExecuteSqlRequest(bytes)
    const { database } = await this.#session(request.session)
    const mark = markOf(request.transaction, database)
    const skipRows = resumePoint(request, mark)
    let isReplay = true
    const answer = await this.#replayable(request, [request], async (keep) => {
      isReplay = false
      const writer = new PartialResultWriter({
        send: (message) => {
          keep(message)
          return send(message)
        },
        tokenOf: (rows) => Buffer.from(`${mark}.${rows}`),
        skipRows,
      })
      await this.#execute(request, writer, signal)
      return undefined
    })
    // The compiler does not see that the closure above may have run, or not.
    if (!(isReplay as boolean)) return
    for (const message of answer.messages) await send(message)
  }

  async executeBatchDml(bytes: Buffer, signal: AbortSignal): Promise<Buffer> {
    const request = readExecuteBatchDmlRequest(bytes)
    if (request.transaction.kind === 'single-use') throw needsReadWrite()
    if (request.statements.length === 0) {
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'No statements in batch DML request.')
    }
    const answer = await this.#replayable(request, request.statements, async () => {
      const out = new ProtoWriter()
      let { transaction } = request
      for (const [index, statement] of request.statements.entries()) {
        const sink = new ResultSetWriter()
        const isLast = request.lastStatements && index === request.statements.length - 1
        try {
          const used = await this.#executeDml({ ...request, ...statement, transaction }, sink, {
            signal,
            isLast,
          })
          transaction = { kind: 'id', id: used.id }
        } catch (error) {
          const status =
            error instanceof GrpcStatus ? error : new GrpcStatus(GRPC.INTERNAL, String(error))
          if (status.code === GRPC.ABORTED || status.code === GRPC.CANCELLED) throw status
          return [out.message(2, encodeStatus(status)).take()]
        }
        out.message(1, sink.take())
      }
      return [out.message(2, EMPTY).take()]
    })
    return answer.messages[0] ?? EMPTY
  }

  async beginTransaction(bytes: Buffer, signal: AbortSignal): Promise<Buffer> {
    const request = readBeginTransactionRequest(bytes)
    const { database, session } = await this.#session(request.session)
    if (request.options.mode === 'partitioned-dml') {
      return new ProtoWriter().string(1, newPartitionedId()).take()
    }
    const transaction = await newTransaction(database, session, request.options)
    await transaction.begin(signal)
    return encodeTransaction(transaction)
  }

  async commit(bytes: Buffer): Promise<Buffer> {
    const request = readCommitRequest(bytes)
    if (request.hasMutations) {
      throw new GrpcStatus(
        GRPC.UNIMPLEMENTED,
        'Mutations are not supported by this server: use DML.',
      )
    }
    const database = await this.#instance.database(databaseOfSession(request.session))
    if (request.transactionId === undefined) {
      // A single-use transaction without mutations has nothing to commit.
      database.sessions.get(request.session)
      return encodeCommitResponse(database.nextTimestamp())
    }
    const transaction = database.findTransaction(request.transactionId)
    if (transaction !== undefined) return encodeCommitResponse(await transaction.commit())
    const micros = await forgottenCommit(database, request.transactionId)
    if (micros !== undefined) return encodeCommitResponse(micros)
    database.sessions.get(request.session)
    throw aborted('Transaction was aborted: it is not known to this server.')
  }

  async rollback(bytes: Buffer): Promise<Buffer> {
    const request = readRollbackRequest(bytes)
    const { database } = await this.#session(request.session)
    await database.findTransaction(request.transactionId)?.rollback()
    return EMPTY
  }

  async #session(name: string): Promise<{ database: EmbeddedDatabase; session: Session }> {
    const database = await this.#instance.database(databaseOfSession(name))
    return { database, session: database.sessions.get(name) }
  }

  async #execute(request: ExecuteSqlRequest, sink: RowSink, signal: AbortSignal): Promise<void> {
    if (request.hasPartitionToken) {
      throw new GrpcStatus(
        GRPC.UNIMPLEMENTED,
        'Partitioned queries are not supported by this server.',
      )
    }
    const { database } = await this.#session(request.session)
    const options: RunOptions = {
      sink,
      signal,
      isLast: request.lastStatement,
      isPlanOnly: request.queryMode === QUERY_MODE.plan,
    }
    const { transaction } = request
    if (transaction.kind === 'single-use') {
      await runSingleUse(database, request, { ...options, transaction: transaction.options })
    } else if (transaction.kind === 'id' && isPartitionedId(transaction.id)) {
      await runPartitionedDml(database, request, options)
    } else {
      const target = await this.#transaction(request.session, transaction)
      await target.execute(request, options)
    }
  }

  async #executeDml(
    request: { readonly session: string; readonly transaction: TransactionSelector } & Pick<
      ExecuteSqlRequest,
      'sql' | 'params' | 'paramTypes'
    >,
    sink: RowSink,
    options: { readonly signal: AbortSignal; readonly isLast: boolean },
  ): Promise<ServerTransaction> {
    const { database } = await this.#session(request.session)
    if (database.statements.get(request).kind !== 'dml') {
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'ExecuteBatchDml only supports DML statements.')
    }
    const target = await this.#transaction(request.session, request.transaction)
    await target.execute(request, { ...options, sink, isPlanOnly: false })
    return target
  }

  async #transaction(
    sessionName: string,
    selector: TransactionSelector,
  ): Promise<ServerTransaction> {
    const { database, session } = await this.#session(sessionName)
    switch (selector.kind) {
      case 'begin':
        return newTransaction(database, session, selector.options)
      case 'id': {
        const transaction = database.findTransaction(selector.id)
        if (transaction === undefined) throw unknownTransaction(selector.id)
        return transaction
      }
      case 'single-use':
        throw needsReadWrite()
    }
  }

  /** Runs a request, or answers it once more where its seqno says that it was run before. */
  async #replayable(
    request: {
      readonly session: string
      readonly transaction: TransactionSelector
      readonly seqno: bigint
      readonly queryMode?: number
    },
    statements:
      | readonly ExecuteSqlRequest[]
      | readonly Pick<ExecuteSqlRequest, 'sql' | 'params' | 'paramTypes'>[],
    run: (keep: (message: Buffer) => void) => Promise<readonly Buffer[] | undefined>,
  ): Promise<DmlAnswer> {
    const { database } = await this.#session(request.session)
    const transaction =
      request.transaction.kind === 'id'
        ? database.findTransaction(request.transaction.id)
        : undefined
    const [first] = statements
    const isDml =
      first !== undefined &&
      request.queryMode !== QUERY_MODE.plan &&
      database.statements.get(first).kind === 'dml'
    if (transaction === undefined || transaction.mode !== 'read-write' || !isDml) {
      return { messages: (await run(() => undefined)) ?? [], error: undefined }
    }
    let coming = transaction.dml.replay(request.seqno, statements)
    if (coming === undefined) {
      coming = answerOf(transaction, run)
      transaction.dml.keep(request.seqno, statements, coming)
    }
    const answer = await coming
    if (answer.error !== undefined) throw answer.error
    return answer
  }
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

/** A transaction that begins; on a regular session the one before is over. */
async function newTransaction(
  database: EmbeddedDatabase,
  session: Session,
  options: TransactionOptions,
): Promise<ServerTransaction> {
  if (options.mode === 'unspecified') {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Invalid BeginTransaction request: Missing required TransactionOptions field: mode',
    )
  }
  if (options.mode === 'partitioned-dml') {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Partitioned DML transactions cannot be begun inline.',
    )
  }
  if (options.bound.kind === 'max-staleness' || options.bound.kind === 'min-read-timestamp') {
    const bound = options.bound.kind.replaceAll('-', '_')
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      `Timestamp bound: ${bound} for read can be only be used for a single use transaction.`,
    )
  }
  await awaitTimestampBound(database, options)
  const transaction = database.newTransaction(options.mode, options)
  if (!session.isMultiplexed) {
    session.current?.terminate('invalidated')
    session.current = transaction
  }
  return transaction
}

function needsReadWrite(): GrpcStatus {
  return new GrpcStatus(
    GRPC.INVALID_ARGUMENT,
    'DML statements can only be performed in a read-write or partitioned-dml transaction. Current transaction type is ReadOnly.',
  )
}

/** One of ours that is no longer remembered was lost with its connection; anything else never was a transaction. */
function unknownTransaction(id: string): GrpcStatus {
  if (xidOf(id) !== undefined)
    return aborted('Transaction was aborted: it is not known to this server.')
  return new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid transaction ID: ${id}`)
}

/** A Commit that is asked for again after the transaction was forgotten: PostgreSQL remembers. */
async function forgottenCommit(
  database: EmbeddedDatabase,
  id: string,
): Promise<number | undefined> {
  const xid = xidOf(id)
  return xid === undefined ? undefined : database.committedMicros(xid)
}

/** What resume tokens of a stream begin with: they are good as long as it stays the same. */
function markOf(selector: TransactionSelector, database: EmbeddedDatabase): string {
  if (selector.kind !== 'single-use') return 't'
  const mark = database.quietMark
  return mark === undefined ? 'x' : `q${mark}`
}

/**
 * Rows of a broken stream that the client has already. Within a transaction the same statement gives the same rows again; outside, it does
 * as long as nothing has been committed. Throws INTERNAL where that cannot be promised.
 */
function resumePoint(request: ExecuteSqlRequest, mark: string): number {
  if (request.resumeToken.length === 0) return 0
  const [was, rows] = request.resumeToken.toString('latin1').split('.')
  if (was === mark && mark !== 'x' && /^\d+$/.test(rows ?? '')) return Number(rows)
  throw new GrpcStatus(
    GRPC.INTERNAL,
    'The stream cannot be resumed: data have changed since it began.',
  )
}
