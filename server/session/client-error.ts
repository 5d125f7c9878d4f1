import { BackendError } from '../backend/backend-error.ts'
import { Bug, PgError, type PgErrorOptions } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { toPlainPgError } from '../schema/backend-words.ts'
import { toPgError } from '../schema/constraint-errors.ts'
import type { LogicalSchema } from '../schema/logical-schema.ts'

/** What the client is told about anything that was thrown. Defects of ours keep their text to the log. */
export function clientError(
  error: unknown,
  schema: LogicalSchema | undefined,
  signal: AbortSignal | undefined,
): PgError {
  // Whatever broke after the statement was given up, broke because of that.
  if (signal?.aborted && signal.reason instanceof PgError) return signal.reason
  if (error instanceof PgError) return error
  if (error instanceof BackendError) {
    return schema === undefined ? toPlainPgError(error) : toPgError(error, schema)
  }
  const cause = error instanceof Error ? error : new Bug(String(error))
  if (isStackOverflow(error)) {
    return new PgError(SQL_STATE.statementTooComplex, 'stack depth limit exceeded', { cause })
  }
  return new PgError(SQL_STATE.internalError, 'internal error in Spanwire', {
    cause,
    hint: 'The server log holds the details.',
  })
}

/** What V8 says where a tree is walked that is deeper than its stack. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded'
}

/** The same error with other fields on top. */
export function withFields(
  error: PgError,
  fields: PgErrorOptions,
  message = error.message,
): PgError {
  return new PgError(error.code, message, {
    severity: error.severity,
    safeToRetry: error.safeToRetry,
    cause: error,
    ...error.fields,
    ...fields,
  })
}

/** An error in one statement of a query string points into the whole string (`offset` characters before the statement). */
export function shiftPosition(error: PgError, offset: number): PgError {
  const { position } = error.fields
  if (position === undefined || offset === 0) return error
  return withFields(error, { position: position + offset })
}

/** The statement was given up because the client asked for it (src/backend/tcop/postgres.c, ProcessInterrupts). */
export function canceledByUser(): PgError {
  return new PgError(SQL_STATE.queryCanceled, 'canceling statement due to user request')
}

export function canceledByTimeout(): PgError {
  return new PgError(SQL_STATE.queryCanceled, 'canceling statement due to statement timeout')
}

/** The cause of an error after which nobody can tell where the client's next message begins: the client is told this, too, and the connection ends. */
export class SynchronizationLost extends PgError {
  constructor() {
    super(
      SQL_STATE.protocolViolation,
      'terminating connection because protocol synchronization was lost',
      { severity: 'FATAL' },
    )
  }
}

/** What a statement says, where its category has told already that it is of that kind. */
export function mustBe<T>(command: T | undefined): T {
  if (command === undefined) throw new Bug('a statement is not what its category says')
  return command
}

/** 0A000 that says what to do instead. */
export function notSupported(what: string, hint: string): PgError {
  return new PgError(SQL_STATE.featureNotSupported, `${what} is not supported`, { hint })
}
