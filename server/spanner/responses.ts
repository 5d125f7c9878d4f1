import type { ResultColumn } from '../backend/backend.ts'
import { MalformedMessage, ProtoReader } from '../base/protobuf-reader.ts'
import {
  type SpannerType,
  type SpannerTypeAnnotation,
  type SpannerTypeCode,
  TYPE_ANNOTATION,
  TYPE_CODE,
} from '../types/spanner-type.ts'
import { type RpcStatus, readRpcStatus } from './status-details.ts'
import { readTimestamp } from './timestamp.ts'

/** google.spanner.v1.ResultSetMetadata. */
export interface ResultMetadata {
  readonly columns: readonly ResultColumn[]
  /** Where the statement began a transaction, or a read was asked for its timestamp. */
  readonly transaction: TransactionReply | undefined
}

/** google.spanner.v1.Transaction. */
export interface TransactionReply {
  /** Undefined where it is left out or empty: single-use reads have none. */
  readonly id: Buffer | undefined
  /** RFC 3339. */
  readonly readTimestamp: string | undefined
  /** Encoded MultiplexedSessionPrecommitToken. */
  readonly precommitToken: Buffer | undefined
}

/** Reads row_type = 1 and transaction = 2. */
export function readMetadata(reader: ProtoReader): ResultMetadata {
  let columns: readonly ResultColumn[] = []
  let transaction: TransactionReply | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) columns = readStructType(reader.message())
    else if (tag === 0x12) transaction = readTransaction(reader.message())
    else reader.skip(tag)
  }
  return { columns, transaction }
}

/** Reads ResultSetStats.row_count_exact = 3, or row_count_lower_bound = 4, which partitioned DML has. */
export function readStats(reader: ProtoReader): bigint | undefined {
  let rowCount: bigint | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x18 || tag === 0x20) rowCount = reader.int64()
    else reader.skip(tag)
  }
  return rowCount
}

/** Reads id = 1, read_timestamp = 2 and precommit_token = 3. */
export function readTransaction(reader: ProtoReader): TransactionReply {
  let id: Buffer | undefined
  let timestamp: string | undefined
  let precommitToken: Buffer | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) id = Buffer.from(reader.bytes())
    else if (tag === 0x12) timestamp = readTimestamp(reader.message())
    else if (tag === 0x1a) precommitToken = Buffer.from(reader.bytes())
    else reader.skip(tag)
  }
  return { id: id?.length === 0 ? undefined : id, readTimestamp: timestamp, precommitToken }
}

/** google.spanner.v1.ExecuteBatchDmlResponse. */
export interface BatchDmlResponse {
  readonly rowCounts: readonly bigint[]
  /** Where the batch began a transaction. */
  readonly transaction: TransactionReply | undefined
  /** Of the first statement that failed; undefined where all ran. */
  readonly status: RpcStatus | undefined
  readonly precommitToken: Buffer | undefined
}

/** Decodes result_sets = 1, status = 2 and precommit_token = 3. */
export function decodeBatchDml(bytes: Buffer): BatchDmlResponse {
  const reader = new ProtoReader(bytes)
  const rowCounts: bigint[] = []
  let transaction: TransactionReply | undefined
  let status: RpcStatus | undefined
  let precommitToken: Buffer | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) {
      const resultSet = readResultSet(reader.message())
      rowCounts.push(resultSet.rowCount ?? 0n)
      transaction ??= resultSet.metadata?.transaction
    } else if (tag === 0x12) status = readRpcStatus(reader.message())
    else if (tag === 0x1a) precommitToken = Buffer.from(reader.bytes())
    else reader.skip(tag)
  }
  return {
    rowCounts,
    transaction,
    status: status === undefined || status.code === 0 ? undefined : status,
    precommitToken,
  }
}

/** google.spanner.v1.CommitResponse. */
export interface CommitResponse {
  /** RFC 3339 with nanoseconds as far as they are not zero. */
  readonly commitTimestamp: string | undefined
  readonly mutationCount: bigint | undefined
  /** Set where the commit has not happened yet: Commit must be sent again with it. */
  readonly precommitToken: Buffer | undefined
}

/** Decodes commit_timestamp = 1, commit_stats = 2 and precommit_token = 4. */
export function decodeCommit(bytes: Buffer): CommitResponse {
  const reader = new ProtoReader(bytes)
  let commitTimestamp: string | undefined
  let mutationCount: bigint | undefined
  let precommitToken: Buffer | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) commitTimestamp = readTimestamp(reader.message())
    else if (tag === 0x12) mutationCount = readMutationCount(reader.message())
    else if (tag === 0x22) precommitToken = Buffer.from(reader.bytes())
    else reader.skip(tag)
  }
  return { commitTimestamp, mutationCount, precommitToken }
}

/** CommitStats.mutation_count = 1. */
function readMutationCount(reader: ProtoReader): bigint {
  let count = 0n
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x08) count = reader.int64()
    else reader.skip(tag)
  }
  return count
}

/** google.spanner.v1.ResultSet without its rows: metadata = 1, stats = 3. */
function readResultSet(reader: ProtoReader): {
  metadata: ResultMetadata | undefined
  rowCount: bigint | undefined
} {
  let metadata: ResultMetadata | undefined
  let rowCount: bigint | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) metadata = readMetadata(reader.message())
    else if (tag === 0x1a) rowCount = readStats(reader.message())
    else reader.skip(tag)
  }
  return { metadata, rowCount }
}

/** StructType: fields = 1, each with name = 1 and type = 2. */
function readStructType(reader: ProtoReader): readonly ResultColumn[] {
  const columns: ResultColumn[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) columns.push(readField(reader.message()))
    else reader.skip(tag)
  }
  return columns
}

function readField(reader: ProtoReader): ResultColumn {
  let name = ''
  let type: SpannerType | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x0a) name = reader.string()
    else if (tag === 0x12) type = readType(reader.message())
    else reader.skip(tag)
  }
  if (type === undefined) throw new MalformedMessage(`column "${name}" has no type`)
  return { name, type }
}

const CODE_NAMES = new Map<number, SpannerTypeCode>(
  (Object.keys(TYPE_CODE) as SpannerTypeCode[]).map((name) => [TYPE_CODE[name], name]),
)
const ANNOTATION_NAMES = new Map<number, SpannerTypeAnnotation>(
  (Object.keys(TYPE_ANNOTATION) as SpannerTypeAnnotation[]).map((name) => [
    TYPE_ANNOTATION[name],
    name,
  ]),
)

function readType(reader: ProtoReader): SpannerType {
  let code: SpannerTypeCode | undefined
  let annotation: SpannerTypeAnnotation | undefined
  let element: SpannerType | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag === 0x08) {
      const number = reader.uint()
      code = CODE_NAMES.get(number)
      if (code === undefined) throw new MalformedMessage(`unknown type code ${number}`)
    } else if (tag === 0x12) element = readType(reader.message())
    else if (tag === 0x20) annotation = ANNOTATION_NAMES.get(reader.uint())
    else reader.skip(tag)
  }
  if (code === undefined) throw new MalformedMessage('type without a code')
  return {
    code,
    ...(annotation === undefined ? {} : { annotation }),
    ...(element === undefined ? {} : { element }),
  }
}
