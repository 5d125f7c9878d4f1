import { status as GRPC } from '@grpc/grpc-js'
import type { EmbeddedDatabase } from './database.ts'
import { aborted, GrpcStatus } from './grpc-status.ts'
import { isPartitionedId } from './partitioned-dml.ts'
import type { Session } from './session.ts'
import { awaitTimestampBound } from './single-use.ts'
import type { TransactionOptions, TransactionSelector } from './spanner-requests.ts'
import { markOfTransaction, type ServerTransaction } from './transaction.ts'

/** The transaction that a request runs in; undefined for a single-use read and for partitioned DML. */
export async function chooseTransaction(
  database: EmbeddedDatabase,
  session: Session,
  selector: TransactionSelector,
): Promise<ServerTransaction | undefined> {
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

/** A transaction that begins; on a regular session the one before is over. */
export async function newTransaction(
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

/** One of ours that is no longer remembered was lost with its connection; anything else never was a transaction. */
function unknownTransaction(id: string): GrpcStatus {
  if (markOfTransaction(id) !== undefined)
    return aborted('Transaction was aborted: it is not known to this server.')
  return new GrpcStatus(GRPC.INVALID_ARGUMENT, `Invalid transaction ID: ${id}`)
}
