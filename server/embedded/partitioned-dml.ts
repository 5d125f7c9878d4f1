import { randomBytes } from 'node:crypto'
import { status as GRPC } from '@grpc/grpc-js'
import { PgError } from '../base/pg-error.ts'
import type { EmbeddedDatabase } from './database.ts'
import { endsTransaction } from './error-texts.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { Session } from './session.ts'
import { encodeLowerBoundStats } from './spanner-answers.ts'
import type { ExecuteSqlRequest } from './spanner-requests.ts'
import { encodeMetadata } from './statement-cache.ts'
import { describe, type RunOptions, runStatement } from './statement-run.ts'

const ATTEMPTS = 20

/** The id of a partitioned DML transaction: it tells itself whose it is. */
export function newPartitionedId(session: Session): string {
  return `${prefixOf(session)}${randomBytes(8).toString('hex')}`
}

/** Whether an id is that of a partitioned DML transaction of a session. */
export function ownsPartitioned(session: Session, id: string): boolean {
  return id.startsWith(prefixOf(session))
}

function prefixOf({ name }: Session): string {
  return `pd-${name.slice(name.lastIndexOf('/') + 1)}-`
}

/** What Spanner cannot cut into pieces that each change rows of their own. */
function notPartitionable(): GrpcStatus {
  return new GrpcStatus(
    GRPC.INVALID_ARGUMENT,
    'Partitioned DML statements must be fully partitionable: they have no subqueries, and return no rows.',
  )
}

/** Runs the statement of a partitioned DML transaction. Throws GrpcStatus. */
export async function runPartitionedDml(
  database: EmbeddedDatabase,
  request: ExecuteSqlRequest,
  options: RunOptions,
): Promise<void> {
  // Begun by its statement, it has none but this.
  const id = request.transaction.kind === 'id' ? request.transaction.id : undefined
  if (id === undefined) return runAsPartition(database, request, options)
  database.partitioned.claim(id, request)
  try {
    await runAsPartition(database, request, options)
  } catch (error) {
    database.partitioned.release(id)
    throw error
  }
}

/** Here there is one partition, which is a transaction of its own, tried again where it collides. */
async function runAsPartition(
  database: EmbeddedDatabase,
  request: ExecuteSqlRequest,
  options: RunOptions,
): Promise<void> {
  const statement = database.statements.get(request)
  if (/^\s*insert/i.test(statement.sql)) {
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'INSERT is not supported for Partitioned DML')
  }
  if (statement.kind !== 'dml') {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Only DML statements are supported in a partitioned DML transaction.',
    )
  }
  for (let attempt = 1; ; attempt++) {
    const connection = await database.acquire('read-write')
    database.commitBegins()
    try {
      const run = { connection, statement, request, prelude: [], signal: options.signal }
      await describe(run)
      const { description } = statement
      if (description?.isPartitionable !== true) throw notPartitionable()
      if (options.isPlanOnly) {
        options.sink.start(encodeMetadata(description, request, undefined), [])
        await options.sink.end(encodeLowerBoundStats(0))
        return
      }
      const count = await runStatement(run, {
        sink: options.sink,
        start: (found) =>
          options.sink.start(encodeMetadata(found, request, undefined), found.columns),
      })
      // Reads of an older moment are not possible any more.
      database.nextTimestamp()
      await options.sink.end(encodeLowerBoundStats(count))
      return
    } catch (error) {
      const mayPass = error instanceof PgError && endsTransaction(error) && attempt < ATTEMPTS
      if (!mayPass) throw await database.mapError(error)
    } finally {
      database.commitEnds()
      database.release('read-write', connection)
    }
  }
}
