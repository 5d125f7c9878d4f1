import { type BackendError, type BackendFailure, INTERLEAVING } from '../backend/backend-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { parseErrorKey } from './error-keys.ts'
import { GRPC_CODE } from './transport.ts'

/**
 * Every text of Spanner that something is concluded from. Texts may change at any time and differ between production and the
 * emulator, so that a pattern is loose, names what it captures, and has a captured sample in its test; where none matches,
 * the table over status codes in status.ts decides.
 */
export interface ErrorPattern {
  readonly name: string
  /** Status codes under which the text means this; absent: any. */
  readonly codes?: readonly number[]
  readonly text: RegExp
  readonly failure: (groups: Readonly<Record<string, string | undefined>>) => BackendFailure
  /** PostgreSQL's words for it, where Spanner's own are others. */
  readonly words?: (groups: Readonly<Record<string, string | undefined>>) => string
}

type Groups = Readonly<Record<string, string | undefined>>

/** The first pattern that matches, and what it captured. */
export function matchErrorText(
  grpcCode: number,
  text: string,
): { readonly failure: BackendFailure; readonly words: string | undefined } | undefined {
  for (const pattern of ERROR_PATTERNS) {
    if (pattern.codes !== undefined && !pattern.codes.includes(grpcCode)) continue
    const match = pattern.text.exec(text)
    if (match === null) continue
    const groups: Groups = match.groups ?? {}
    return { failure: pattern.failure(groups), words: pattern.words?.(groups) }
  }
  return undefined
}

/** Of a statement that PostgreSQL has analysed, whose sequences therefore exist (the emulator's sequence functions). */
export function isLostSequence({ message }: BackendError): boolean {
  return /^Sequence (?:not found: |function needs access to the schema)/.test(message)
}

function sql(sqlState: string): () => BackendFailure {
  return () => ({ kind: 'sql', sqlState })
}

function kind(
  name: 'unsupported' | 'object-exists' | 'object-not-found' | 'internal',
): () => BackendFailure {
  return () => ({ kind: name })
}

/** Drops what was not captured, as absence is a missing property in BackendFailure. */
function present<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

function keyOf(groups: Groups): readonly (string | null)[] | undefined {
  return groups['key'] === undefined ? undefined : parseErrorKey(groups['key'])
}

function uniqueViolation(groups: Groups): BackendFailure {
  return present({
    kind: 'unique-violation',
    table: groups['table'],
    index: groups['index'],
    key: keyOf(groups),
  })
}

function foreignKeyViolation(side: 'referencing' | 'referenced') {
  return (groups: Groups): BackendFailure =>
    present({
      kind: 'foreign-key-violation',
      side,
      constraint: groups['constraint'],
      table: groups['table'],
      key: keyOf(groups),
    })
}

function interleavingViolation(side: 'referencing' | 'referenced') {
  return (groups: Groups): BackendFailure =>
    foreignKeyViolation(side)({ ...groups, constraint: INTERLEAVING })
}

function notNullViolation(groups: Groups): BackendFailure {
  return present({ kind: 'not-null-violation', table: groups['table'], column: groups['column'] })
}

function checkViolation(groups: Groups): BackendFailure {
  return present({
    kind: 'check-violation',
    table: groups['table'],
    constraint: groups['constraint'],
  })
}

const { NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, INVALID_ARGUMENT, OUT_OF_RANGE } = GRPC_CODE

