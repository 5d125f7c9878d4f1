import { ProtoWriter } from '../base/protobuf-writer.ts'

/** google.protobuf.Timestamp of microseconds since 1970. */
export function encodeTimestamp(micros: number): Buffer {
  return new ProtoWriter()
    .uint(1, Math.floor(micros / 1_000_000))
    .uint(2, (micros % 1_000_000) * 1000)
    .take()
}

/** Microseconds since 1970 as RFC 3339. */
export function timestampText(micros: number): string {
  const text = new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)
  return `${text}${String(micros % 1000).padStart(3, '0')}Z`
}

/** google.spanner.v1.ResultSetStats with the exact count of rows that DML changed. */
export function encodeStats(rowCount: number): Buffer {
  return new ProtoWriter().presentUint(3, rowCount).take()
}

/** google.spanner.v1.ResultSetStats of partitioned DML. */
export function encodeLowerBoundStats(rowCount: number): Buffer {
  return new ProtoWriter().presentUint(4, rowCount).take()
}

/** google.spanner.v1.Transaction: its id, and when it reads where that was asked for. */
export function encodeTransaction(transaction: {
  readonly id: string
  readonly mode: 'read-write' | 'read-only'
  readonly readMicros: number
  readonly options: { readonly returnReadTimestamp: boolean }
}): Buffer {
  const out = new ProtoWriter().string(1, transaction.id)
  if (transaction.mode === 'read-only' && transaction.options.returnReadTimestamp) {
    out.message(2, encodeTimestamp(transaction.readMicros))
  }
  return out.take()
}

/** google.spanner.v1.CommitResponse: commit_timestamp = 1, commit_stats = 2 { mutation_count = 1 }. */
export function encodeCommitResponse(micros: number, mutationCount: number | undefined): Buffer {
  const out = new ProtoWriter().message(1, encodeTimestamp(micros))
  if (mutationCount !== undefined) {
    out.message(2, new ProtoWriter().presentUint(1, mutationCount).take())
  }
  return out.take()
}

/** google.spanner.v1.Session. */
export function encodeSession(session: {
  readonly name: string
  readonly labels: Buffer
  readonly createdMicros: number
  readonly usedMicros: number
  readonly isMultiplexed: boolean
}): Buffer {
  const out = new ProtoWriter().string(1, session.name)
  out.raw(session.labels)
  return out
    .message(3, encodeTimestamp(session.createdMicros))
    .message(4, encodeTimestamp(session.usedMicros))
    .bool(6, session.isMultiplexed)
    .take()
}
