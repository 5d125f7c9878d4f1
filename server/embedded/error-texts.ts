import { status as GRPC } from '@grpc/grpc-js'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { aborted, GrpcStatus, violationInfo } from './grpc-status.ts'

/** What the texts of constraint errors need to know of a database and PostgreSQL does not say. */
export interface ConstraintNames {
  /** What a constraint or unique index of a table is. */
  find(schema: string, table: string, name: string): ConstraintInfo | undefined
}

export interface ConstraintInfo {
  readonly kind: 'primary-key' | 'unique-index' | 'foreign-key' | 'interleave' | 'check'
  readonly columns: readonly string[]
  readonly referencedTable?: string | undefined
  readonly referencedColumns?: readonly string[] | undefined
  /** How many of the table's first columns are its primary key, in order; 0 where the key lies elsewhere. */
  readonly leadingKeyColumns: number
}

/** SQLSTATEs after which the whole transaction has to be run again. */
const ABORTING: ReadonlySet<string> = new Set([
  SQL_STATE.serializationFailure,
  SQL_STATE.deadlockDetected,
  SQL_STATE.adminShutdown,
  SQL_STATE.crashShutdown,
  SQL_STATE.cannotConnectNow,
  SQL_STATE.idleInTransactionSessionTimeout,
])

/** Whether PostgreSQL's error has ended the transaction. */
export function endsTransaction(error: PgError): boolean {
  return ABORTING.has(error.code) || error.message === 'cached plan must not change result type'
}

/** Codes by SQLSTATE, else by its class (the first two characters). */
const CODES: Readonly<Record<string, number>> = {
  [SQL_STATE.undefinedTable]: GRPC.NOT_FOUND,
  [SQL_STATE.undefinedFunction]: GRPC.NOT_FOUND,
  [SQL_STATE.undefinedObject]: GRPC.NOT_FOUND,
  [SQL_STATE.invalidSchemaName]: GRPC.NOT_FOUND,
  [SQL_STATE.duplicateTable]: GRPC.FAILED_PRECONDITION,
  [SQL_STATE.duplicateObject]: GRPC.FAILED_PRECONDITION,
  [SQL_STATE.duplicateSchema]: GRPC.FAILED_PRECONDITION,
  [SQL_STATE.duplicateColumn]: GRPC.FAILED_PRECONDITION,
  [SQL_STATE.dependentObjectsStillExist]: GRPC.FAILED_PRECONDITION,
  [SQL_STATE.readOnlySqlTransaction]: GRPC.INVALID_ARGUMENT,
  [SQL_STATE.queryCanceled]: GRPC.CANCELLED,
  [SQL_STATE.insufficientPrivilege]: GRPC.PERMISSION_DENIED,
  [SQL_STATE.numericValueOutOfRange]: GRPC.OUT_OF_RANGE,
  [SQL_STATE.sequenceGeneratorLimitExceeded]: GRPC.FAILED_PRECONDITION,
  [SQL_STATE.divisionByZero]: GRPC.OUT_OF_RANGE,
  [SQL_STATE.stringDataRightTruncation]: GRPC.FAILED_PRECONDITION,
  [SQL_STATE.generatedAlways]: GRPC.INVALID_ARGUMENT,
  [SQL_STATE.invalidParameterValue]: GRPC.INVALID_ARGUMENT,
  [SQL_STATE.invalidTextRepresentation]: GRPC.INVALID_ARGUMENT,
  [SQL_STATE.invalidDatetimeFormat]: GRPC.INVALID_ARGUMENT,
  [SQL_STATE.datetimeFieldOverflow]: GRPC.INVALID_ARGUMENT,
  [SQL_STATE.cardinalityViolation]: GRPC.OUT_OF_RANGE,
  [SQL_STATE.tooManyConnections]: GRPC.RESOURCE_EXHAUSTED,
  '0A': GRPC.UNIMPLEMENTED,
  '22': GRPC.OUT_OF_RANGE,
  '2B': GRPC.FAILED_PRECONDITION,
  '42': GRPC.INVALID_ARGUMENT,
  '53': GRPC.RESOURCE_EXHAUSTED,
  '54': GRPC.INVALID_ARGUMENT,
  '55': GRPC.FAILED_PRECONDITION,
}

