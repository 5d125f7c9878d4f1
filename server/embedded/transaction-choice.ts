import { status as GRPC } from '@grpc/grpc-js'
import type { EmbeddedDatabase } from './database.ts'
import { aborted, GrpcStatus } from './grpc-status.ts'
import { ownsPartitioned } from './partitioned-dml.ts'
import type { Session } from './session.ts'
import { awaitTimestampBound } from './single-use.ts'
import type { TransactionOptions, TransactionSelector } from './spanner-requests.ts'
import type { ServerTransaction } from './transaction.ts'

/** The transaction that a request runs in; undefined for a single-use read and for partitioned DML. */
export async function chooseTransaction(
  database: EmbeddedDatabase,
  session: Session,
  selector: TransactionSelector,
  signal: AbortSignal,
): Promise<ServerTransaction | undefined> {
  switch (selector.kind) {
    case 'begin':
      return newTransaction(database, session, selector.options, signal)
    case 'id': {
      if (ownsPartitioned(session, selector.id)) return undefined
      const transaction = ownTransaction(database, session.name, selector.id)
      if (transaction === undefined) throw unknownTransaction(database, selector.id)
      return transaction
    }
    case 'single-use':
      return undefined
  }
}

/** A transaction of a session that is remembered. Throws NOT_FOUND for one of another session. */
export function ownTransaction(
  database: EmbeddedDatabase,
  session: string,
  id: string,
): ServerTransaction | undefined {
  const transaction = database.findTransaction(id)
  if (transaction !== undefined && transaction.session !== session) throw transactionNotFound(id)
  return transaction
}

/** A transaction that begins; on a regular session the one before is over. */
export async function newTransaction(
  database: EmbeddedDatabase,
  session: Session,
  options: TransactionOptions,
  signal: AbortSignal,
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
  await awaitTimestampBound(database, options, signal)
  const transaction = database.newTransaction(options.mode, options, session.name)
  if (!session.isMultiplexed) {
    session.current?.terminate('invalidated')
    session.current = transaction
  }
  return transaction
}

/** One of ours that is no longer remembered was lost with its connection; anything else never was a transaction. */
export function unknownTransaction(database: EmbeddedDatabase, id: string): GrpcStatus {
  if (database.markOf(id) !== undefined)
    return aborted('Transaction was aborted: it is not known to this server.')
  return transactionNotFound(id)
}

export function transactionNotFound(id: string): GrpcStatus {
  return new GrpcStatus(GRPC.NOT_FOUND, `Transaction not found: ${id}`)
}