/** Constraints. */
const CONSTRAINTS: readonly ErrorPattern[] = [
  {
    name: 'duplicate primary key (emulator)',
    text: /^Failed to insert row with primary key \((?<key>\{.*\})\) due to previously (?:existing|inserted) row/s,
    failure: uniqueViolation,
  },
  {
    name: 'duplicate primary key by mutation (emulator)',
    codes: [ALREADY_EXISTS],
    text: /^Table (?<table>[^:]+): Row (?<key>\{.*\}) already exists/s,
    failure: uniqueViolation,
  },
  {
    name: 'duplicate primary key (production)',
    codes: [ALREADY_EXISTS],
    text: /^Row (?<key>\[.*\]) in table (?<table>\S+) already exists/s,
    failure: uniqueViolation,
  },
  {
    name: 'unique index (emulator)',
    codes: [ALREADY_EXISTS, FAILED_PRECONDITION],
    text: /^(?:UNIQUE violation|Found uniqueness violation) on index (?<index>[^,]+),\s+duplicate key: (?<key>\{.*\})(?: in this transaction)?\.?$/s,
    failure: uniqueViolation,
  },
  {
    name: 'unique index (production)',
    codes: [ALREADY_EXISTS, FAILED_PRECONDITION],
    text: /^Unique index violation (?:on|at) index (?<index>\S+) at index key (?<key>\[.*?\])\.(?: It conflicts with row .* in table (?<table>[^.\s]+))?/s,
    failure: uniqueViolation,
  },
  {
    name: 'foreign key, missing parent (emulator)',
    text: /^Foreign key `(?<constraint>[^`]+)` constraint violation on table `(?<table>[^`]+)`\. Cannot find referenced key `(?<key>[^`]*)`/s,
    failure: foreignKeyViolation('referencing'),
  },
  {
    name: 'foreign key, missing parent (production)',
    text: /^Foreign key constraint `(?<constraint>[^`]+)` is violated on table `(?<table>[^`]+)`/s,
    failure: foreignKeyViolation('referencing'),
  },
  {
    name: 'foreign key, child left (emulator)',
    text: /^Foreign key `(?<constraint>[^`]+)` constraint violation when deleting or updating referenced key `(?<key>[^`]*)` in table `[^`]+`\. A row with that key exists in the referencing table `(?<table>[^`]+)`/s,
    failure: foreignKeyViolation('referenced'),
  },
  {
    name: 'foreign key, child left (production)',
    text: /^Foreign key constraint violation when deleting or updating referenced row\(s\): referencing row\(s\) found in table `(?<table>[^`]+)`/s,
    failure: foreignKeyViolation('referenced'),
  },
  {
    name: 'interleaved table, missing parent (emulator)',
    codes: [NOT_FOUND],
    text: /^Insert failed because key was not found in parent table:\s+Parent Table: \S+\s+Child Table: (?<table>\S+)\s+Key: (?<key>\{.*\})/s,
    failure: interleavingViolation('referencing'),
  },
  {
    name: 'interleaved table, missing parent (production)',
    codes: [NOT_FOUND],
    text: /^Parent row for row (?<key>\[.*\]) in table (?<table>\S+) is missing/s,
    failure: interleavingViolation('referencing'),
  },
  {
    name: 'interleaved table, child left (emulator)',
    codes: [FAILED_PRECONDITION],
    text: /^Delete failed because one or more keys exist within the child table:\s+Parent Table: \S+\s+Child Table: (?<table>\S+)\s+Key: (?<key>\{.*\})/s,
    failure: interleavingViolation('referenced'),
  },
  {
    name: 'interleaved table, child left (production)',
    codes: [FAILED_PRECONDITION],
    text: /^Integrity constraint violation during DELETE\/REPLACE\. Found child row (?<key>\[.*\]) in table (?<table>\S+?)\.?$/s,
    failure: interleavingViolation('referenced'),
  },
  {
    name: 'not null (emulator)',
    text: /^Cannot specify a null value for column: (?:.*\.)?(?<column>[^.\s]+) in table: (?<table>\S+)/s,
    failure: notNullViolation,
  },
  {
    name: 'not null (production)',
    codes: [FAILED_PRECONDITION],
    text: /^(?:The )?(?<column>\S+) must not be NULL in table (?<table>\S+?)\.?$/s,
    failure: notNullViolation,
  },
  {
    name: 'not null left out (production)',
    text: /does not specify a non-null value for (?:these )?NOT NULL columns?:?\s*(?<column>[^\s,.]+)?/s,
    failure: notNullViolation,
  },
  {
    name: 'check (both)',
    codes: [OUT_OF_RANGE, FAILED_PRECONDITION],
    text: /^Check constraint `(?<table>[^`]+)`\.`(?<constraint>[^`]+)` is violated/s,
    failure: checkViolation,
  },
  {
    name: 'too long for the column',
    text: /^New value exceeds the maximum size limit for this column: (?<table>.+)\.(?<column>[^.,]+), size: \d+, limit: (?<limit>\d+)/s,
    failure: ({ table, column, limit }) =>
      present({
        kind: 'string-too-long',
        table,
        column,
        limit: limit === undefined ? undefined : Number(limit),
      }),
  },
  {
    name: 'too long for a shorter column',
    codes: [FAILED_PRECONDITION],
    text: /^Reducing the length of column (?<column>\S+) to (?<limit>\d+) is not allowed because it has a value/s,
    failure: ({ column, limit }) =>
      present({
        kind: 'string-too-long',
        column,
        limit: limit === undefined ? undefined : Number(limit),
      }),
  },
  {
    name: 'generated column',
    text: /^(?:Cannot write into generated column|Cannot insert into column "[^"]*", which is a non-writable column|Cannot UPDATE value on non-writable column)/s,
    failure: sql('428C9'),
  },
]

