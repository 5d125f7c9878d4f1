import { status as GRPC } from '@grpc/grpc-js'
import type { EmbeddedDatabase } from './database.ts'
import type { DmlAnswer } from './dml-log.ts'
import { aborted, encodeStatus, GrpcStatus } from './grpc-status.ts'
import type { EmbeddedInstance } from './instance.ts'
import { applyMutations, type Mutation } from './mutations.ts'
import { isPartitionedId, newPartitionedId, runPartitionedDml } from './partitioned-dml.ts'
import { checkPartitionToken, partition } from './partitions.ts'
import { ProtoWriter } from './protobuf.ts'
import { readAsQuery, readReadRequest } from './read-requests.ts'
import { databaseOfSession } from './resource-name.ts'
import {
  PartialResultWriter,
  ResultSetWriter,
  type RowSink,
  readResumeToken,
} from './result-writer.ts'
import type { ServiceHandlers, UnaryHandler } from './service.ts'
import type { Session } from './session.ts'
import { sessionHandlers } from './session-service.ts'
import { awaitTimestampBound, runSingleUse } from './single-use.ts'
import { encodeCommitResponse, encodeTransaction } from './spanner-answers.ts'
import {
  type CommitRequest,
  type ExecuteSqlRequest,
  QUERY_MODE,
  readBeginTransactionRequest,
  readCommitRequest,
  readExecuteBatchDmlRequest,
  readExecuteSqlRequest,
  readRollbackRequest,
  type SqlRequest,
  type TransactionOptions,
  type TransactionSelector,
} from './spanner-requests.ts'
import { markOfTransaction, type RunOptions, type ServerTransaction } from './transaction.ts'

/** ExecuteSql's answer is one message: a longer result must be streamed. */
const RESULT_SET_LIMIT_BYTES = 10 * 1024 * 1024
const EMPTY = Buffer.alloc(0)
/** How the resume token of a stream's last message ends. */
const END_OF_STREAM = '.end'

