import { setTimeout as sleep } from 'node:timers/promises'
import { status as GRPC } from '@grpc/grpc-js'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { type CommitRequest, readBatchWriteRequest, readCommitRequest } from './commit-requests.ts'
import type { EmbeddedDatabase } from './database.ts'
import { encodeStatus, GrpcStatus, missingField } from './grpc-status.ts'
import type { EmbeddedInstance } from './instance.ts'
import { applyMutations, type Mutation } from './mutations.ts'
import { ownsPartitioned } from './partitioned-dml.ts'
import { databaseOfSession } from './resource-name.ts'
import { encodeCommitResponse, encodeTimestamp } from './spanner-answers.ts'
import { NO_OPTIONS, type TransactionOptions } from './spanner-requests.ts'
import type { ServerTransaction } from './transaction.ts'
import { ownTransaction, unknownTransaction } from './transaction-choice.ts'
import { nothingToEnd } from './transaction-state.ts'

/** Commit: of a transaction, or of mutations alone. */
export async function commit(instance: EmbeddedInstance, bytes: Buffer): Promise<Buffer> {
  const request = readCommitRequest(bytes)
  const database = await instance.database(databaseOfSession(request.session))
  const { micros, mutationCount } = await committed(database, request)
  return encodeCommitResponse(micros, request.returnCommitStats ? mutationCount : undefined)
}

interface Committed {
  readonly micros: number
  /** undefined where nobody has counted. */
  readonly mutationCount: number | undefined
}

async function committed(database: EmbeddedDatabase, request: CommitRequest): Promise<Committed> {
  if (request.transactionId === undefined) {
    database.sessions.get(request.session)
    return commitAlone(database, request)
  }
  const transaction = ownTransaction(database, request.session, request.transactionId)
  if (transaction !== undefined) return commitWith(database, transaction, request.mutations)
  const mark = database.markOf(request.transactionId)
  // Asked for again after it was forgotten: PostgreSQL remembers.
  const micros = mark === undefined ? undefined : await database.committedMicros(mark)
  if (micros !== undefined) return { micros, mutationCount: undefined }
  const session = database.sessions.get(request.session)
  if (ownsPartitioned(session, request.transactionId)) throw nothingToEnd()
  throw unknownTransaction(database, request.transactionId)
}

/** How often the mutations of a group are tried again where another transaction was in their way. */
const ATTEMPTS = 20
const FIRST_DELAY_MS = 5

/**
 * BatchWrite: each group of mutations is a transaction of its own, and its answer is sent when it has one. What fails in one is nothing to
 * the others.
 */
export async function batchWrite(
  instance: EmbeddedInstance,
  bytes: Buffer,
  how: {
    readonly signal: AbortSignal
    readonly send: (message: Buffer) => Promise<void> | undefined
  },
): Promise<void> {
  const request = readBatchWriteRequest(bytes)
  const database = await instance.database(databaseOfSession(request.session))
  database.sessions.get(request.session)
  if (request.groups.length === 0 || request.groups.some((group) => group.length === 0)) {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Batch write request must have mutation groups, and each of them mutations.',
    )
  }
  for (const [index, mutations] of request.groups.entries()) {
    how.signal.throwIfAborted()
    await how.send(await writeGroup(database, index, mutations))
  }
}

async function writeGroup(
  database: EmbeddedDatabase,
  index: number,
  mutations: readonly Mutation[],
): Promise<Buffer> {
  const answer = new ProtoWriter().presentUint(1, index)
  try {
    const { micros } = await commitGroup(database, mutations)
    return answer.message(2, EMPTY).message(3, encodeTimestamp(micros)).take()
  } catch (error) {
    if (!(error instanceof GrpcStatus)) throw error
    return answer.message(2, encodeStatus(error)).take()
  }
}

async function commitGroup(
  database: EmbeddedDatabase,
  mutations: readonly Mutation[],
): Promise<Committed> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await commitWith(
        database,
        database.newTransaction('read-write', READ_WRITE),
        mutations,
      )
    } catch (error) {
      const isConflict = error instanceof GrpcStatus && error.code === GRPC.ABORTED
      if (!isConflict || attempt === ATTEMPTS) throw error
      await sleep(FIRST_DELAY_MS * attempt)
    }
  }
}

const EMPTY = Buffer.alloc(0)
const READ_WRITE: TransactionOptions = { ...NO_OPTIONS, mode: 'read-write' }

/** Commits mutations in a transaction of their own; without any there is nothing to commit. */
async function commitAlone(database: EmbeddedDatabase, request: CommitRequest): Promise<Committed> {
  const { singleUse, mutations } = request
  if (singleUse === undefined) throw missingField('CommitRequest.transaction')
  if (singleUse.mode === 'unspecified') throw missingField('TransactionOptions.mode')
  if (singleUse.mode === 'partitioned-dml')
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Mutations are no partitioned DML.')
  if (singleUse.mode !== 'read-write') throw nothingToEnd()
  if (mutations.length === 0) return { micros: database.nextTimestamp(), mutationCount: 0 }
  return commitWith(database, database.newTransaction('read-write', singleUse), mutations)
}

/** Applies mutations and commits. One that fails ends the transaction. Repeated, the Commit of a transaction that is over applies nothing. */
async function commitWith(
  database: EmbeddedDatabase,
  transaction: ServerTransaction,
  mutations: readonly Mutation[],
): Promise<Committed> {
  if (transaction.state === 'open' && transaction.mode === 'read-write') {
    try {
      const ofStatements = transaction.mutationCount
      const count = await applyMutations(database, transaction, mutations)
      if (ofStatements !== undefined) transaction.mutationCount = ofStatements + count
    } catch (error) {
      await transaction.fail(error)
      throw error
    }
  }
  const micros = await transaction.commit()
  return { micros, mutationCount: transaction.mutationCount }
}
