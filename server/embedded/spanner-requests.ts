import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import {
  type SpannerType,
  type SpannerTypeAnnotation,
  type SpannerTypeCode,
  TYPE_ANNOTATION,
  TYPE_CODE,
} from '../types/spanner-type.ts'
import { GrpcStatus } from './grpc-status.ts'

/*
 * Requests of google.spanner.v1.Spanner, read by hand: parameters stay the bytes of their google.protobuf.Value. Fields that change
 * nothing here (priorities, tags, routing hints, query options) are stepped over.
 */

/** google.spanner.v1.ExecuteSqlRequest.QueryMode. */
export const QUERY_MODE = { normal: 0, plan: 1, profile: 2 } as const

/** A statement with its parameters by name (`p1` is `$1`). */
export interface SqlRequest {
  readonly sql: string
  readonly params: ReadonlyMap<string, Buffer>
  readonly paramTypes: ReadonlyMap<string, SpannerType>
  /** It stands for a Read: whoever asked for that knows of no parameters. */
  readonly isRead?: boolean
}

export type TransactionSelector =
  | { readonly kind: 'single-use'; readonly options: TransactionOptions }
  | { readonly kind: 'begin'; readonly options: TransactionOptions }
  | { readonly kind: 'id'; readonly id: string }

export interface TransactionOptions {
  readonly mode: 'read-write' | 'read-only' | 'partitioned-dml' | 'unspecified'
  /** TransactionOptions.IsolationLevel.REPEATABLE_READ. */
  readonly repeatableRead: boolean
  readonly bound: TimestampBound
  readonly returnReadTimestamp: boolean
}

/** What a read-only transaction may see; timestamps and durations in microseconds. */
export type TimestampBound =
  | { readonly kind: 'strong' }
  | {
      readonly kind: 'max-staleness' | 'exact-staleness' | 'min-read-timestamp' | 'read-timestamp'
      readonly micros: bigint
    }

export interface ExecuteSqlRequest extends SqlRequest {
  readonly session: string
  readonly transaction: TransactionSelector
  readonly resumeToken: Buffer
  readonly queryMode: number
  readonly seqno: bigint
  readonly lastStatement: boolean
  /** Empty: the whole statement. */
  readonly partitionToken: Buffer
  /** It says which replicas may answer. */
  readonly isDirected: boolean
}

export interface ExecuteBatchDmlRequest {
  readonly session: string
  readonly transaction: TransactionSelector
  readonly statements: readonly SqlRequest[]
  readonly seqno: bigint
  readonly lastStatements: boolean
}

const STRONG: TimestampBound = { kind: 'strong' }
/** What a client that asks for nothing gets. */
export const NO_OPTIONS: TransactionOptions = {
  mode: 'unspecified',
  repeatableRead: false,
  bound: STRONG,
  returnReadTimestamp: false,
}
/** Without a selector, a statement is a strong single-use read. */
export const SINGLE_USE: TransactionSelector = {
  kind: 'single-use',
  options: { ...NO_OPTIONS, mode: 'read-only' },
}

export function readExecuteSqlRequest(bytes: Buffer): ExecuteSqlRequest {
  const reader = new ProtoReader(bytes)
  const fields = new Map<number, Buffer>()
  let transaction = SINGLE_USE
  let queryMode = 0
  let seqno = 0n
  let lastStatement = false
  const params = new Map<string, Buffer>()
  const paramTypes = new Map<string, SpannerType>()
  while (reader.hasMore) {
    const tag = reader.tag()
    switch (tag >>> 3) {
      case 1:
      case 3:
      case 6:
      case 8:
      case 15:
        fields.set(tag >>> 3, reader.bytes())
        break
      case 2:
        transaction = readSelector(reader.message())
        break
      case 4:
        readStruct(reader.message(), params)
        break
      case 5:
        readTypeEntry(reader.message(), paramTypes)
        break
      case 7:
        queryMode = reader.uint()
        break
      case 9:
        seqno = reader.int64()
        break
      case 17:
        lastStatement = reader.bool()
        break
      default:
        reader.skip(tag)
    }
  }
  const field = (number: number) => fields.get(number) ?? EMPTY
  return {
    session: field(1).toString('utf8'),
    sql: field(3).toString('utf8'),
    transaction,
    params,
    paramTypes,
    resumeToken: field(6),
    queryMode,
    seqno,
    lastStatement,
    partitionToken: field(8),
    isDirected: field(15).length > 0,
  }
}

