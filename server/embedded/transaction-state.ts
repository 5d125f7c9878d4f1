import { status as GRPC } from '@grpc/grpc-js'
import { aborted, GrpcStatus } from './grpc-status.ts'

export type TransactionState = 'open' | 'committed' | 'rolled-back' | 'aborted' | 'invalidated'

/** What Commit and Rollback are told of a transaction that writes nothing, or has written already. */
export function nothingToEnd(): GrpcStatus {
  return new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    'Cannot commit or rollback a read-only or partitioned-dml transaction.',
  )
}

/** What Rollback is told of a transaction that cannot be undone any more. */
export function alreadyCommitted(): GrpcStatus {
  return new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    'Cannot rollback a transaction after Commit() has been called.',
  )
}

/** What a call is told that needs the transaction open. */
export function stateError(state: TransactionState): GrpcStatus {
  switch (state) {
    case 'aborted':
      return aborted('Transaction was aborted.')
    case 'invalidated':
      return new GrpcStatus(
        GRPC.FAILED_PRECONDITION,
        'This transaction has been invalidated by a later transaction in the same session.',
      )
    default:
      return new GrpcStatus(
        GRPC.FAILED_PRECONDITION,
        'Cannot read or query using a transaction after it has been committed or rolledback.',
      )
  }
}