/** Raised by the functions of install-ddl-functions.ts: `SN` and a gRPC code in three digits; the message is Spanner's text. */
const OWN_STATE = /^SN(\d{3})$/

/** PostgreSQL's error in Spanner's code and words (production's, as far as they are known). */
export function toGrpcStatus(error: unknown, names: ConstraintNames): GrpcStatus {
  if (error instanceof GrpcStatus) return error
  if (!(error instanceof PgError)) {
    return new GrpcStatus(GRPC.INTERNAL, error instanceof Error ? error.message : String(error))
  }
  if (endsTransaction(error)) return abortedBy(error)
  const own = OWN_STATE.exec(error.code)
  if (own !== null) return new GrpcStatus(Number(own[1]), error.message)
  const constraint = constraintStatus(error, names)
  if (constraint !== undefined) return constraint
  // PostgreSQL lacks subqueries in checks and defaults as a feature; to Spanner they are no expressions.
  const isInvalid = error.message.startsWith('cannot use subquery in') || isUpdatedTwice(error)
  const code = isInvalid
    ? GRPC.INVALID_ARGUMENT
    : (CODES[error.code] ?? CODES[error.code.slice(0, 2)] ?? GRPC.INTERNAL)
  return new GrpcStatus(code, textOf(error))
}

function abortedBy(error: PgError): GrpcStatus {
  if (error.code === SQL_STATE.featureNotSupported) return aborted('Database schema has changed')
  return aborted(`Transaction was aborted. ${error.message}`)
}

const NEXTVAL_TEXT =
  'The following functions can only be used in a read-write or partitioned-dml transaction. ' +
  'Current transaction type is ReadOnly: get_next_sequence_value'

/** Of two rows of an INSERT .. ON CONFLICT DO UPDATE that have the same key. */
function isUpdatedTwice({ code, message }: PgError): boolean {
  return code === SQL_STATE.cardinalityViolation && message.startsWith('ON CONFLICT')
}

/** The words that differ although the condition is the same; else PostgreSQL's, with detail and hint on lines of their own. */
function textOf(error: PgError): string {
  if (isUpdatedTwice(error)) return 'Cannot affect a row second time for key'
  if (error.code === SQL_STATE.cardinalityViolation) return 'More than one element'
  if (error.code === SQL_STATE.sequenceGeneratorLimitExceeded) {
    return `Sequence ${/ sequence "(.*)" \(-?\d+\)$/.exec(error.message)?.[1] ?? ''} is exhausted`
  }
  if (error.code === SQL_STATE.readOnlySqlTransaction) {
    if (error.message.includes('nextval')) return NEXTVAL_TEXT
    return 'The statement can only be executed in a read-write transaction. Current transaction type is ReadOnly.'
  }
  if (error.message.startsWith('LIKE pattern must not end'))
    return 'LIKE pattern ends with a backslash'
  const lines = [error.message]
  if (error.fields.detail !== undefined) lines.push(`Detail: ${error.fields.detail}`)
  if (error.fields.hint !== undefined) lines.push(`Hint: ${error.fields.hint}`)
  return lines.join('\n')
}

function constraintStatus(error: PgError, names: ConstraintNames): GrpcStatus | undefined {
  const { schema = 'public', table = '', constraint = '', column = '' } = error.fields
  const info = names.find(schema, table, constraint)
  const shown = qualified(schema, table)
  switch (error.code) {
    case SQL_STATE.notNullViolation:
      return new GrpcStatus(GRPC.FAILED_PRECONDITION, notNullText(error, shown, column))
    case SQL_STATE.checkViolation:
      return new GrpcStatus(
        GRPC.OUT_OF_RANGE,
        `Check constraint \`${shown}\`.\`${constraint}\` is violated for key \`(${leadingKey(error, info)})\``,
      )
    case SQL_STATE.uniqueViolation:
    case SQL_STATE.exclusionViolation:
      return uniqueStatus(error, { shown, constraint, info })
    case SQL_STATE.foreignKeyViolation:
      return foreignKeyStatus(error, { shown, constraint, info })
    default:
      return undefined
  }
}

