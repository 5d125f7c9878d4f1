import type { RequestOptions, SpannerParam, SpannerStatement } from '../backend/backend.ts'
import { type SpannerType, TYPE_ANNOTATION, TYPE_CODE } from '../types/spanner-type.ts'
import { ProtoWriter } from './protobuf-wire.ts'
import { encodeDuration } from './timestamp.ts'

/** Where a statement runs: google.spanner.v1.TransactionSelector; options are encoded (transaction-options.ts). */
export type TransactionSelector =
  | { readonly kind: 'single-use'; readonly options: Buffer }
  | { readonly kind: 'id'; readonly id: Buffer }
  | { readonly kind: 'begin'; readonly options: Buffer }

interface TaggedFields {
  readonly transactionTag?: string | undefined
  readonly requestOptions?: RequestOptions | undefined
}

export interface ExecuteSqlFields extends TaggedFields {
  readonly session: string
  readonly selector: TransactionSelector
  readonly statement: SpannerStatement
  readonly resumeToken?: Buffer | undefined
  /** Only DML has one. */
  readonly seqno?: number | undefined
  readonly isLast?: boolean | undefined
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
  writeRequestOptions(writer, 11, fields)
  writer.boolField(17, fields.isLast === true)
  return writer.finish()
}

export interface ExecuteBatchDmlFields extends TaggedFields {
  readonly session: string
  readonly selector: TransactionSelector
  readonly statements: readonly SpannerStatement[]
  readonly seqno: number
  readonly isLast?: boolean | undefined
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
  writeRequestOptions(writer, 5, fields)
  writer.boolField(6, fields.isLast === true)
  return writer.finish()
}

export interface CommitFields extends TaggedFields {
  readonly session: string
  readonly transactionId: Buffer
  /** Encoded google.spanner.v1.MultiplexedSessionPrecommitToken. */
  readonly precommitToken?: Buffer | undefined
  readonly maxCommitDelayMs?: number | undefined
  readonly returnCommitStats?: boolean | undefined
}

/** google.spanner.v1.CommitRequest, without mutations. */
export function encodeCommit(fields: CommitFields): Buffer {
  const writer = new ProtoWriter(256)
  writer.textField(1, fields.session)
  writer.bytesField(2, fields.transactionId)
  writer.boolField(5, fields.returnCommitStats === true)
  writeRequestOptions(writer, 6, fields)
  if (fields.maxCommitDelayMs !== undefined) {
    writer.bytesField(8, encodeDuration(BigInt(Math.round(fields.maxCommitDelayMs * 1e6))))
  }
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
      return writer.bytesField(1, selector.options).finish()
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

const PRIORITY = { low: 1, medium: 2, high: 3 } as const

/** google.spanner.v1.RequestOptions: priority = 1, request_tag = 2, transaction_tag = 3. */
function writeRequestOptions(
  writer: ProtoWriter,
  field: number,
  { requestOptions, transactionTag }: TaggedFields,
): void {
  if (requestOptions === undefined && transactionTag === undefined) return
  const { priority, requestTag } = requestOptions ?? {}
  const options = new ProtoWriter(64)
    .uintField(1, priority === undefined ? 0 : PRIORITY[priority])
    .textField(2, requestTag ?? '')
    .textField(3, transactionTag ?? '')
  writer.bytesField(field, options.finish())
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
