import type { SpannerParam, SpannerStatement } from '../backend/backend.ts'
import { type SpannerType, TYPE_ANNOTATION, TYPE_CODE } from '../types/spanner-type.ts'
import { ProtoWriter } from './protobuf-wire.ts'

/** Where a statement runs: google.spanner.v1.TransactionSelector. */
export type TransactionSelector =
  | { readonly kind: 'single-use' }
  | { readonly kind: 'id'; readonly id: Buffer }
  | { readonly kind: 'begin'; readonly options: Buffer }

/** google.spanner.v1.TransactionOptions of a strong read-only transaction: read_only = 2 { strong = 1 }. */
export const READ_ONLY_OPTIONS: Buffer = Buffer.from([0x12, 0x02, 0x08, 0x01])

/** SERIALIZABLE with PESSIMISTIC locks, Spanner's defaults: an empty read_write = 1. */
const SERIALIZABLE_OPTIONS: Buffer = Buffer.from([0x0a, 0x00])

/** read_write = 1 { read_lock_mode = 1: PESSIMISTIC = 1 }, isolation_level = 6: REPEATABLE_READ = 2. */
const REPEATABLE_READ_OPTIONS: Buffer = Buffer.from([0x0a, 0x02, 0x08, 0x01, 0x30, 0x02])

/** google.spanner.v1.TransactionOptions of a read-write transaction. */
export function readWriteOptions(isolation: 'serializable' | 'repeatable-read'): Buffer {
  return isolation === 'serializable' ? SERIALIZABLE_OPTIONS : REPEATABLE_READ_OPTIONS
}

export interface ExecuteSqlFields {
  readonly session: string
  readonly selector: TransactionSelector
  readonly statement: SpannerStatement
  readonly resumeToken?: Buffer | undefined
  /** Only DML has one. */
  readonly seqno?: number | undefined
  readonly isLast?: boolean | undefined
  readonly transactionTag?: string | undefined
  /** Plans without executing: parameters may be left out. */
  readonly isPlanOnly?: boolean | undefined
}

/** google.spanner.v1.ExecuteSqlRequest; parameters are named p1, p2 ... as $1, $2 ... are in the PostgreSQL dialect. */
export function encodeExecuteSql(fields: ExecuteSqlFields): Buffer {
  const writer = new ProtoWriter(256 + fields.statement.sql.length)
  writer.textField(1, fields.session)
  writer.bytesField(2, encodeSelector(fields.selector))
  writer.textField(3, fields.statement.sql)
  writeParams(writer, fields.statement.params, 4, 5)
  if (fields.resumeToken !== undefined) writer.bytesField(6, fields.resumeToken)
  writer.uintField(7, fields.isPlanOnly === true ? 1 : 0)
  writer.uintField(9, fields.seqno ?? 0)
  writeRequestOptions(writer, 11, fields.transactionTag)
  writer.boolField(17, fields.isLast === true)
  return writer.finish()
}

export interface ExecuteBatchDmlFields {
  readonly session: string
  readonly selector: TransactionSelector
  readonly statements: readonly SpannerStatement[]
  readonly seqno: number
  readonly isLast?: boolean | undefined
  readonly transactionTag?: string | undefined
}

/** google.spanner.v1.ExecuteBatchDmlRequest. */
export function encodeExecuteBatchDml(fields: ExecuteBatchDmlFields): Buffer {
  const writer = new ProtoWriter(1024)
  writer.textField(1, fields.session)
  writer.bytesField(2, encodeSelector(fields.selector))
  for (const statement of fields.statements) {
    const inner = new ProtoWriter(128 + statement.sql.length)
    inner.textField(1, statement.sql)
    writeParams(inner, statement.params, 2, 3)
    writer.bytesField(3, inner.finish())
  }
  writer.uintField(4, fields.seqno)
  writeRequestOptions(writer, 5, fields.transactionTag)
  writer.boolField(6, fields.isLast === true)
  return writer.finish()
}

export interface CommitFields {
  readonly session: string
  readonly transactionId: Buffer
  readonly transactionTag?: string | undefined
  /** Encoded google.spanner.v1.MultiplexedSessionPrecommitToken. */
  readonly precommitToken?: Buffer | undefined
}

/** google.spanner.v1.CommitRequest, without mutations. */
export function encodeCommit(fields: CommitFields): Buffer {
  const writer = new ProtoWriter(256)
  writer.textField(1, fields.session)
  writer.bytesField(2, fields.transactionId)
  writeRequestOptions(writer, 6, fields.transactionTag)
  if (fields.precommitToken !== undefined) writer.bytesField(9, fields.precommitToken)
  return writer.finish()
}

/** google.spanner.v1.RollbackRequest. */
export function encodeRollback(session: string, transactionId: Buffer): Buffer {
  return new ProtoWriter(128).textField(1, session).bytesField(2, transactionId).finish()
}

/** google.spanner.v1.BeginTransactionRequest. */
export function encodeBeginTransaction(session: string, options: Buffer): Buffer {
  return new ProtoWriter(128).textField(1, session).bytesField(2, options).finish()
}

function encodeSelector(selector: TransactionSelector): Buffer {
  const writer = new ProtoWriter(64)
  switch (selector.kind) {
    case 'single-use':
      return writer.bytesField(1, READ_ONLY_OPTIONS).finish()
    case 'id':
      return writer.bytesField(2, selector.id).finish()
    case 'begin':
      return writer.bytesField(3, selector.options).finish()
  }
}

/** `params` is a Struct { map<string, Value> fields = 1 }; `param_types` a map<string, Type>; map entries are key = 1, value = 2. */
function writeParams(
  writer: ProtoWriter,
  params: readonly SpannerParam[],
  paramsField: number,
  typesField: number,
): void {
  if (params.length === 0) return
  const struct = new ProtoWriter(64 * params.length)
  params.forEach((param, index) => {
    struct.bytesField(1, mapEntry(`p${index + 1}`, param.value))
  })
  writer.bytesField(paramsField, struct.finish())
  params.forEach((param, index) => {
    writer.bytesField(typesField, mapEntry(`p${index + 1}`, encodeType(param.type)))
  })
}

function mapEntry(key: string, value: Buffer): Buffer {
  return new ProtoWriter(32 + value.length).textField(1, key).bytesField(2, value).finish()
}

function writeRequestOptions(writer: ProtoWriter, field: number, tag: string | undefined): void {
  if (tag !== undefined) writer.bytesField(field, new ProtoWriter(64).textField(3, tag).finish())
}

const encodedTypes = new Map<string, Buffer>()

/** google.spanner.v1.Type: code = 1, array_element_type = 2, type_annotation = 4. */
function encodeType(type: SpannerType): Buffer {
  const key = typeKey(type)
  const known = encodedTypes.get(key)
  if (known !== undefined) return known
  const writer = new ProtoWriter(16).uintField(1, TYPE_CODE[type.code])
  if (type.element !== undefined) writer.bytesField(2, encodeType(type.element))
  if (type.annotation !== undefined) writer.uintField(4, TYPE_ANNOTATION[type.annotation])
  const encoded = writer.finish()
  encodedTypes.set(key, encoded)
  return encoded
}

function typeKey(type: SpannerType): string {
  return `${type.code} ${type.annotation ?? ''}${type.element === undefined ? '' : ` ${typeKey(type.element)}`}`
}
