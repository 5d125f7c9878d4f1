import { ProtoReader } from '../base/protobuf-reader.ts'
import { type ResultMetadata, readMetadata, readStats } from './responses.ts'

/**
 * One google.spanner.v1.PartialResultSet as it lies in its message: value i is the encoded google.protobuf.Value at
 * `bytes[starts[i] .. ends[i])`.
 */
export interface PartialResultSet {
  readonly bytes: Buffer
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  /** The last value goes on in the next message. */
  readonly isChunked: boolean
  readonly metadata: ResultMetadata | undefined
  readonly resumeToken: Buffer | undefined
  readonly rowCount: bigint | undefined
  /** Encoded MultiplexedSessionPrecommitToken: only multiplexed sessions need it. */
  readonly precommitToken: Buffer | undefined
  /** Nothing follows; servers may leave it out. */
  readonly isLast: boolean
}

const TAG = {
  metadata: 0x0a,
  values: 0x12,
  chunkedValue: 0x18,
  resumeToken: 0x22,
  stats: 0x2a,
  precommitToken: 0x42,
  last: 0x48,
} as const

/** Finds the fields of a message; values are not decoded. Throws MalformedMessage. */
export function decodePartialResultSet(bytes: Buffer): PartialResultSet {
  const reader = new ProtoReader(bytes)
  let starts = new Uint32Array(64)
  let ends = new Uint32Array(64)
  let count = 0
  let isChunked = false
  let metadata: ResultMetadata | undefined
  let resumeToken: Buffer | undefined
  let rowCount: bigint | undefined
  let precommitToken: Buffer | undefined
  let isLast = false
  while (reader.hasMore) {
    const tag = reader.tag()
    switch (tag) {
      case TAG.values:
        if (count === starts.length) {
          starts = grown(starts)
          ends = grown(ends)
        }
        starts[count] = reader.range()
        ends[count++] = reader.offset
        break
      case TAG.metadata:
        metadata = readMetadata(reader.message())
        break
      case TAG.chunkedValue:
        isChunked = reader.uint() !== 0
        break
      case TAG.resumeToken:
        resumeToken = Buffer.from(reader.bytes())
        break
      case TAG.stats:
        rowCount = readStats(reader.message()) ?? rowCount
        break
      case TAG.precommitToken:
        precommitToken = Buffer.from(reader.bytes())
        break
      case TAG.last:
        isLast = reader.uint() !== 0
        break
      default:
        reader.skip(tag)
    }
  }
  if (resumeToken?.length === 0) resumeToken = undefined
  return {
    bytes,
    starts: starts.subarray(0, count),
    ends: ends.subarray(0, count),
    isChunked,
    metadata,
    resumeToken,
    rowCount,
    precommitToken,
    isLast,
  }
}

function grown(offsets: Uint32Array): Uint32Array<ArrayBuffer> {
  const twice = new Uint32Array(offsets.length * 2)
  twice.set(offsets)
  return twice
}
