import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import { GrpcStatus, missingField } from './grpc-status.ts'
import { type KeySet, keySetCondition, Parameters, readKeySet } from './key-set.ts'
import { type ExecuteSqlRequest, QUERY_MODE, readSelector, SINGLE_USE } from './spanner-requests.ts'
import { mustFindColumn, quoteIdentifier, type TableShape } from './table-shape.ts'

/** google.spanner.v1.ReadRequest. */
export interface ReadRequest
  extends Pick<
    ExecuteSqlRequest,
    'session' | 'transaction' | 'resumeToken' | 'partitionToken' | 'isDirected'
  > {
  readonly table: string
  /** Empty: the primary key. */
  readonly index: string
  readonly columns: readonly string[]
  readonly keySet: KeySet
  /** 0: no limit. */
  readonly limit: bigint
}

/** Throws INVALID_ARGUMENT where there is no key set, be it an empty one. */
export function readReadRequest(bytes: Buffer): ReadRequest {
  const reader = new ProtoReader(bytes)
  const texts = new Map<number, string>()
  const columns: string[] = []
  let transaction = SINGLE_USE
  let keySet: KeySet | undefined
  let limit = 0n
  let isDirected = false
  let resumeToken: Buffer = Buffer.alloc(0)
  let partitionToken: Buffer = Buffer.alloc(0)
  while (reader.hasMore) {
    const tag = reader.tag()
    switch (tag >>> 3) {
      case 1:
      case 3:
      case 4:
        texts.set(tag >>> 3, reader.string())
        break
      case 2:
        transaction = readSelector(reader.message())
        break
      case 5:
        columns.push(reader.string())
        break
      case 6:
        keySet = readKeySet(reader.message())
        break
      case 8:
        limit = reader.int64()
        break
      case 9:
        resumeToken = reader.bytes()
        break
      case 10:
        partitionToken = reader.bytes()
        break
      case 14:
        isDirected = reader.bytes().length > 0
        break
      default:
        reader.skip(tag)
    }
  }
  if (keySet === undefined) throw missingField('ReadRequest.key_set')
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
    isDirected,
  }
}

/** A read as the query that it is: rows in the order of the key, each once. Throws INVALID_ARGUMENT, NOT_FOUND. */
export function readAsQuery(request: ReadRequest, table: TableShape): ExecuteSqlRequest {
  if (request.columns.length === 0) {
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Read request must name at least one column.')
  }
  if (request.limit < 0n) throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'Read limit is negative.')
  const columns = request.columns.map((name) => quoteIdentifier(mustFindHeld(request, table, name)))
  const params = new Parameters()
  const inKeySet = keySetCondition(table, request.keySet, params)
  const condition = table.heldRows === undefined ? inKeySet : `(${inKeySet}) AND ${table.heldRows}`
  const order = [
    ...table.key.map(
      ({ name, isDescending, areNullsFirst }) =>
        `${quoteIdentifier(name)} ${isDescending ? 'DESC' : 'ASC'} NULLS ${areNullsFirst ? 'FIRST' : 'LAST'}`,
    ),
    ...table.rest.map((column) => quoteIdentifier(column.name)),
  ]
  const limit = request.limit === 0n ? '' : ` LIMIT ${request.limit}`
  const sql = `SELECT ${columns.join(', ')} FROM ${table.sql} WHERE ${condition} ORDER BY ${order.join(', ')}${limit}`
  return {
    ...params.request(sql),
    isRead: true,
    session: request.session,
    transaction: request.transaction,
    resumeToken: request.resumeToken,
    queryMode: QUERY_MODE.normal,
    seqno: 0n,
    lastStatement: false,
    partitionToken: request.partitionToken,
    isDirected: request.isDirected,
  }
}

/** The name of a column that the index of a read holds, or the table. */
function mustFindHeld(request: ReadRequest, table: TableShape, name: string): string {
  const column = mustFindColumn(table, name)
  if (column.isHeld) return column.name
  throw new GrpcStatus(
    GRPC.NOT_FOUND,
    `Index '${request.index}' which indexes '${request.table}' does not have a column named ${name}. Reads with an index can only query columns present in the index.`,
  )
}