export function readExecuteBatchDmlRequest(bytes: Buffer): ExecuteBatchDmlRequest {
  const reader = new ProtoReader(bytes)
  let session = ''
  let transaction = SINGLE_USE
  let seqno = 0n
  let lastStatements = false
  const statements: SqlRequest[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    switch (tag >>> 3) {
      case 1:
        session = reader.string()
        break
      case 2:
        transaction = readSelector(reader.message())
        break
      case 3:
        statements.push(readStatement(reader.message()))
        break
      case 4:
        seqno = reader.int64()
        break
      case 6:
        lastStatements = reader.bool()
        break
      default:
        reader.skip(tag)
    }
  }
  return { session, transaction, statements, seqno, lastStatements }
}

export function readBeginTransactionRequest(bytes: Buffer): {
  session: string
  options: TransactionOptions
} {
  const reader = new ProtoReader(bytes)
  let session = ''
  let options = NO_OPTIONS
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) session = reader.string()
    else if (tag >>> 3 === 2) options = readOptions(reader.message())
    else reader.skip(tag)
  }
  return { session, options }
}

export function readRollbackRequest(bytes: Buffer): { session: string; transactionId: string } {
  const reader = new ProtoReader(bytes)
  let session = ''
  let transactionId = ''
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) session = reader.string()
    else if (tag >>> 3 === 2) transactionId = reader.string()
    else reader.skip(tag)
  }
  return { session, transactionId }
}

const EMPTY = Buffer.alloc(0)

function readStatement(reader: ProtoReader): SqlRequest {
  let sql = ''
  const params = new Map<string, Buffer>()
  const paramTypes = new Map<string, SpannerType>()
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) sql = reader.string()
    else if (tag >>> 3 === 2) readStruct(reader.message(), params)
    else if (tag >>> 3 === 3) readTypeEntry(reader.message(), paramTypes)
    else reader.skip(tag)
  }
  return { sql, params, paramTypes }
}

/** google.protobuf.Struct, as parameters come in: in any case; their values stay encoded. */
function readStruct(reader: ProtoReader, into: Map<string, Buffer>): void {
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 !== 1) {
      reader.skip(tag)
      continue
    }
    const entry = readMapEntry(reader.message())
    into.set(entry.key.toLowerCase(), entry.value)
  }
}

function readTypeEntry(reader: ProtoReader, into: Map<string, SpannerType>): void {
  const entry = readMapEntry(reader)
  const type = readType(new ProtoReader(entry.value))
  // TYPE_CODE_UNSPECIFIED is as good as no entry: the type is inferred.
  if (type !== undefined) into.set(entry.key.toLowerCase(), type)
}

function readMapEntry(reader: ProtoReader): { key: string; value: Buffer } {
  let key = ''
  let value: Buffer = EMPTY
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) key = reader.string()
    else if (tag >>> 3 === 2) value = reader.bytes()
    else reader.skip(tag)
  }
  return { key, value }
}

const CODE_NAMES = new Map<number, SpannerTypeCode>(
  Object.entries(TYPE_CODE).map(([name, code]) => [code, name as SpannerTypeCode]),
)
const ANNOTATION_NAMES = new Map<number, SpannerTypeAnnotation>(
  Object.entries(TYPE_ANNOTATION).map(([name, code]) => [code, name as SpannerTypeAnnotation]),
)

/** TypeCode.PROTO and ENUM, which are of a bundle of protos: no database here has one. */
const PROTO_KINDS: Readonly<Record<number, string>> = { 13: 'Type', 14: 'Enum type' }

/** TypeCode.STRUCT, which no parameter of this dialect is. */
const STRUCT = 9

