import { setTimeout as sleep } from 'node:timers/promises'
import { status as GRPC } from '@grpc/grpc-js'
import { type CommitRequest, readBatchWriteRequest, readCommitRequest } from './commit-requests.ts'
import type { EmbeddedDatabase } from './database.ts'
import { aborted, encodeStatus, GrpcStatus } from './grpc-status.ts'
import type { EmbeddedInstance } from './instance.ts'
import { applyMutations, type Mutation } from './mutations.ts'
import { ProtoWriter } from './protobuf.ts'
import { databaseOfSession } from './resource-name.ts'
import { encodeCommitResponse, encodeTimestamp } from './spanner-answers.ts'
import { NO_OPTIONS, type TransactionOptions } from './spanner-requests.ts'
import { markOfTransaction, type ServerTransaction } from './transaction.ts'

/** Commit: of a transaction, or of mutations alone. */
export async function commit(instance: EmbeddedInstance, bytes: Buffer): Promise<Buffer> {
  const request = readCommitRequest(bytes)
  const database = await instance.database(databaseOfSession(request.session))
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
    const micros = await commitGroup(database, mutations)
    return answer.message(2, EMPTY).message(3, encodeTimestamp(micros)).take()
  } catch (error) {
    if (!(error instanceof GrpcStatus)) throw error
    return answer.message(2, encodeStatus(error)).take()
  }
}

async function commitGroup(
  database: EmbeddedDatabase,
  mutations: readonly Mutation[],
): Promise<number> {
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

/** A Commit that is asked for again after the transaction was forgotten: PostgreSQL remembers. */
async function forgottenCommit(
  database: EmbeddedDatabase,
  id: string,
): Promise<number | undefined> {
  const mark = markOfTransaction(id)
  return mark === undefined ? undefined : database.committedMicros(mark)
}
