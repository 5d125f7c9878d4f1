import { createHash } from 'node:crypto'
import { status as GRPC } from '@grpc/grpc-js'
import { LruCache } from '../base/lru-cache.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { ExecuteSqlRequest } from './spanner-requests.ts'

/** How many partitioned DML transactions of a database are remembered. */
const REMEMBERED = 1_000

/** Which statement partitioned DML transactions have run: each is there for one, which may be asked for again. */
export class PartitionedStatements {
  readonly #statements = new LruCache<string, string>(REMEMBERED)

  /** Throws INVALID_ARGUMENT where the transaction has run another. */
  claim(id: string, request: ExecuteSqlRequest): void {
    const wanted = fingerprintOf(request)
    const known = this.#statements.get(id)
    if (known !== undefined && known !== wanted)
      throw new GrpcStatus(
        GRPC.INVALID_ARGUMENT,
        'PartitionedDml transaction may only be used to execute one statement',
      )
    this.#statements.set(id, wanted)
  }

  /** The statement has failed: another may take its place. */
  release(id: string): void {
    this.#statements.delete(id)
  }
}

function fingerprintOf({ seqno, sql, params }: ExecuteSqlRequest): string {
  const hash = createHash('sha256').update(`${seqno} ${sql}`)
  for (const [name, value] of params) hash.update(`\0${name} ${value.length} `).update(value)
  return hash.digest('base64')
}
