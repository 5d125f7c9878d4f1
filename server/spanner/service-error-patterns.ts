import { SQL_STATE } from '../base/sql-state.ts'
import { notNullViolation } from './constraint-error-patterns.ts'
import { type ErrorPattern, kind, sql } from './error-pattern.ts'
import { GRPC_CODE } from './transport.ts'

const {
  NOT_FOUND,
  ALREADY_EXISTS,
  FAILED_PRECONDITION,
  INVALID_ARGUMENT,
  OUT_OF_RANGE,
  RESOURCE_EXHAUSTED,
} = GRPC_CODE

/** Databases, sessions, transactions, schema changes. */
export const SERVICE_PATTERNS: readonly ErrorPattern[] = [
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
    text: /^The transaction contains too many mutations(?:.*\(Maximum number: (?<limit>\d+)\))?/s,
    failure: () => ({ kind: 'transaction-too-large' }),
    words: ({ limit }) =>
      `too many mutations for one statement${limit === undefined ? '' : `: Spanner takes at most ${limit}`}`,
  },
  {
    name: 'too large a commit',
    codes: [INVALID_ARGUMENT],
    text: /^The transaction exceeds the maximum(?:.*\(Maximum size: (?<limit>\d+)\))?/s,
    failure: () => ({ kind: 'transaction-too-large' }),
    words: ({ limit }) =>
      `too much data for one transaction${limit === undefined ? '' : `: Spanner takes at most ${limit} bytes`}`,
  },
  {
    name: 'transaction resource limits',
    codes: [INVALID_ARGUMENT],
    text: /Transaction resource limits exceeded/s,
    failure: () => ({ kind: 'transaction-too-large' }),
  },
  {
    name: 'request too large',
    codes: [INVALID_ARGUMENT, RESOURCE_EXHAUSTED],
    text: /^(?:Request payload size exceeds the limit|Received message larger than max)/s,
    failure: sql(SQL_STATE.programLimitExceeded),
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
export const OBJECT_PATTERNS: readonly ErrorPattern[] = [
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
