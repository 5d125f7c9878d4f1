import { BackendError, type BackendFailureKind } from '../backend/backend-error.ts'
import { PgError, type PgErrorOptions } from '../base/pg-error.ts'
import { SQL_STATE, type SqlState } from '../base/sql-state.ts'
import { DEFAULT_FORMAT_SETTINGS } from '../types/format-settings.ts'
import { findTypeForm } from '../types/type-forms.ts'

/** Failures that are about rows and constraints: they need names of the schema for their words. */
export type ConstraintFailureKind =
  | 'unique-violation'
  | 'foreign-key-violation'
  | 'not-null-violation'
  | 'check-violation'
  | 'string-too-long'

interface Words {
  readonly code: SqlState
  /** Absent: Spanner's own sentence. */
  readonly message?: string
  readonly hint?: string
}

/** PostgreSQL's code and words for every failure that is not about a constraint. */
const WORDS: Readonly<Record<Exclude<BackendFailureKind, ConstraintFailureKind | 'sql'>, Words>> = {
  unsupported: { code: SQL_STATE.featureNotSupported },
  aborted: {
    code: SQL_STATE.serializationFailure,
    message: 'could not serialize access due to concurrent update',
    hint: 'The transaction might succeed if retried.',
  },
  'database-not-found': { code: SQL_STATE.invalidCatalogName },
  'database-exists': { code: SQL_STATE.duplicateDatabase },
  'session-not-found': { code: SQL_STATE.connectionFailure },
  'object-exists': { code: SQL_STATE.duplicateTable },
  'object-not-found': { code: SQL_STATE.undefinedTable },
  'ddl-conflict': {
    code: SQL_STATE.objectInUse,
    hint: 'Another schema change or transaction is under way: try again when it is over.',
  },
  'transaction-too-large': {
    code: SQL_STATE.programLimitExceeded,
    hint: "Change fewer rows by each statement, and commit more often. UPDATE and DELETE outside a transaction block have no such limit after SET spanner.autocommit_dml_mode = 'PARTITIONED_NON_ATOMIC'.",
  },
  'stale-read': { code: SQL_STATE.snapshotTooOld },
  'permission-denied': { code: SQL_STATE.insufficientPrivilege },
  unauthenticated: { code: SQL_STATE.invalidAuthorizationSpecification },
  unavailable: { code: SQL_STATE.connectionFailure },
  'resource-exhausted': { code: SQL_STATE.insufficientResources },
  'too-many-sessions': { code: SQL_STATE.tooManyConnections },
  'deadline-exceeded': {
    code: SQL_STATE.queryCanceled,
    message: 'canceling statement due to statement timeout',
  },
  cancelled: {
    code: SQL_STATE.queryCanceled,
    message: 'canceling statement due to user request',
  },
  'commit-unknown': {
    code: SQL_STATE.transactionResolutionUnknown,
    message: 'the outcome of the transaction is unknown',
    hint: 'The transaction may have been committed: look before it is run again.',
  },
  internal: { code: SQL_STATE.internalError },
}

/** A failure whose kind names no constraint, in PostgreSQL's words. */
export function toPlainPgError(error: BackendError): PgError {
  const { failure } = error
  const own = spannerSentence(error.message)
  const options: PgErrorOptions = { safeToRetry: error.safeToRetry || undefined, cause: error }
  switch (failure.kind) {
    case 'sql': {
      const { detail, hint } = failure
      return new PgError(failure.sqlState, own, { ...options, detail, hint })
    }
    case 'unique-violation':
      return new PgError(SQL_STATE.uniqueViolation, own, options)
    case 'foreign-key-violation':
      return new PgError(SQL_STATE.foreignKeyViolation, own, options)
    case 'not-null-violation':
      return new PgError(SQL_STATE.notNullViolation, own, options)
    case 'check-violation':
      return new PgError(SQL_STATE.checkViolation, own, options)
    case 'string-too-long':
      return new PgError(SQL_STATE.stringDataRightTruncation, own, options)
    default: {
      const words = WORDS[failure.kind]
      const detail = words.message === undefined || own === '' ? undefined : own
      return new PgError(words.code, words.message ?? own, { ...options, detail, hint: words.hint })
    }
  }
}

