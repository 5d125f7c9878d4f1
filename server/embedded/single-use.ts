import { setTimeout as sleep } from 'node:timers/promises'
import { status as GRPC } from '@grpc/grpc-js'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import type { EmbeddedDatabase } from './database.ts'
import { GrpcStatus } from './grpc-status.ts'
import { encodeTimestamp } from './spanner-answers.ts'
import type { SqlRequest, TransactionOptions } from './spanner-requests.ts'
import { encodeMetadata } from './statement-cache.ts'
import { describe, type RunOptions, runStatement } from './statement-run.ts'

/** How far ahead a read timestamp may lie: it is waited for (Spanner's own deadline of a call). */
const FUTURE_LIMIT_MS = 3_600_000

/** Runs a query outside any transaction: one statement of PostgreSQL, whose snapshot it is. Throws GrpcStatus. */
export async function runSingleUse(
  database: EmbeddedDatabase,
  request: SqlRequest,
  options: RunOptions & { readonly transaction: TransactionOptions },
): Promise<void> {
  const statement = database.statements.get(request)
  if (options.transaction.mode !== 'read-only') {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'Transaction mode for read only single use transaction should be read_only.',
    )
  }
  if (statement.kind === 'dml') {
    throw new GrpcStatus(
      GRPC.INVALID_ARGUMENT,
      'DML statements may not be performed in single-use transactions, to avoid replay.',
    )
  }
  await awaitTimestampBound(database, options.transaction, options.signal)
  const transaction = options.transaction.returnReadTimestamp
    ? new ProtoWriter().message(2, encodeTimestamp(Date.now() * 1000)).take()
    : undefined
  const connection = await database.reads.acquire()
  try {
    const run = { connection, statement, request, prelude: [], signal: options.signal }
    if (options.isPlanOnly) {
      await describe(run)
      if (statement.description !== undefined) {
        options.sink.start(encodeMetadata(statement.description, request, transaction), [])
      }
    } else {
      await runStatement(run, {
        sink: options.sink,
        start: (description) =>
          options.sink.start(
            encodeMetadata(description, request, transaction),
            description.columns,
          ),
      })
    }
  } catch (error) {
    throw await database.mapError(error)
  } finally {
    database.reads.release(connection)
  }
  await options.sink.end(undefined)
}

/**
 * PostgreSQL has one past: the present. A bound that the current snapshot satisfies is served with it, a later moment when it has come; an older
 * one only where nothing has been committed since. Throws FAILED_PRECONDITION otherwise, DEADLINE_EXCEEDED for one that is more than an hour ahead,
 * and the signal's reason where that aborts.
 */
export async function awaitTimestampBound(
  database: EmbeddedDatabase,
  options: TransactionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { bound } = options
  if (bound.kind === 'strong' || bound.kind === 'max-staleness') return
  const nowMs = Date.now()
  const micros =
    bound.kind === 'exact-staleness' ? nowMs * 1000 - Number(bound.micros) : Number(bound.micros)
  if (micros > nowMs * 1000) return awaitMoment(micros / 1000, signal)
  if (bound.kind === 'min-read-timestamp') return
  if (database.lastCommitMicros <= micros) return
  throw new GrpcStatus(
    GRPC.FAILED_PRECONDITION,
    `Read at timestamp ${new Date(micros / 1000).toISOString()} is not possible: older versions of data are not kept.`,
  )
}

async function awaitMoment(atMs: number, signal: AbortSignal): Promise<void> {
  if (atMs > Date.now() + FUTURE_LIMIT_MS) {
    throw new GrpcStatus(
      GRPC.DEADLINE_EXCEEDED,
      `Read-only transaction timestamp ${new Date(atMs).toISOString()} is more than 1 hour in future. This request will execute for longer than the configured Cloud Spanner server deadline of 1 hour and will return with the DEADLINE_EXCEEDED error.`,
    )
  }
  // A timer may fire a little early.
  while (Date.now() < atMs) {
    await sleep(Math.ceil(atMs - Date.now()), undefined, { signal }).catch(() => {
      throw signal.reason
    })
  }
}