/** Throws NOT_FOUND, INVALID_ARGUMENT, UNIMPLEMENTED for a type that there is not; undefined is TYPE_CODE_UNSPECIFIED. */
function readType(reader: ProtoReader): SpannerType | undefined {
  let code = 0
  let fullName = ''
  let element: SpannerType | undefined
  let annotation: SpannerTypeAnnotation | undefined
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) code = reader.uint()
    else if (tag >>> 3 === 2) element = readType(reader.message())
    else if (tag >>> 3 === 4) annotation = ANNOTATION_NAMES.get(reader.uint())
    else if (tag >>> 3 === 5) fullName = reader.string()
    else reader.skip(tag)
  }
  const known = CODE_NAMES.get(code)
  if (known !== undefined) return { code: known, annotation, element }
  if (code === 0) return undefined
  if (code === STRUCT)
    throw new GrpcStatus(GRPC.UNIMPLEMENTED, 'The type STRUCT is not supported in this dialect')
  const kind = PROTO_KINDS[code]
  if (kind !== undefined) throw new GrpcStatus(GRPC.NOT_FOUND, `${kind} not found: \`${fullName}\``)
  throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `Type code must be specified, found code: ${code}`)
}

/** google.spanner.v1.TransactionSelector. */
export function readSelector(reader: ProtoReader): TransactionSelector {
  let selector = SINGLE_USE
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) selector = { kind: 'single-use', options: readOptions(reader.message()) }
    else if (tag >>> 3 === 2) selector = { kind: 'id', id: reader.string() }
    else if (tag >>> 3 === 3) selector = { kind: 'begin', options: readOptions(reader.message()) }
    else reader.skip(tag)
  }
  return selector
}

/** google.spanner.v1.TransactionOptions. */
export function readOptions(reader: ProtoReader): TransactionOptions {
  let options = NO_OPTIONS
  let repeatableRead = false
  while (reader.hasMore) {
    const tag = reader.tag()
    switch (tag >>> 3) {
      case 1:
        reader.skip(tag)
        options = { ...NO_OPTIONS, mode: 'read-write' }
        break
      case 2:
        options = readReadOnly(reader.message())
        break
      case 3:
        reader.skip(tag)
        options = { ...NO_OPTIONS, mode: 'partitioned-dml' }
        break
      case 6:
        repeatableRead = reader.uint() === 2
        break
      default:
        reader.skip(tag)
    }
  }
  return { ...options, repeatableRead }
}

function readReadOnly(reader: ProtoReader): TransactionOptions {
  let bound: TimestampBound = STRONG
  let returnReadTimestamp = false
  while (reader.hasMore) {
    const tag = reader.tag()
    switch (tag >>> 3) {
      case 1:
        if (!reader.bool()) throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'strong must be true.')
        bound = STRONG
        break
      case 2:
        bound = { kind: 'min-read-timestamp', micros: readTimestamp(reader.message()) }
        break
      case 3:
        bound = { kind: 'max-staleness', micros: readStaleness(reader.message()) }
        break
      case 4:
        bound = { kind: 'read-timestamp', micros: readTimestamp(reader.message()) }
        break
      case 5:
        bound = { kind: 'exact-staleness', micros: readStaleness(reader.message()) }
        break
      case 6:
        returnReadTimestamp = reader.bool()
        break
      default:
        reader.skip(tag)
    }
  }
  return { mode: 'read-only', repeatableRead: false, bound, returnReadTimestamp }
}

function readStaleness(reader: ProtoReader): bigint {
  const micros = readMicros(reader)
  if (micros < 0n) throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Staleness must be non-negative.')
  return micros
}

/** Throws INVALID_ARGUMENT for a moment before 1970. */
function readTimestamp(reader: ProtoReader): bigint {
  const micros = readMicros(reader)
  if (micros < 0n) throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'The timestamp is before 1970.')
  return micros
}

/** google.protobuf.Timestamp or Duration in microseconds. Throws INVALID_ARGUMENT for more nanoseconds than a second has. */
function readMicros(reader: ProtoReader): bigint {
  let seconds = 0n
  let nanos = 0n
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) seconds = reader.int64()
    else if (tag >>> 3 === 2) nanos = reader.int64()
    else reader.skip(tag)
  }
  if (nanos >= 1_000_000_000n || nanos <= -1_000_000_000n)
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `A second has no ${nanos} nanoseconds.`)
  const total = seconds * 1_000_000_000n + nanos
  return total < 0n ? (total - 999n) / 1000n : total / 1000n
}