function notNullText(error: PgError, table: string, column: string): string {
  if (error.message.endsWith('contains null values')) {
    return (
      `Adding a NOT NULL constraint on a column ${table}.${column} is not allowed because ` +
      'it contains a NULL value.'
    )
  }
  return `${column} must not be NULL in table ${table}.`
}

interface Violated {
  readonly shown: string
  readonly constraint: string
  readonly info: ConstraintInfo | undefined
}

function uniqueStatus(error: PgError, { shown, constraint, info }: Violated): GrpcStatus {
  const key = keyOf(error)
  // It was the build of an index that failed, not a row that was written.
  if (error.message.startsWith('could not create unique index')) {
    return new GrpcStatus(
      GRPC.FAILED_PRECONDITION,
      `Unique index violation at index ${constraint} at index key [${key}].`,
      violationInfo(constraint, keyText(error)),
    )
  }
  const text =
    info === undefined || info.kind === 'primary-key'
      ? `Row [${key}] in table ${shown} already exists`
      : `Unique index violation on index ${constraint} at index key [${key}]. It conflicts with row [..] in table ${shown}.`
  return new GrpcStatus(GRPC.ALREADY_EXISTS, text, violationInfo(constraint, keyText(error)))
}

function foreignKeyStatus(error: PgError, { shown, constraint, info }: Violated): GrpcStatus {
  const isChildSide = error.message.startsWith('insert or update')
  const isInterleave = info?.kind === 'interleave' || constraint.startsWith('_interleave_')
  if (isInterleave) {
    return isChildSide
      ? new GrpcStatus(
          GRPC.NOT_FOUND,
          `Parent row for row [${keyOf(error)}] in table ${shown} is missing. Row cannot be written.`,
        )
      : new GrpcStatus(
          GRPC.FAILED_PRECONDITION,
          `Integrity constraint violation during DELETE/REPLACE. Found child row [${keyOf(error)}] in table ${shown}.`,
        )
  }
  const text = isChildSide
    ? `Foreign key constraint \`${constraint}\` is violated on table \`${shown}\`. Cannot find referenced values in ` +
      `${info?.referencedTable ?? ''}(${info?.referencedColumns?.join(', ') ?? ''}).`
    : `Foreign key constraint violation when deleting or updating referenced row(s): referencing row(s) found in table \`${shown}\`.`
  return new GrpcStatus(GRPC.FAILED_PRECONDITION, text, violationInfo(constraint, keyText(error)))
}

function qualified(schema: string, table: string): string {
  return schema === 'public' ? table : `${schema}.${table}`
}

/** Values of `Key (a, b)=(1, x) already exists.` as `1,x`. */
function keyOf(error: PgError): string {
  return keyText(error).replaceAll(', ', ',')
}

/** Values of `Key (a, b)=(1, x) already exists.` as `1, x`. */
function keyText(error: PgError): string {
  const match =
    /\)=\((.*)\) (?:already exists|is not present|is still referenced|is duplicated|conflicts)/s.exec(
      error.fields.detail ?? '',
    )
  return match?.[1] ?? ''
}

/** The key of `Failing row contains (1, x, ...).`, where it is made of the first columns. */
function leadingKey(error: PgError, info: ConstraintInfo | undefined): string {
  const match = /Failing row contains \((.*)\)/s.exec(error.fields.detail ?? '')
  if (match?.[1] === undefined || info === undefined || info.leadingKeyColumns === 0) return ''
  return match[1].split(', ').slice(0, info.leadingKeyColumns).join(',')
}
