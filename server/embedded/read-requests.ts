import { status as GRPC } from '@grpc/grpc-js'
import { GrpcStatus } from './grpc-status.ts'
import { type KeySet, keySetCondition, Parameters, readKeySet } from './key-set.ts'
import { ProtoReader } from './protobuf.ts'
import { type ExecuteSqlRequest, QUERY_MODE, readSelector, SINGLE_USE } from './spanner-requests.ts'
import { mustFindColumn, quoteIdentifier, type TableShape } from './table-shape.ts'

/** google.spanner.v1.ReadRequest. */
export interface ReadRequest
  extends Pick<ExecuteSqlRequest, 'session' | 'transaction' | 'resumeToken' | 'partitionToken'> {
  readonly table: string
  /** Empty: the primary key. */
  readonly index: string
  readonly columns: readonly string[]
  readonly keySet: KeySet
  /** 0: no limit. */
  readonly limit: bigint
}

const NO_KEYS: KeySet = { keys: [], ranges: [], isAll: false }

export function readReadRequest(bytes: Buffer): ReadRequest {
  const reader = new ProtoReader(bytes)
  const texts = new Map<number, string>()
  const columns: string[] = []
  let transaction = SINGLE_USE
  let keySet = NO_KEYS
  let limit = 0n
  let resumeToken: Buffer = Buffer.alloc(0)
  let partitionToken: Buffer = Buffer.alloc(0)
  while (reader.hasMore) {
    const tag = reader.tag()
    const field = tag >>> 3
    if (field === 1 || field === 3 || field === 4) texts.set(field, reader.string())
    else if (field === 2) transaction = readSelector(reader.message())
    else if (field === 5) columns.push(reader.string())
    else if (field === 6) keySet = readKeySet(reader.message())
    else if (field === 8) limit = reader.int64()
    else if (field === 9) resumeToken = reader.bytes()
    else if (field === 10) partitionToken = reader.bytes()
    else reader.skip(tag)
  }
  return {
    session: texts.get(1) ?? '',
    table: texts.get(3) ?? '',
    index: texts.get(4) ?? '',
    transaction,
    columns,
    keySet,
    limit,
    resumeToken,
    partitionToken,
  }
}

/** A read as the query that it is: rows in the order of the key, each once. Throws INVALID_ARGUMENT, NOT_FOUND. */
export function readAsQuery(request: ReadRequest, table: TableShape): ExecuteSqlRequest {
  if (request.columns.length === 0) {
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Read request must name at least one column.')
  }
  if (request.limit < 0n) throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Read limit is negative.')
  const columns = request.columns.map((name) => quoteIdentifier(mustFindColumn(table, name).name))
  const params = new Parameters()
  const condition = keySetCondition(table, request.keySet, params)
  const order = table.key.map(
    (part) => `${quoteIdentifier(part.name)}${part.isDescending ? ' DESC' : ''}`,
  )
  const limit = request.limit === 0n ? '' : ` LIMIT ${request.limit}`
  const sql = `SELECT ${columns.join(', ')} FROM ${table.sql} WHERE ${condition} ORDER BY ${order.join(', ')}${limit}`
  return {
    ...params.request(sql),
    session: request.session,
    transaction: request.transaction,
    resumeToken: request.resumeToken,
    queryMode: QUERY_MODE.normal,
    seqno: 0n,
    lastStatement: false,
    partitionToken: request.partitionToken,
  }
}
