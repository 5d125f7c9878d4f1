import type {
  ReadTimestampBound,
  ReadWriteOptions,
  RequestOptions,
  SnapshotBound,
} from '../backend/backend.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { IsolationLevel } from './characteristics.ts'

/** What a client asks of Spanner beyond PostgreSQL, by settings of the session. */
export interface SpannerOptions {
  /** When reads outside read-write transactions see the database (spanner.read_only_staleness). */
  readonly bound: ReadTimestampBound
  /** spanwire.read_committed_runs_as. */
  readonly readCommittedRunsAs: ReadWriteOptions['isolation']
  /** spanner.rpc_priority, optimizer_version and optimizer_statistics_package: what every request asks. */
  readonly request: RequestOptions
  /** spanner.directed_read, for reads outside read-write transactions. */
  readonly directedRead: RequestOptions['directedRead']
  /** spanner.read_lock_mode. */
  readonly readLockMode: ReadWriteOptions['readLockMode']
  /** spanner.transaction_tag. */
  readonly transactionTag: string | undefined
  /** spanner.exclude_txn_from_change_streams. */
  readonly excludeFromChangeStreams: boolean
  /** spanner.max_commit_delay, in milliseconds. */
  readonly maxCommitDelayMs: number | undefined
  /** spanner.return_commit_stats. */
  readonly returnCommitStats: boolean
}

/** Spanner's isolation level for PostgreSQL's, where Spanner has more than one; its locks are pessimistic at both. */
export function spannerIsolation(
  level: IsolationLevel,
  { readCommittedRunsAs }: SpannerOptions,
): ReadWriteOptions['isolation'] {
  switch (level) {
    case 'read uncommitted':
    case 'read committed':
      return readCommittedRunsAs
    case 'repeatable read':
      return 'repeatable-read'
    case 'serializable':
      return 'serializable'
  }
}

/** The bound for a transaction of several reads. Throws 0A000 for those that Spanner takes for a single read only. */
export function snapshotBound(bound: ReadTimestampBound): SnapshotBound {
  if (bound.kind !== 'max-staleness' && bound.kind !== 'min-read-timestamp') return bound
  throw new PgError(
    SQL_STATE.featureNotSupported,
    'bounded staleness is for statements outside a transaction block',
    {
      hint: 'Set spanner.read_only_staleness to STRONG, EXACT_STALENESS or READ_TIMESTAMP.',
    },
  )
}
