import type {
  DirectedRead,
  RequestOptions,
  SpannerParam,
  SpannerStatement,
} from '../backend/backend.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { type SpannerType, TYPE_ANNOTATION, TYPE_CODE } from '../types/spanner-type.ts'
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
  writer.string(1, fields.session)
  writer.message(2, encodeSelector(fields.selector))
  writer.string(3, fields.statement.sql)
  writeParams(writer, fields.statement.params, 4, 5)
  if (fields.resumeToken !== undefined) writer.bytes(6, fields.resumeToken)
  writer.uint(7, fields.isPlanOnly === true ? 1 : 0)
  writer.uint(9, fields.seqno ?? 0)
  writeQueryOptions(writer, fields.requestOptions)
  writeRequestOptions(writer, 11, fields)
  if (fields.requestOptions?.directedRead !== undefined) {
    writer.message(15, encodeDirectedRead(fields.requestOptions.directedRead))
  }
  writer.bool(17, fields.isLast === true)
  return writer.take()
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
  writer.string(1, fields.session)
  writer.message(2, encodeSelector(fields.selector))
  for (const statement of fields.statements) {
    const inner = new ProtoWriter(128 + statement.sql.length)
    inner.string(1, statement.sql)
    writeParams(inner, statement.params, 2, 3)
    writer.message(3, inner.take())
  }
  writer.uint(4, fields.seqno)
  writeRequestOptions(writer, 5, fields)
  writer.bool(6, fields.isLast === true)
  return writer.take()
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
  writer.string(1, fields.session)
  writer.bytes(2, fields.transactionId)
  writer.bool(5, fields.returnCommitStats === true)
  writeRequestOptions(writer, 6, fields)
  if (fields.maxCommitDelayMs !== undefined) {
    writer.message(8, encodeDuration(BigInt(Math.round(fields.maxCommitDelayMs * 1e6))))
  }
  if (fields.precommitToken !== undefined) writer.message(9, fields.precommitToken)
  return writer.take()
}

/** google.spanner.v1.RollbackRequest. */
export function encodeRollback(session: string, transactionId: Buffer): Buffer {
  return new ProtoWriter(128).string(1, session).bytes(2, transactionId).take()
}

/** google.spanner.v1.BeginTransactionRequest. */
export function encodeBeginTransaction(session: string, options: Buffer): Buffer {
  return new ProtoWriter(128).string(1, session).message(2, options).take()
}

function encodeSelector(selector: TransactionSelector): Buffer {
  const writer = new ProtoWriter(64)
  switch (selector.kind) {
    case 'single-use':
      return writer.message(1, selector.options).take()
    case 'id':
      return writer.bytes(2, selector.id).take()
    case 'begin':
      return writer.message(3, selector.options).take()
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
    struct.message(1, mapEntry(`p${index + 1}`, param.value))
  })
  writer.message(paramsField, struct.take())
  params.forEach((param, index) => {
    writer.message(typesField, mapEntry(`p${index + 1}`, encodeType(param.type)))
  })
}

function mapEntry(key: string, value: Buffer): Buffer {
  return new ProtoWriter(32 + value.length).string(1, key).message(2, value).take()
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
    .uint(1, priority === undefined ? 0 : PRIORITY[priority])
    .string(2, requestTag ?? '')
    .string(3, transactionTag ?? '')
  writer.message(field, options.take())
}

/** google.spanner.v1.ExecuteSqlRequest.QueryOptions: optimizer_version = 1, optimizer_statistics_package = 2. */
function writeQueryOptions(writer: ProtoWriter, options: RequestOptions | undefined): void {
  const { optimizerVersion = '', optimizerStatisticsPackage = '' } = options ?? {}
  if (optimizerVersion === '' && optimizerStatisticsPackage === '') return
  const query = new ProtoWriter(64)
    .string(1, optimizerVersion)
    .string(2, optimizerStatisticsPackage)
  writer.message(10, query.take())
}

const REPLICA_TYPE = { READ_WRITE: 1, READ_ONLY: 2 } as const

/** google.spanner.v1.DirectedReadOptions: include_replicas = 1, exclude_replicas = 2, both with replica_selections = 1. */
function encodeDirectedRead(directed: DirectedRead): Buffer {
  const replicas = new ProtoWriter(64)
  for (const { location, type } of directed.selections) {
    const selection = new ProtoWriter(64)
      .string(1, location ?? '')
      .uint(2, type === undefined ? 0 : REPLICA_TYPE[type])
    replicas.message(1, selection.take())
  }
  const isInclusion = directed.kind === 'include'
  if (isInclusion) replicas.bool(2, directed.autoFailoverDisabled)
  return new ProtoWriter(96).message(isInclusion ? 1 : 2, replicas.take()).take()
}

const encodedTypes = new Map<string, Buffer>()

/** google.spanner.v1.Type: code = 1, array_element_type = 2, type_annotation = 4. */
function encodeType(type: SpannerType): Buffer {
  const key = typeKey(type)
  const known = encodedTypes.get(key)
  if (known !== undefined) return known
  const writer = new ProtoWriter(16).uint(1, TYPE_CODE[type.code])
  if (type.element !== undefined) writer.message(2, encodeType(type.element))
  if (type.annotation !== undefined) writer.uint(4, TYPE_ANNOTATION[type.annotation])
  const encoded = writer.take()
  encodedTypes.set(key, encoded)
  return encoded
}

function typeKey(type: SpannerType): string {
  return `${type.code} ${type.annotation ?? ''}${type.element === undefined ? '' : ` ${typeKey(type.element)}`}`
}