/** Databases, sessions, transactions, schema changes. */
const SERVICE: readonly ErrorPattern[] = [
  {
    name: 'session',
    codes: [NOT_FOUND],
    text: /^Session not found/s,
    failure: () => ({ kind: 'session-not-found' }),
  },
  {
    name: 'database',
    codes: [NOT_FOUND],
    text: /^Database not found/s,
    failure: () => ({ kind: 'database-not-found' }),
  },
  {
    name: 'database exists',
    codes: [ALREADY_EXISTS],
    text: /^Database already exists/s,
    failure: () => ({ kind: 'database-exists' }),
  },
  {
    name: 'schema change refused',
    codes: [FAILED_PRECONDITION],
    text: /^Schema change operation rejected because a concurrent schema change operation or read-write transaction/s,
    failure: () => ({ kind: 'ddl-conflict' }),
  },
  {
    name: 'too many mutations',
    codes: [INVALID_ARGUMENT],
    text: /^The transaction (?:contains too many mutations|exceeds the maximum)/s,
    failure: () => ({ kind: 'transaction-too-large' }),
  },
  {
    name: 'stale read',
    codes: [FAILED_PRECONDITION, OUT_OF_RANGE],
    text: /(?:read timestamp .*past the|exceeded the (?:maximum )?timestamp staleness|version[_ ]retention)/is,
    failure: () => ({ kind: 'stale-read' }),
  },
  {
    name: 'value too large',
    text: /maximum size for a single column value|exceeds max allowed output size|Cannot construct \S+ Value larger than/s,
    failure: sql(SQL_STATE.programLimitExceeded),
  },
  {
    name: 'sequence numbers',
    codes: [INVALID_ARGUMENT],
    text: /^(?:Previously received a different request with this seqno|Request has an out-of-order seqno)/s,
    failure: kind('internal'),
  },
  {
    // Only its owner ends it, and uses it no more: somebody else, or Spanner, has.
    name: 'transaction over',
    text: /^(?:This transaction has been invalidated by a later transaction|Cannot read or query using a transaction after it has been|Cannot (?:start a read or query|commit) .*transaction (?:after|that)|Invalid transaction ID)/s,
    failure: () => ({ kind: 'aborted' }),
  },
]