/** The first line of what Spanner says, without the emulator's mark. */
function spannerSentence(message: string): string {
  return message.replace(/^\[ERROR\] /, '').split('\n')[0] ?? ''
}

/** The error of a range CHECK that Spanwire added for a declared type, by the constraint's name (rangeCheck in physical-column.ts). */
export function findRangeError(
  constraint: string | undefined,
  cause: unknown,
): PgError | undefined {
  const match = /^spw_(?:(int2|int4)|num(\d+)_(m?)(\d+))_/.exec(constraint ?? '')
  if (match === null) return undefined
  const [, integer, precision, minus, digits] = match
  if (integer !== undefined) {
    const type = integer === 'int2' ? 'smallint' : 'integer'
    return new PgError(SQL_STATE.numericValueOutOfRange, `${type} out of range`, { cause })
  }
  const scale = minus === 'm' ? -Number(digits) : Number(digits)
  const exponent = Number(precision) - scale
  return new PgError(SQL_STATE.numericValueOutOfRange, 'numeric field overflow', {
    detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${exponent === 0 ? '1' : `10^${exponent}`}.`,
    cause,
  })
}

/** What is known of a key in an error. */
export interface KnownKey {
  /** By value, from Spanner's text: it may have cut them in the wrong places. */
  readonly key?: readonly (string | null)[]
  /** As PostgreSQL prints it. */
  readonly keyText?: string
  /** By value, in the row that the statement writes. */
  readonly written?: readonly (string | null)[] | undefined
}

/** A column of a key, as declared. */
export interface KeyColumn {
  readonly name: string
  readonly typeOid: number
}

/** `(a, b)=(1, x)` as PostgreSQL prints a key in a detail; undefined where its values are not known. */
export function keyText(columns: readonly KeyColumn[], known: KnownKey): string | undefined {
  const shown = known.written?.map(orNull).join(', ') ?? storedKeyText(columns, known)
  if (shown === undefined) return undefined
  return `(${columns.map(({ name }) => quoteIfNeeded(name)).join(', ')})=(${shown})`
}

/** Where a type has a stored form of its own, each value is shown as PostgreSQL prints it. */
function storedKeyText(
  columns: readonly KeyColumn[],
  { key, keyText: text }: KnownKey,
): string | undefined {
  const forms = columns.map(({ typeOid }) => findTypeForm(typeOid))
  const hasForms = forms.some((form) => form !== undefined)
  if (text !== undefined && !hasForms) return text
  const values = key ?? text?.split(', ')
  if (values?.length !== columns.length) return undefined
  return values
    .map((value, i) => {
      const stored = orNull(value)
      return forms[i]?.print(stored, DEFAULT_FORMAT_SETTINGS) ?? stored
    })
    .join(', ')
}

function orNull(value: string | null): string {
  return value ?? 'null'
}

/** Bytes of a value that are shown of a row (maxfieldlen of src/backend/executor/execMain.c). */
const MAX_FIELD_BYTES = 64

/** `(1, x, null)` as PostgreSQL prints a row in a detail (ExecBuildSlotValueDescription of src/backend/executor/execMain.c). */
export function rowText(row: readonly (string | null)[]): string {
  return `(${row.map((value) => (value === null ? 'null' : clipped(value))).join(', ')})`
}

function clipped(value: string): string {
  const bytes = Buffer.from(value)
  if (bytes.length <= MAX_FIELD_BYTES) return value
  let end = MAX_FIELD_BYTES
  // No character is cut in two (pg_mbcliplen).
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return `${bytes.toString('utf8', 0, end)}...`
}

/** A name as quote_identifier prints it, but for reserved words. */
export function quoteIfNeeded(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** What Spanner's failures are to a client, where none of them is about rows of its own. */
export async function inPostgresWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof BackendError ? toPlainPgError(error) : error
  }
}