/** google.spanner.v1.Spanner. What is not here is UNIMPLEMENTED. */
export function spannerService(instance: EmbeddedInstance): ServiceHandlers {
  const service = new SpannerService(instance)
  return {
    unary: {
      ...sessionHandlers(instance),
      ExecuteSql: (bytes, signal) => service.executeSql(readExecuteSqlRequest(bytes), signal),
      Read: async (bytes, signal) => service.executeSql(await service.readQuery(bytes), signal),
      PartitionQuery: (bytes, signal) => service.partition(readExecuteSqlRequest(bytes), signal),
      PartitionRead: async (bytes, signal) =>
        service.partition(await service.readQuery(bytes), signal),
      ExecuteBatchDml: (bytes, signal) => service.executeBatchDml(bytes, signal),
      BeginTransaction: (bytes, signal) => service.beginTransaction(bytes, signal),
      Commit: (bytes) => service.commit(bytes),
      Rollback: (bytes) => service.rollback(bytes),
    } satisfies Record<string, UnaryHandler>,
    stream: {
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

  async partition(request: ExecuteSqlRequest, signal: AbortSignal): Promise<Buffer> {
    return partition(request, await this.#transaction(request.session, request.transaction), signal)
  }

  async executeSql(request: ExecuteSqlRequest, signal: AbortSignal): Promise<Buffer> {
    const sink = new ResultSetWriter()
    const { answer } = await this.#replayable(request, [request], async ({ target }) => {
      await this.#execute(request, { sink, signal, target })
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
      async ({ target, keep }) => {
        const writer = new PartialResultWriter({
          send: (message) => {
            keep(message)
            return send(message)
          },
          tokenOf: (rows, isEnd) => Buffer.from(`${mark}.${rows}${isEnd ? END_OF_STREAM : ''}`),
          skipRows,
        })
        await this.#execute(request, { sink: writer, signal, target })
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
    const { answer } = await this.#replayable(request, request.statements, async ({ target }) => {
      const out = new ProtoWriter()
      for (const [index, statement] of request.statements.entries()) {
        const sink = new ResultSetWriter()
        const isLast = request.lastStatements && index === request.statements.length - 1
        try {
          await this.#executeDml({ ...request, ...statement }, { sink, signal, isLast, target })
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
    const database = await this.#instance.database(databaseOfSession(request.session))
    if (request.transactionId === undefined) {
      database.sessions.get(request.session)
      return encodeCommitResponse(await commitAlone(database, request))
    }
    const transaction = database.findTransaction(request.transactionId)
    if (transaction !== undefined) {
      return encodeCommitResponse(await commitWith(database, transaction, request.mutations))
    }
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

  async #execute(
    request: ExecuteSqlRequest,
    how: {
      readonly sink: RowSink
      readonly signal: AbortSignal
      readonly target: ServerTransaction | undefined
    },
  ): Promise<void> {
    checkPartitionToken(request)
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
      readonly target: ServerTransaction | undefined
    },
  ): Promise<void> {
    const { database } = await this.#session(request.session)
    if (database.statements.get(request).kind !== 'dml' || how.target === undefined) {
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'ExecuteBatchDml only supports DML statements.')
    }
    await how.target.execute(request, { ...how, isPlanOnly: false })
  }

  /** The transaction that a request runs in; undefined for a single-use read and for partitioned DML. */
  async #transaction(
    sessionName: string,
    selector: TransactionSelector,
  ): Promise<ServerTransaction | undefined> {
    const { database, session } = await this.#session(sessionName)
    switch (selector.kind) {
      case 'begin':
        return newTransaction(database, session, selector.options)
      case 'id': {
        if (isPartitionedId(selector.id)) return undefined
        const transaction = database.findTransaction(selector.id)
        if (transaction === undefined) throw unknownTransaction(selector.id)
        return transaction
      }
      case 'single-use':
        return undefined
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
    statements: readonly SqlRequest[],
    run: (context: RunContext) => Promise<readonly Buffer[] | undefined>,
  ): Promise<{ readonly answer: DmlAnswer; readonly isReplay: boolean }> {
    const { database } = await this.#session(request.session)
    const [first] = statements
    const isDml =
      first !== undefined &&
      request.queryMode !== QUERY_MODE.plan &&
      database.statements.get(first).kind === 'dml'
    const target = await this.#transaction(request.session, request.transaction)
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

/** Commits mutations in a transaction of their own; without any there is nothing to commit. */
async function commitAlone(database: EmbeddedDatabase, request: CommitRequest): Promise<number> {
  const { singleUse, mutations } = request
  if (singleUse !== undefined && singleUse.mode !== 'read-write') {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Cannot commit a single-use transaction that is not read-write.',
    )
  }
  if (singleUse === undefined && mutations.length > 0) {
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Commit request must have a transaction.')
  }
  if (singleUse === undefined || mutations.length === 0) return database.nextTimestamp()
  return commitWith(database, database.newTransaction('read-write', singleUse), mutations)
}

/** Applies mutations and commits. One that fails ends the transaction. Repeated, the Commit of a transaction that is over applies nothing. */
async function commitWith(
  database: EmbeddedDatabase,
  transaction: ServerTransaction,
  mutations: readonly Mutation[],
): Promise<number> {
  if (transaction.state === 'open' && transaction.mode === 'read-write') {
    try {
      await applyMutations(database, transaction, mutations)
    } catch (error) {
      await transaction.rollback()
      throw error
    }
  }
  return transaction.commit()
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
  if (markOfTransaction(id) !== undefined)
    return aborted('Transaction was aborted: it is not known to this server.')
  return new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid transaction ID: ${id}`)
}

/** Whoever has the last message has missed nothing but the status, whatever has become of the data. */
function isEndToken(token: Buffer): boolean {
  return token.toString('latin1').endsWith(END_OF_STREAM)
}

/** What comes after a resume token in an answer that is told once more. */
function messagesAfter(token: Buffer, messages: readonly Buffer[]): readonly Buffer[] {
  if (token.length === 0) return messages
  return messages.slice(messages.findIndex((message) => readResumeToken(message).equals(token)) + 1)
}

/** A Commit that is asked for again after the transaction was forgotten: PostgreSQL remembers. */
async function forgottenCommit(
  database: EmbeddedDatabase,
  id: string,
): Promise<number | undefined> {
  const mark = markOfTransaction(id)
  return mark === undefined ? undefined : database.committedMicros(mark)
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