/** Objects of the schema, as DDL speaks of them. */
const OBJECTS: readonly ErrorPattern[] = [
  {
    name: 'duplicate column',
    codes: [FAILED_PRECONDITION],
    text: /^Duplicate column name (?:.*\.)?(?<column>[^.]+)\.?$/s,
    failure: sql(SQL_STATE.duplicateColumn),
  },
  { name: 'duplicate name', text: /^Duplicate name in schema: /s, failure: kind('object-exists') },
  {
    name: 'duplicate table (production)',
    text: /^(?:Duplicate \w+ name|(?:Table|Index|View|Schema|Sequence) .* already exists)/s,
    failure: kind('object-exists'),
  },
  {
    name: 'no such object',
    codes: [NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION],
    text: /^(?:Table|Index|View|Schema|Sequence|Column|Instance|Change stream) not found|^\S+ is not a constraint in |^Column `[^`]*` not found/s,
    failure: kind('object-not-found'),
  },
  {
    name: 'dependants',
    codes: [FAILED_PRECONDITION, INVALID_ARGUMENT],
    text: /^Cannot drop (?:table|column|view|index|sequence|schema)\b.*(?:indices|interleaved|referenced|depend|used by)/is,
    failure: sql(SQL_STATE.dependentObjectsStillExist),
  },
  {
    name: 'null in the way of NOT NULL',
    text: /^Adding a NOT NULL constraint on a column (?<table>.+?)\.(?<column>[^.\s]+) is not allowed because it contains a NULL value/s,
    failure: notNullViolation,
  },
]

/** Evaluation: Spanner's own words for what PostgreSQL says otherwise. */
const EVALUATION: readonly ErrorPattern[] = [
  {
    name: 'division by zero',
    codes: [OUT_OF_RANGE, INVALID_ARGUMENT],
    text: /^division by zero/is,
    failure: sql(SQL_STATE.divisionByZero),
    words: () => 'division by zero',
  },
  {
    name: 'bigint overflow',
    text: /^int64 (?:overflow|underflow)/s,
    failure: sql(SQL_STATE.numericValueOutOfRange),
    words: () => 'bigint out of range',
  },
  {
    name: 'logarithm of zero',
    text: /^Floating point error in function: L(?:N|OG|OG10)\(0\)/s,
    failure: sql(SQL_STATE.invalidArgumentForLogarithm),
    words: () => 'cannot take logarithm of zero',
  },
  {
    name: 'logarithm of a negative number',
    text: /^Floating point error in function: L(?:N|OG|OG10)\(-/s,
    failure: sql(SQL_STATE.invalidArgumentForLogarithm),
    words: () => 'cannot take logarithm of a negative number',
  },
  {
    name: 'float overflow',
    text: /^Floating point (?:error|overflow)|^double overflow|^float overflow/s,
    failure: sql(SQL_STATE.numericValueOutOfRange),
    words: () => 'value out of range: overflow',
  },
  {
    name: 'cast out of range',
    text: /^Cannot cast to \w+ from|out of int64 range/s,
    failure: sql(SQL_STATE.numericValueOutOfRange),
  },
  {
    name: 'square root of a negative number',
    text: /^Argument to SQRT cannot be negative/s,
    failure: sql(SQL_STATE.invalidArgumentForPowerFunction),
    words: () => 'cannot take square root of a negative number',
  },
  {
    name: 'negative substring length',
    text: /^Third argument in SUBSTR\(\) cannot be negative/s,
    failure: sql(SQL_STATE.substringError),
    words: () => 'negative substring length not allowed',
  },
  {
    name: 'scalar subquery of several rows',
    codes: [OUT_OF_RANGE],
    text: /^More than one element/s,
    failure: sql(SQL_STATE.cardinalityViolation),
    words: () => 'more than one row returned by a subquery used as an expression',
  },
  {
    name: 'regular expression',
    text: /^Cannot parse regular expression: (?<reason>.*)/s,
    failure: sql(SQL_STATE.invalidRegularExpression),
    words: ({ reason }) => `invalid regular expression: ${reason ?? ''}`,
  },
  {
    name: 'LIKE pattern',
    text: /^LIKE pattern ends with a backslash/s,
    failure: sql(SQL_STATE.invalidEscapeSequence),
    words: () => 'LIKE pattern must not end with escape character',
  },
  {
    name: 'digits past bigint',
    text: /^Bad int64 value: *(?<value>[+-]?\d+) *$/s,
    failure: sql(SQL_STATE.numericValueOutOfRange),
    words: ({ value }) => `value "${value ?? ''}" is out of range for type bigint`,
  },
  {
    name: 'integer text',
    text: /^\s*Bad int64 value: (?<value>.*)$/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
    words: ({ value }) => `invalid input syntax for type bigint: "${value ?? ''}"`,
  },
  {
    name: 'float text',
    text: /^\s*Bad double value: (?<value>.*)$/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
    words: ({ value }) => `invalid input syntax for type double precision: "${value ?? ''}"`,
  },
  {
    name: 'number beyond bigint',
    text: /^int64 out of range: |^Illegal conversion of non-finite floating point number to an integer/s,
    failure: sql(SQL_STATE.numericValueOutOfRange),
    words: () => 'bigint out of range',
  },
  {
    name: 'invalid date',
    text: /^Input calculates to invalid date/s,
    failure: sql(SQL_STATE.datetimeFieldOverflow),
    words: () => 'date field value out of range',
  },
  {
    name: 'elements of jsonb',
    text: /^ParseJsonbArray can only be called on a JSONB array/s,
    failure: sql(SQL_STATE.invalidParameterValue),
    words: () => 'cannot get array length of a non-array',
  },
  {
    name: 'integer parameter',
    text: /^Could not parse (?<value>.*) as an integer/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
    words: ({ value }) => `invalid input syntax for type bigint: "${value ?? ''}"`,
  },
  {
    name: 'date or time parameter',
    text: /^Could not parse (?<value>.*) as a (?:TIMESTAMP|DATE)/s,
    failure: sql(SQL_STATE.invalidDatetimeFormat),
  },
  {
    name: 'parameter of another type',
    text: /^Could not parse .* as (?:an? )?[A-Z]|^Bad bool value|^The provided JSON input is not/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
  },
  {
    name: 'value of another type (production)',
    codes: [FAILED_PRECONDITION, INVALID_ARGUMENT],
    text: /^Invalid value for column /s,
    failure: sql(SQL_STATE.dataException),
  },
]

/** PostgreSQL's own words, by which its SQLSTATE is known. */
const POSTGRESQL: readonly ErrorPattern[] = [
  {
    name: 'length of a type',
    text: /^value too long for type character\b/s,
    failure: sql(SQL_STATE.stringDataRightTruncation),
  },
  {
    name: 'square root (PostgreSQL)',
    text: /^cannot take square root of a negative number/s,
    failure: sql(SQL_STATE.invalidArgumentForPowerFunction),
  },
  {
    name: 'substring (PostgreSQL)',
    text: /^negative substring length not allowed/s,
    failure: sql(SQL_STATE.substringError),
  },
  {
    name: 'path of jsonb (PostgreSQL)',
    text: /^path element at position \d+ is not an integer/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
  },
  {
    name: 'cast of jsonb',
    text: /^cannot cast jsonb \w+ to type /s,
    failure: sql(SQL_STATE.invalidParameterValue),
  },
  {
    name: 'elements of jsonb (PostgreSQL)',
    text: /^cannot (?:get array length of|extract elements from|call \w+ on|delete from|delete path in|set path in|insert into|replace existing)\b/s,
    failure: sql(SQL_STATE.invalidParameterValue),
  },
  {
    name: 'field out of range',
    text: /^(?:date\/time field value|date field value|date|timestamp|interval) out of range|^time zone displacement out of range|^(?:Date|Timestamp) is out of/s,
    failure: sql(SQL_STATE.datetimeFieldOverflow),
  },
  {
    name: 'out of range',
    text: /\bout of range(?: for type \S+)?$/s,
    failure: sql(SQL_STATE.numericValueOutOfRange),
  },
  {
    name: 'datetime input',
    text: /^invalid input syntax for type (?:date|time|timestamp|timestamptz|interval)\b|^invalid value ".*" for "/s,
    failure: sql(SQL_STATE.invalidDatetimeFormat),
  },
  {
    name: 'text input',
    text: /^invalid input syntax for type |^malformed (?:array|record|range) literal|^invalid input value for enum/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
  },
  {
    name: 'no relation',
    text: /^relation "(?<table>.*)" does not exist/s,
    failure: sql(SQL_STATE.undefinedTable),
  },
  {
    name: 'no FROM entry',
    text: /^(?:missing FROM-clause entry for|invalid reference to FROM-clause entry for) table/s,
    failure: sql(SQL_STATE.undefinedTable),
  },
  {
    name: 'no column',
    text: /^column .* does not exist/s,
    failure: sql(SQL_STATE.undefinedColumn),
  },
  {
    name: 'no function',
    text: /^(?:function|operator|procedure|aggregate)\b.* does not exist/s,
    failure: sql(SQL_STATE.undefinedFunction),
  },
  {
    name: 'no type',
    text: /^type ".*" does not exist|^Type <.*> does not exist/s,
    failure: sql(SQL_STATE.undefinedObject),
  },
  {
    name: 'no schema',
    text: /^schema ".*" does not exist/s,
    failure: sql(SQL_STATE.invalidSchemaName),
  },
  {
    name: 'grouping',
    text: /must appear in the GROUP BY clause|^aggregate function/s,
    failure: sql(SQL_STATE.groupingError),
  },
  {
    name: 'types',
    text: /^column ".*" is of type .* but expression is of type|^argument of .* must be type|^\S+ types .* cannot be matched/s,
    failure: sql(SQL_STATE.datatypeMismatch),
  },
  { name: 'cast', text: /^cannot cast /s, failure: sql(SQL_STATE.cannotCoerce) },
  {
    name: 'syntax',
    text: /^syntax error |^unterminated |^trailing junk |^INSERT has more |^subquery (?:must return|in FROM must have)|^multiple assignments to same column/s,
    failure: sql(SQL_STATE.syntaxError),
  },
  {
    name: 'array type',
    text: /^cannot determine type of empty array/s,
    failure: sql(SQL_STATE.indeterminateDatatype),
  },
  {
    name: 'unicode escape',
    text: /^invalid Unicode escape/s,
    failure: sql(SQL_STATE.invalidEscapeSequence),
  },
  {
    name: 'regular expression (PostgreSQL)',
    text: /^invalid regular expression/s,
    failure: sql(SQL_STATE.invalidRegularExpression),
  },
  {
    name: 'number without an equal',
    text: /^cannot convert (?:NaN|infinity) to /s,
    failure: sql(SQL_STATE.featureNotSupported),
  },
  {
    name: 'infinite numeric',
    text: /^Cannot cast infinity to PG\.NUMERIC/s,
    failure: sql(SQL_STATE.numericValueOutOfRange),
  },
  {
    name: 'parameter value',
    text: /^NUMERIC precision |^unit ".*" not recognized/s,
    failure: sql(SQL_STATE.invalidParameterValue),
  },
]

/** What the dialect says of constructs that it does not have. */
const UNSUPPORTED: readonly ErrorPattern[] = [
  {
    name: 'unsupported',
    codes: [INVALID_ARGUMENT, FAILED_PRECONDITION, GRPC_CODE.UNIMPLEMENTED, NOT_FOUND],
    text: /not supported|unsupported|must be (?:set to the insert value|integer literals)|not allowed in SELECT|cannot be used in SELECT DISTINCT|not specified in the SET clause|only be used (?:as a value for|in a read-write)|Unable to resolve argument type|ON CONFLICT target must|are limited to|No cast found/is,
    failure: kind('unsupported'),
  },
]

/** In the order in which they are tried. */
export const ERROR_PATTERNS: readonly ErrorPattern[] = [
  ...CONSTRAINTS,
  ...SERVICE,
  ...OBJECTS,
  ...UNSUPPORTED,
  ...POSTGRESQL,
  ...EVALUATION,
]
