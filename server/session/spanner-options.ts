import type { ReadTimestampBound } from '../backend/backend.ts'
import type { SpannerOptions } from '../transaction/spanner-options.ts'
import { parseDirectedRead } from './directed-read.ts'
import type { Settings } from './settings.ts'

const UNIT_NANOSECONDS: Readonly<Record<string, bigint>> = {
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  ns: 1n,
}

/** What the session's settings ask of Spanner; their values have been checked when they were set. */
export function spannerOptions(settings: Settings): SpannerOptions {
  const priority = settings.get('spanner.rpc_priority')?.toLowerCase()
  const lockMode = settings.get('spanner.read_lock_mode')?.toLowerCase()
  const delay = nanosecondsOf(settings.get('spanner.max_commit_delay') ?? '')
  return {
    bound: boundOf(settings.get('spanner.read_only_staleness')),
    readCommittedRunsAs:
      settings.get('spanwire.read_committed_runs_as') === 'REPEATABLE_READ'
        ? 'repeatable-read'
        : 'serializable',
    request: {
      priority:
        priority === 'low' || priority === 'medium' || priority === 'high' ? priority : undefined,
      optimizerVersion: settings.get('spanner.optimizer_version')?.toLowerCase() || undefined,
      optimizerStatisticsPackage: settings.get('spanner.optimizer_statistics_package') || undefined,
    },
    directedRead: parseDirectedRead(settings.get('spanner.directed_read') ?? ''),
    readLockMode: lockMode === 'pessimistic' || lockMode === 'optimistic' ? lockMode : undefined,
    transactionTag: settings.get('spanner.transaction_tag') || undefined,
    excludeFromChangeStreams: settings.get('spanner.exclude_txn_from_change_streams') === 'on',
    maxCommitDelayMs: delay === undefined ? undefined : Number(delay / 1_000_000n),
    returnCommitStats: settings.get('spanner.return_commit_stats') === 'on',
  }
}

const STRONG: ReadTimestampBound = { kind: 'strong' }

function boundOf(value: string | undefined): ReadTimestampBound {
  const [form, argument = ''] = (value ?? 'STRONG').split(' ')
  switch (form) {
    case 'EXACT_STALENESS':
      return { kind: 'exact-staleness', nanoseconds: nanosecondsOf(argument) ?? 0n }
    case 'MAX_STALENESS':
      return { kind: 'max-staleness', nanoseconds: nanosecondsOf(argument) ?? 0n }
    case 'READ_TIMESTAMP':
      return { kind: 'read-timestamp', timestamp: argument }
    case 'MIN_READ_TIMESTAMP':
      return { kind: 'min-read-timestamp', timestamp: argument }
    default:
      return STRONG
  }
}

/** Of `10s`, `5ms`, `3us`, `2ns`. */
function nanosecondsOf(text: string): bigint | undefined {
  const match = /^(\d+)(s|ms|us|ns)$/.exec(text)
  if (match === null) return undefined
  return BigInt(match[1] ?? '0') * (UNIT_NANOSECONDS[match[2] ?? 'ns'] ?? 1n)
}
