import { BackendError } from '../backend/backend-error.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { relationKey } from '../schema/declared-object.ts'
import { writeCopyInResponse } from '../wire/backend-messages.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { BINARY_FORMAT } from '../wire/field-description.ts'
import { typeByte } from '../wire/frontend-bodies.ts'
import type { FrontendMessage, UnreadableMessage } from '../wire/frontend-message.ts'
import type { RowSink } from './answer.ts'
import { mustBe, SynchronizationLost } from './client-error.ts'
import { copyWriter } from './copy-insert.ts'
import { copyContext, countLines } from './copy-lines.ts'
import { type CopyTarget, copyTarget, scratchPreparation, selectTarget } from './copy-target.ts'
import type { CopyRun } from './run-copy.ts'
import { beforeRows } from './run-ddl.ts'
import type { SessionState } from './session-state.ts'
import { type RowFailure, writeRows } from './write-rows.ts'

/** What one COPY may bring. Its rows are read back from the scratch database in one answer, and go to Spanner in one transaction. */
const MAX_DATA_BYTES = 24 * 1024 * 1024

/**
 * COPY FROM STDIN: a scratch database's PostgreSQL reads the data into a table of the same name (its formats, options and errors
 * are PostgreSQL's own), and the rows go on to Spanner as INSERTs in the client's transaction. Resolves to their number.
 */
export async function copyFrom(state: SessionState, run: CopyRun, sink: RowSink): Promise<bigint> {
  const target = await copyTarget(state, mustBe(run.command.table))
  await beforeRows(state)
  const { declared } = state.database.schema
  const request = {
    schema: { version: state.schema.version, declared: state.ddl?.inSpanner?.declared ?? declared },
    keys: [relationKey(target)],
    text: run.statement.text,
    paramTypes: [],
    session: state.context(),
    signal: state.scope.signal,
  }
  const { format, columns } = await state.database.scratch.probeCopy(request)
  writeCopyInResponse(sink.output, format, columns)
  await sink.flush()
  // What is no table is refused before the data is read.
  const data = target.kind === 'r' ? await receiveData(state, run, target) : []
  const { rows, error } = await state.database.scratch.run({
    ...request,
    tables: [
      {
        before: scratchPreparation(
          target,
          run.command.options.freeze && isTruncated(state, target),
        ),
        copy: run.statement.text,
        data,
        rowCount: countLines(data),
      },
    ],
    text: `${selectTarget(target)} ORDER BY ctid`,
    paramFormats: [],
    params: [],
    resultFormats: [BINARY_FORMAT],
  })
  if (error !== undefined) throw error
  const values = rows.map(splitDataRow)
  const { failure } = await writeRows(state, {
    writer: copyWriter(target),
    rows: values,
    isSole: run.isSole,
  })
  if (failure !== undefined) throw withLine(failure, { run, target, data })
  return BigInt(values.length)
}

/** Whether the table was emptied in the transaction, or the savepoint, that is under way. */
function isTruncated({ truncations, block }: SessionState, { oid }: CopyTarget): boolean {
  return truncations.levelOf(oid) === block.savepointLevel
}

/** Collects CopyData until CopyDone. Flush and Sync mean nothing meanwhile (CopyGetData of src/backend/commands/copyfromparse.c). */
async function receiveData(
  state: SessionState,
  run: CopyRun,
  target: CopyTarget,
): Promise<readonly Buffer[]> {
  const data: Buffer[] = []
  let sizeBytes = 0
  for (;;) {
    const message = await state.io.next()
    state.scope.signal.throwIfAborted()
    if (message === undefined) {
      throw new PgError(
        SQL_STATE.connectionFailure,
        'unexpected EOF on client connection with an open transaction',
      )
    }
    switch (message.kind) {
      case 'CopyData':
        data.push(message.data)
        sizeBytes += message.data.length
        if (sizeBytes > MAX_DATA_BYTES) throw tooMuch()
        break
      case 'CopyDone':
        return data
      case 'Flush':
      case 'Sync':
        break
      case 'CopyFail':
        throw new PgError(SQL_STATE.queryCanceled, `COPY from stdin failed: ${message.reason}`, {
          where: placeOfNext(run, target, data),
        })
      default:
        throw unexpectedMessage(message, placeOfNext(run, target, data))
    }
  }
}

/** The line that would have come next. */
function placeOfNext(run: CopyRun, target: CopyTarget, data: readonly Buffer[]): string {
  const line = run.command.options.format === 'binary' ? 0 : countLines(data) + 1
  return `COPY ${target.name}, line ${line}`
}

/**
 * PostgreSQL has read no more than the type of the message: the connection is over (src/backend/tcop/postgres.c, PostgresMain, after an error while
 * pq_is_reading_msg()).
 */
function unexpectedMessage(message: FrontendMessage | UnreadableMessage, where: string): PgError {
  const kind = message.kind === 'Unreadable' ? message.of : message.kind
  const type = typeByte(kind).toString(16).toUpperCase()
  return new PgError(
    SQL_STATE.protocolViolation,
    `unexpected message type 0x${type} during COPY from stdin`,
    { where, cause: new SynchronizationLost() },
  )
}

/** A violated constraint is told with the line that it was in, where that is known. */
function withLine(
  { row, error }: RowFailure,
  at: { readonly run: CopyRun; readonly target: CopyTarget; readonly data: readonly Buffer[] },
): unknown {
  const { options, hasWhere } = at.run.command
  if (row === undefined || hasWhere || error instanceof BackendError) return error
  return copyContext(error, { table: at.target.name, data: at.data, options, row })
}

function tooMuch(): PgError {
  return new PgError(
    SQL_STATE.programLimitExceeded,
    `COPY brings more than ${MAX_DATA_BYTES / 1024 / 1024} MB`,
    { hint: 'Spanner bounds what one transaction may change: copy in several parts.' },
  )
}
