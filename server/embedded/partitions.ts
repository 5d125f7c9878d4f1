import { createHash } from 'node:crypto'
import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { GrpcStatus } from './grpc-status.ts'
import { encodeTransaction } from './spanner-answers.ts'
import type { ExecuteSqlRequest } from './spanner-requests.ts'
import type { CachedStatement } from './statement-cache.ts'
import type { ServerTransaction } from './transaction.ts'

/*
 * A partitioned query or read has one partition here: all of it. Its token is good for the statement that it was made for, in the
 * read-only transaction that it was made in.
 */

/** The token of the one partition. */
function tokenOf(request: ExecuteSqlRequest, transactionId: string): Buffer {
  const hash = createHash('sha256').update(`${transactionId}\0${request.sql}`)
  for (const [name, value] of [...request.params].sort(([left], [right]) =>
    left < right ? -1 : 1,
  ))
    hash.update(`\0${name}\0`).update(value)
  return hash.digest()
}

/** Throws INVALID_ARGUMENT for a token of another statement or transaction. */
export function checkPartitionToken(request: ExecuteSqlRequest): void {
  if (request.partitionToken.length === 0) return
  const { transaction } = request
  if (transaction.kind === 'id' && tokenOf(request, transaction.id).equals(request.partitionToken))
    return
  throw new GrpcStatus(
    GRPC.INVALID_ARGUMENT,
    'The partition token does not belong to this statement and transaction.',
  )
}

/** The emulator's hint for a query that it would not take otherwise. */
const NO_CHECK = /\bspanner_emulator\.disable_query_partitionability_check\s*=\s*true\b/i

/** Throws INVALID_ARGUMENT where the emulator does not take a described query for PartitionQuery. */
export function refuseUnpartitionable(statement: CachedStatement, sql: string): void {
  const { acceptance, description } = statement
  if (acceptance.profile === 'production' || description?.isPartitionable !== false) return
  if (NO_CHECK.test(sql)) return
  throw new GrpcStatus(
    GRPC.INVALID_ARGUMENT,
    'The emulator is not able to determine whether this query is partitionable. A query is partitionable only if the first operator in the query execution plan is a Distributed Union. Set the hint @{spanner_emulator.disable_query_partitionability_check=true} on the query statement to bypass this check.',
  )
}

/** Fields of PartitionQueryRequest and PartitionReadRequest that hold google.spanner.v1.PartitionOptions. */
export const PARTITION_OPTIONS = { query: 6, read: 9 } as const

/** Throws INVALID_ARGUMENT for a negative size or number of partitions. */
export function checkPartitionOptions(request: Buffer, field: number): void {
  const reader = new ProtoReader(request)
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 !== field) {
      reader.skip(tag)
      continue
    }
    const options = reader.message()
    while (options.hasMore) {
      const option = options.tag()
      if (options.int64() < 0n)
        throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `${OPTION_NAMES[option >>> 3]} is negative.`)
    }
  }
}

const OPTION_NAMES: Readonly<Record<number, string>> = {
  1: 'partition_size_bytes',
  2: 'max_partitions',
}

/** google.spanner.v1.PartitionResponse, once it is clear that the statement could run. Throws what is wrong with it. */
export async function partition(
  request: ExecuteSqlRequest,
  transaction: ServerTransaction | undefined,
  signal: AbortSignal,
): Promise<Buffer> {
  if (transaction?.mode !== 'read-only') {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Partition operations can only be performed in a read-only transaction.',
    )
  }
  if (request.transaction.kind === 'begin') await transaction.begin(signal)
  const sink = { start: () => undefined, row: () => undefined, end: () => undefined }
  await transaction.execute(request, { sink, signal, isLast: false, isPlanOnly: true })
  const answer = new ProtoWriter().message(
    1,
    new ProtoWriter().bytes(1, tokenOf(request, transaction.id)).take(),
  )
  if (request.transaction.kind === 'begin') answer.message(2, encodeTransaction(transaction))
  return answer.take()
}
