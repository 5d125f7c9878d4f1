import type { ReadTimestampBound, ReadWriteOptions } from '../backend/backend.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { encodeDuration, encodeTimestamp } from './timestamp.ts'

// Encoded google.spanner.v1.TransactionOptions. Those that most transactions have are encoded once.

/** read_only = 2 { strong = 1, return_read_timestamp = 6 }. */
export const STRONG_READ: Buffer = Buffer.from([0x12, 0x04, 0x08, 0x01, 0x30, 0x01])

/** SERIALIZABLE with PESSIMISTIC locks, Spanner's defaults: an empty read_write = 1. */
const SERIALIZABLE: Buffer = Buffer.from([0x0a, 0x00])

/** read_write = 1 { read_lock_mode = 1: PESSIMISTIC = 1 }, isolation_level = 6: REPEATABLE_READ = 2. */
const REPEATABLE_READ: Buffer = Buffer.from([0x0a, 0x02, 0x08, 0x01, 0x30, 0x02])

const LOCK_MODE = { pessimistic: 1, optimistic: 2 } as const
const REPEATABLE_READ_LEVEL = 2

/** Options of a read-only transaction or a single-use read, which gives its read timestamp. Throws RangeError for a timestamp that is none. */
export function readOnlyOptions(bound: ReadTimestampBound | undefined): Buffer {
  if (bound === undefined || bound.kind === 'strong') return STRONG_READ
  const readOnly = writeBound(new ProtoWriter(32), bound).bool(6, true)
  return new ProtoWriter(48).message(2, readOnly.take()).take()
}

function writeBound(readOnly: ProtoWriter, bound: ReadTimestampBound): ProtoWriter {
  switch (bound.kind) {
    case 'strong':
      return readOnly.bool(1, true)
    case 'min-read-timestamp':
      return readOnly.message(2, encodeTimestamp(bound.timestamp))
    case 'max-staleness':
      return readOnly.message(3, encodeDuration(bound.nanoseconds))
    case 'read-timestamp':
      return readOnly.message(4, encodeTimestamp(bound.timestamp))
    case 'exact-staleness':
      return readOnly.message(5, encodeDuration(bound.nanoseconds))
  }
}

/**
 * Options of a read-write transaction. `previousTransactionId` is the attempt before it on the same multiplexed session: its
 * successor's locks are as old as its own.
 */
export function readWriteOptions(
  options: Pick<ReadWriteOptions, 'isolation' | 'excludeFromChangeStreams' | 'readLockMode'>,
  previousTransactionId?: Buffer,
): Buffer {
  const isRepeatableRead = options.isolation === 'repeatable-read'
  const isUsual = options.excludeFromChangeStreams !== true && options.readLockMode === undefined
  if (previousTransactionId === undefined && isUsual) {
    return isRepeatableRead ? REPEATABLE_READ : SERIALIZABLE
  }
  const lockMode = options.readLockMode ?? (isRepeatableRead ? 'pessimistic' : undefined)
  const readWrite = new ProtoWriter(64).uint(1, lockMode === undefined ? 0 : LOCK_MODE[lockMode])
  if (previousTransactionId !== undefined) readWrite.bytes(2, previousTransactionId)
  return new ProtoWriter(96)
    .message(1, readWrite.take())
    .bool(5, options.excludeFromChangeStreams === true)
    .uint(6, isRepeatableRead ? REPEATABLE_READ_LEVEL : 0)
    .take()
}

/** Options of partitioned DML: an empty partitioned_dml = 3. */
export function partitionedDmlOptions(excludeFromChangeStreams: boolean): Buffer {
  return new ProtoWriter(8).message(3, Buffer.alloc(0)).bool(5, excludeFromChangeStreams).take()
}
