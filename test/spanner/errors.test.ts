import t from 'tap'
import {
  BackendError,
  type BackendFailure,
  INTERLEAVING,
} from '../../server/backend/backend-error.ts'
import { ProtoWriter } from '../../server/base/protobuf-writer.ts'
import { parseErrorKey } from '../../server/spanner/error-keys.ts'
import { ERROR_PATTERNS } from '../../server/spanner/error-patterns.ts'
import { toBackendError } from '../../server/spanner/status.ts'
import { GRPC_CODE, TransportError } from '../../server/spanner/transport.ts'

const C = GRPC_CODE

interface Sample {
  readonly pattern: string
  readonly code: number
  readonly text: string
  readonly failure: BackendFailure
  /** What the client may be shown, where it differs from the text. */
  readonly words?: string
}

/** Captured from the official emulator 1.5.28; production's from Spanner's pages and Google's client libraries. */
const SAMPLES: readonly Sample[] = [
  {
    pattern: 'duplicate primary key (emulator)',
    code: C.ALREADY_EXISTS,
    text: 'Failed to insert row with primary key ({pk#a:1, pk#b:"x"}) due to previously inserted row',
    failure: { kind: 'unique-violation', key: ['1', 'x'] },
  },
  {
    pattern: 'duplicate primary key by mutation (emulator)',
    code: C.ALREADY_EXISTS,
    text: 'Table n: Row {Int64(400)} already exists.',
    failure: { kind: 'unique-violation', table: 'n', key: ['400'] },
  },
  {
    pattern: 'duplicate primary key (production)',
    code: C.ALREADY_EXISTS,
    text: 'Row [1] in table k already exists',
    failure: { kind: 'unique-violation', table: 'k', key: ['1'] },
  },
  {
    pattern: 'unique index (emulator)',
    code: C.ALREADY_EXISTS,
    text: 'UNIQUE violation on index k_u,  duplicate key: {String("u1")} in this transaction.',
    failure: { kind: 'unique-violation', index: 'k_u', key: ['u1'] },
  },
  {
    pattern: 'unique index (emulator)',
    code: C.FAILED_PRECONDITION,
    text: 'Found uniqueness violation on index nvi,  duplicate key: {Int64(1)}',
    failure: { kind: 'unique-violation', index: 'nvi', key: ['1'] },
  },
  {
    pattern: 'unique index (production)',
    code: C.ALREADY_EXISTS,
    text: 'Unique index violation on index k_u at index key [u1]. It conflicts with row [1] in table k.',
    failure: { kind: 'unique-violation', index: 'k_u', table: 'k', key: ['u1'] },
  },
  {
    pattern: 'foreign key, missing parent (emulator)',
    code: C.FAILED_PRECONDITION,
    text: 'Foreign key `fk_pid` constraint violation on table `k`. Cannot find referenced key `{Int64(99)}` in table `p`.',
    failure: {
      kind: 'foreign-key-violation',
      side: 'referencing',
      constraint: 'fk_pid',
      table: 'k',
      key: ['99'],
    },
  },
  {
    pattern: 'foreign key, missing parent (production)',
    code: C.FAILED_PRECONDITION,
    text: 'Foreign key constraint `f` is violated on table `t`. Cannot find referenced values in p(id).',
    failure: { kind: 'foreign-key-violation', side: 'referencing', constraint: 'f', table: 't' },
  },
  {
    pattern: 'foreign key, child left (emulator)',
    code: C.FAILED_PRECONDITION,
    text: 'Foreign key `fk_pid` constraint violation when deleting or updating referenced key `{Int64(1)}` in table `p`. A row with that key exists in the referencing table `k`.',
    failure: {
      kind: 'foreign-key-violation',
      side: 'referenced',
      constraint: 'fk_pid',
      table: 'k',
      key: ['1'],
    },
  },
  {
    pattern: 'foreign key, child left (production)',
    code: C.FAILED_PRECONDITION,
    text: 'Foreign key constraint violation when deleting or updating referenced row(s): referencing row(s) found in table `t`',
    failure: { kind: 'foreign-key-violation', side: 'referenced', table: 't' },
  },
  {
    pattern: 'interleaved table, missing parent (emulator)',
    code: C.NOT_FOUND,
    text: 'Insert failed because key was not found in parent table:  Parent Table: par  Child Table: ch  Key: {Int64(1)}',
    failure: {
      kind: 'foreign-key-violation',
      side: 'referencing',
      constraint: INTERLEAVING,
      table: 'ch',
      key: ['1'],
    },
  },
  {
    pattern: 'interleaved table, missing parent (production)',
    code: C.NOT_FOUND,
    text: 'Parent row for row [1,2] in table ch is missing. Row cannot be written.',
    failure: {
      kind: 'foreign-key-violation',
      side: 'referencing',
      constraint: INTERLEAVING,
      table: 'ch',
      key: ['1', '2'],
    },
  },
  {
    pattern: 'interleaved table, child left (emulator)',
    code: C.FAILED_PRECONDITION,
    text: 'Delete failed because one or more keys exist within the child table:  Parent Table: par  Child Table: ch  Key: {Int64(1)}',
    failure: {
      kind: 'foreign-key-violation',
      side: 'referenced',
      constraint: INTERLEAVING,
      table: 'ch',
      key: ['1'],
    },
  },
  {
    pattern: 'interleaved table, child left (production)',
    code: C.FAILED_PRECONDITION,
    text: 'Integrity constraint violation during DELETE/REPLACE. Found child row [1,1] in table ch',
    failure: {
      kind: 'foreign-key-violation',
      side: 'referenced',
      constraint: INTERLEAVING,
      table: 'ch',
      key: ['1', '1'],
    },
  },
  {
    pattern: 'not null (emulator)',
    code: C.FAILED_PRECONDITION,
    text: 'Cannot specify a null value for column: s.q.n in table: s.q',
    failure: { kind: 'not-null-violation', table: 's.q', column: 'n' },
  },
  {
    pattern: 'not null (production)',
    code: C.FAILED_PRECONDITION,
    text: 'c must not be NULL in table t.',
    failure: { kind: 'not-null-violation', table: 't', column: 'c' },
  },
  {
    pattern: 'not null left out (production)',
    code: C.FAILED_PRECONDITION,
    text: 'A new row in table t does not specify a non-null value for NOT NULL column: c',
    failure: { kind: 'not-null-violation', column: 'c' },
  },
  {
    pattern: 'check (both)',
    code: C.OUT_OF_RANGE,
    text: 'Check constraint `k`.`vpos` is violated for key {Int64(10)}',
    failure: { kind: 'check-violation', table: 'k', constraint: 'vpos' },
  },
  {
    pattern: 'check (both)',
    code: C.OUT_OF_RANGE,
    text: 'Check constraint `t`.`c` is violated for key `(1)`',
    failure: { kind: 'check-violation', table: 't', constraint: 'c' },
  },
  {
    pattern: 'too long for the column',
    code: C.FAILED_PRECONDITION,
    text: 'New value exceeds the maximum size limit for this column: k.s, size: 7, limit: 5.',
    failure: { kind: 'string-too-long', table: 'k', column: 's', limit: 5 },
  },
  {
    pattern: 'length of a type',
    code: C.FAILED_PRECONDITION,
    text: 'value too long for type character varying(5)',
    failure: { kind: 'sql', sqlState: '22001' },
  },
  {
    pattern: 'too long for a shorter column',
    code: C.FAILED_PRECONDITION,
    text: 'Reducing the length of column x to 1 is not allowed because it has a value of length 3 at key: {Int64(5)}',
    failure: { kind: 'string-too-long', column: 'x', limit: 1 },
  },
  {
    pattern: 'generated column',
    code: C.INVALID_ARGUMENT,
    text: 'Cannot insert into column "w", which is a non-writable column',
    failure: { kind: 'sql', sqlState: '428C9' },
  },
  {
    pattern: 'session',
    code: C.NOT_FOUND,
    text: 'Session not found: projects/p/instances/inst/databases/d/sessions/918',
    failure: { kind: 'session-not-found' },
  },
  {
    pattern: 'database',
    code: C.NOT_FOUND,
    text: 'Database not found: projects/p/instances/inst/databases/nope',
    failure: { kind: 'database-not-found' },
  },
  {
    pattern: 'database exists',
    code: C.ALREADY_EXISTS,
    text: 'Database already exists: projects/p/instances/inst/databases/dq-1',
    failure: { kind: 'database-exists' },
  },
  {
    pattern: 'schema change refused',
    code: C.FAILED_PRECONDITION,
    text: 'Schema change operation rejected because a concurrent schema change operation or read-write transaction is already in progress.',
    failure: { kind: 'ddl-conflict' },
  },
  {
    pattern: 'too many mutations',
    code: C.INVALID_ARGUMENT,
    text: 'The transaction contains too many mutations. Insert and update operations count with the multiplicity of the number of columns they affect. Please reduce the number of writes, or use fewer indexes. (Maximum number: 80000)',
    failure: { kind: 'transaction-too-large' },
    words: 'too many mutations for one statement: Spanner takes at most 80000',
  },
  {
    pattern: 'too large a commit',
    code: C.INVALID_ARGUMENT,
    text: 'The transaction exceeds the maximum total bytes-size that can be handled by Spanner. Please reduce the size or number of the writes, or use fewer indexes. (Maximum size: 104857600)',
    failure: { kind: 'transaction-too-large' },
    words: 'too much data for one transaction: Spanner takes at most 104857600 bytes',
  },
  {
    pattern: 'transaction resource limits',
    code: C.INVALID_ARGUMENT,
    text: 'Transaction resource limits exceeded',
    failure: { kind: 'transaction-too-large' },
  },
  {
    pattern: 'request too large',
    code: C.RESOURCE_EXHAUSTED,
    text: 'Received message larger than max (1000422248 vs. 104857600)',
    failure: { kind: 'sql', sqlState: '54000' },
  },
  {
    pattern: 'stale read',
    code: C.FAILED_PRECONDITION,
    text: 'Table t has a read timestamp 2026-01-01T00:00:00Z that is past the version retention period',
    failure: { kind: 'stale-read' },
  },
  {
    pattern: 'value too large',
    code: C.OUT_OF_RANGE,
    text: 'Output of REPEAT exceeds max allowed output size of 1MB',
    failure: { kind: 'sql', sqlState: '54000' },
  },
  {
    pattern: 'sequence numbers',
    code: C.INVALID_ARGUMENT,
    text: 'Request has an out-of-order seqno. Request seqno=3. Last seen seqno=5.',
    failure: { kind: 'internal' },
  },
  {
    pattern: 'transaction over',
    code: C.FAILED_PRECONDITION,
    text: 'Cannot read or query using a transaction after it has been committed or rolledback.',
    failure: { kind: 'aborted' },
  },
  {
    pattern: 'transaction over',
    code: C.FAILED_PRECONDITION,
    text: 'This transaction has been invalidated by a later transaction in the same session.',
    failure: { kind: 'aborted' },
  },
  {
    pattern: 'duplicate column',
    code: C.FAILED_PRECONDITION,
    text: 'Duplicate column name base.a.',
    failure: { kind: 'sql', sqlState: '42701' },
  },
  {
    pattern: 'duplicate name',
    code: C.FAILED_PRECONDITION,
    text: 'Duplicate name in schema: base.',
    failure: { kind: 'object-exists' },
  },
  {
    pattern: 'duplicate table (production)',
    code: C.FAILED_PRECONDITION,
    text: 'Table base already exists',
    failure: { kind: 'object-exists' },
  },
  {
    pattern: 'no such object',
    code: C.NOT_FOUND,
    text: 't_x_check is not a constraint in t',
    failure: { kind: 'object-not-found' },
  },
  {
    pattern: 'dependants',
    code: C.FAILED_PRECONDITION,
    text: 'Cannot drop schema s while it has dependencies.\nDependent tables:s.q\nDependent indexes:s.qi',
    failure: { kind: 'sql', sqlState: '2BP01' },
  },
  {
    pattern: 'null in the way of NOT NULL',
    code: C.FAILED_PRECONDITION,
    text: 'Adding a NOT NULL constraint on a column t.v is not allowed because it contains a NULL value at key: {Int64(1)}',
    failure: { kind: 'not-null-violation', table: 't', column: 'v' },
  },
  {
    pattern: 'unsupported',
    code: C.UNIMPLEMENTED,
    text: 'Postgres function md5(text) is not supported',
    failure: { kind: 'unsupported' },
  },
  {
    pattern: 'unsupported',
    code: C.INVALID_ARGUMENT,
    text: 'Unable to resolve argument type. Please consider adding an explicit cast',
    failure: { kind: 'unsupported' },
  },
  {
    pattern: 'out of range',
    code: C.OUT_OF_RANGE,
    text: '[ERROR] value "9999999999999999999" is out of range for type bigint',
    words: 'value "9999999999999999999" is out of range for type bigint',
    failure: { kind: 'sql', sqlState: '22003' },
  },
  {
    pattern: 'field out of range',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] date/time field value out of range: "2024-13-01"\nHint: Perhaps you need a different "datestyle" setting.',
    words: 'date/time field value out of range: "2024-13-01"',
    failure: {
      kind: 'sql',
      sqlState: '22008',
      isBeyondSpanner: true,
      hint: 'Perhaps you need a different "datestyle" setting.',
    },
  },
  {
    pattern: 'datetime input',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] invalid input syntax for type timestamp with time zone: "x"',
    words: 'invalid input syntax for type timestamp with time zone: "x"',
    failure: { kind: 'sql', sqlState: '22007' },
  },
  {
    pattern: 'boolean text (PostgreSQL)',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] invalid input syntax for type boolean: "?maybe"',
    words: 'invalid input syntax for type boolean: "maybe"',
    failure: { kind: 'sql', sqlState: '22P02' },
  },
  {
    pattern: 'boolean text',
    code: C.OUT_OF_RANGE,
    text: 'Bad bool value: ?maybe',
    words: 'invalid input syntax for type boolean: "maybe"',
    failure: { kind: 'sql', sqlState: '22P02' },
  },
  {
    pattern: 'float overflow',
    code: C.OUT_OF_RANGE,
    text: 'float out of range: 1.79769e+308',
    words: 'value out of range: overflow',
    failure: { kind: 'sql', sqlState: '22003' },
  },
  {
    pattern: 'text input',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] invalid input syntax for type json\nDetail: Token "bad" is invalid.\nContext Message: JSON data, line 1: {bad',
    words: 'invalid input syntax for type json',
    failure: { kind: 'sql', sqlState: '22P02', detail: 'Token "bad" is invalid.' },
  },
  {
    pattern: 'stack depth',
    code: C.INTERNAL,
    text: 'stack depth limit exceeded',
    words: 'stack depth limit exceeded',
    failure: { kind: 'sql', sqlState: '54001' },
  },
  {
    pattern: 'no relation',
    code: C.NOT_FOUND,
    text: 'relation "missing" does not exist',
    failure: { kind: 'sql', sqlState: '42P01' },
  },
  {
    pattern: 'no FROM entry',
    code: C.NOT_FOUND,
    text: '[ERROR] missing FROM-clause entry for table "x"',
    words: 'missing FROM-clause entry for table "x"',
    failure: { kind: 'sql', sqlState: '42P01' },
  },
  {
    pattern: 'no column',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] column "missing" of relation "k" does not exist',
    words: 'column "missing" of relation "k" does not exist',
    failure: { kind: 'sql', sqlState: '42703' },
  },
  {
    pattern: 'no function',
    code: C.NOT_FOUND,
    text: '[ERROR] operator does not exist: text = bigint\nHint: No operator matches the given name and argument types. You might need to add explicit type casts.',
    words: 'operator does not exist: text = bigint',
    failure: {
      kind: 'sql',
      sqlState: '42883',
      hint: 'No operator matches the given name and argument types. You might need to add explicit type casts.',
    },
  },
  {
    pattern: 'no type',
    code: C.FAILED_PRECONDITION,
    text: 'Type <citext> does not exist.',
    failure: { kind: 'sql', sqlState: '42704' },
  },
  {
    pattern: 'no schema',
    code: C.NOT_FOUND,
    text: '[ERROR] schema "nosuch" does not exist',
    words: 'schema "nosuch" does not exist',
    failure: { kind: 'sql', sqlState: '3F000' },
  },
  {
    pattern: 'grouping',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] column "t.a" must appear in the GROUP BY clause or be used in an aggregate function',
    words: 'column "t.a" must appear in the GROUP BY clause or be used in an aggregate function',
    failure: { kind: 'sql', sqlState: '42803' },
  },
  {
    pattern: 'types',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] argument of WHERE must be type boolean, not type bigint',
    words: 'argument of WHERE must be type boolean, not type bigint',
    failure: { kind: 'sql', sqlState: '42804' },
  },
  {
    pattern: 'cast',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] cannot cast type bigint to boolean',
    words: 'cannot cast type bigint to boolean',
    failure: { kind: 'sql', sqlState: '42846' },
  },
  {
    pattern: 'syntax',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] syntax error at or near ")"; failed to parse the DDL statements.',
    words: 'syntax error at or near ")"',
    failure: { kind: 'sql', sqlState: '42601' },
  },
  {
    pattern: 'array type',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] cannot determine type of empty array\nHint: Explicitly cast to the desired type, for example ARRAY[]::integer[].',
    words: 'cannot determine type of empty array',
    failure: {
      kind: 'sql',
      sqlState: '42P18',
      hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
    },
  },
  {
    pattern: 'unicode escape',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] invalid Unicode escape',
    words: 'invalid Unicode escape',
    failure: { kind: 'sql', sqlState: '22025' },
  },
  {
    pattern: 'regular expression (PostgreSQL)',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] invalid regular expression: parentheses () not balanced',
    words: 'invalid regular expression: parentheses () not balanced',
    failure: { kind: 'sql', sqlState: '2201B' },
  },
  {
    pattern: 'number without an equal',
    code: C.OUT_OF_RANGE,
    text: '[ERROR] cannot convert NaN to bigint',
    words: 'cannot convert NaN to bigint',
    failure: { kind: 'sql', sqlState: '0A000' },
  },
  {
    pattern: 'infinite numeric',
    code: C.OUT_OF_RANGE,
    text: 'Cannot cast infinity to PG.NUMERIC',
    words: 'Cannot cast infinity to PG.NUMERIC',
    failure: { kind: 'sql', sqlState: '22003', isBeyondSpanner: true },
  },
  {
    pattern: 'parameter value',
    code: C.INVALID_ARGUMENT,
    text: '[ERROR] NUMERIC precision 2000 must be between 1 and 1000',
    words: 'NUMERIC precision 2000 must be between 1 and 1000',
    failure: { kind: 'sql', sqlState: '22023' },
  },
  {
    pattern: 'division by zero',
    code: C.OUT_OF_RANGE,
    text: 'division by zero: 1 / 0',
    words: 'division by zero',
    failure: { kind: 'sql', sqlState: '22012' },
  },
  {
    pattern: 'bigint overflow',
    code: C.OUT_OF_RANGE,
    text: 'int64 overflow: 9223372036854775807 + 1',
    words: 'bigint out of range',
    failure: { kind: 'sql', sqlState: '22003' },
  },
  {
    pattern: 'logarithm of zero',
    code: C.OUT_OF_RANGE,
    text: 'Floating point error in function: LN(0)',
    words: 'cannot take logarithm of zero',
    failure: { kind: 'sql', sqlState: '2201E' },
  },
  {
    pattern: 'logarithm of a negative number',
    code: C.OUT_OF_RANGE,
    text: 'Floating point error in function: LN(-1)',
    words: 'cannot take logarithm of a negative number',
    failure: { kind: 'sql', sqlState: '2201E' },
  },
  {
    pattern: 'float overflow',
    code: C.OUT_OF_RANGE,
    text: 'Floating point error in function: POW(10, 400)',
    words: 'value out of range: overflow',
    failure: { kind: 'sql', sqlState: '22003' },
  },
  {
    pattern: 'cast out of range',
    code: C.OUT_OF_RANGE,
    text: 'Cannot cast to double from 1000',
    failure: { kind: 'sql', sqlState: '22003', isBeyondSpanner: true },
  },
  {
    pattern: 'square root (PostgreSQL)',
    code: C.OUT_OF_RANGE,
    text: 'cannot take square root of a negative number',
    failure: { kind: 'sql', sqlState: '2201F' },
  },
  {
    pattern: 'substring (PostgreSQL)',
    code: C.OUT_OF_RANGE,
    text: 'negative substring length not allowed',
    failure: { kind: 'sql', sqlState: '22011' },
  },
  {
    pattern: 'path of jsonb (PostgreSQL)',
    code: C.INVALID_ARGUMENT,
    text: 'path element at position 1 is not an integer: "a"',
    failure: { kind: 'sql', sqlState: '22P02' },
  },
  {
    pattern: 'cast of jsonb',
    code: C.INVALID_ARGUMENT,
    text: 'cannot cast jsonb boolean to type bigint',
    failure: { kind: 'sql', sqlState: '22023' },
  },
  {
    pattern: 'elements of jsonb (PostgreSQL)',
    code: C.INVALID_ARGUMENT,
    text: 'cannot get array length of a scalar',
    failure: { kind: 'sql', sqlState: '22023' },
  },
  {
    pattern: 'elements of jsonb',
    code: C.UNIMPLEMENTED,
    text: 'ParseJsonbArray can only be called on a JSONB array',
    words: 'cannot get array length of a non-array',
    failure: { kind: 'sql', sqlState: '22023' },
  },
  {
    pattern: 'digits past bigint',
    code: C.OUT_OF_RANGE,
    text: 'Bad int64 value: 99999999999999999999',
    words: 'value "99999999999999999999" is out of range for type bigint',
    failure: { kind: 'sql', sqlState: '22003' },
  },
  {
    pattern: 'integer text',
    code: C.OUT_OF_RANGE,
    text: 'Bad int64 value: abc',
    words: 'invalid input syntax for type bigint: "abc"',
    failure: { kind: 'sql', sqlState: '22P02' },
  },
  {
    pattern: 'float text',
    code: C.OUT_OF_RANGE,
    text: 'Bad double value: x',
    words: 'invalid input syntax for type double precision: "x"',
    failure: { kind: 'sql', sqlState: '22P02' },
  },
  {
    pattern: 'number beyond bigint',
    code: C.OUT_OF_RANGE,
    text: 'int64 out of range: 1e+19',
    words: 'bigint out of range',
    failure: { kind: 'sql', sqlState: '22003' },
  },
  {
    pattern: 'invalid date',
    code: C.OUT_OF_RANGE,
    text: 'Input calculates to invalid date: 0000-00-00',
    words: 'date field value out of range',
    failure: { kind: 'sql', sqlState: '22008', isBeyondSpanner: true },
  },
  {
    pattern: 'square root of a negative number',
    code: C.OUT_OF_RANGE,
    text: 'Argument to SQRT cannot be negative: -1',
    words: 'cannot take square root of a negative number',
    failure: { kind: 'sql', sqlState: '2201F' },
  },
  {
    pattern: 'negative substring length',
    code: C.OUT_OF_RANGE,
    text: 'Third argument in SUBSTR() cannot be negative',
    words: 'negative substring length not allowed',
    failure: { kind: 'sql', sqlState: '22011' },
  },
  {
    pattern: 'scalar subquery of several rows',
    code: C.OUT_OF_RANGE,
    text: 'More than one element',
    words: 'more than one row returned by a subquery used as an expression',
    failure: { kind: 'sql', sqlState: '21000' },
  },
  {
    pattern: 'one row updated twice by ON CONFLICT',
    code: C.INVALID_ARGUMENT,
    text: 'Cannot affect a row second time for key: {Int64(1)}',
    words: 'ON CONFLICT DO UPDATE command cannot affect row a second time',
    failure: {
      kind: 'sql',
      sqlState: '21000',
      hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
    },
  },
  {
    pattern: 'sequence at its end',
    code: C.FAILED_PRECONDITION,
    text: 'Sequence s is exhausted',
    words: 'nextval: reached maximum value of sequence "s" (9223372036854775807)',
    failure: { kind: 'sql', sqlState: '2200H' },
  },
  {
    pattern: 'regular expression',
    code: C.OUT_OF_RANGE,
    text: 'Cannot parse regular expression: missing ): (',
    words: 'invalid regular expression: missing ): (',
    failure: { kind: 'sql', sqlState: '2201B' },
  },
  {
    pattern: 'LIKE pattern',
    code: C.OUT_OF_RANGE,
    text: 'LIKE pattern ends with a backslash',
    words: 'LIKE pattern must not end with escape character',
    failure: { kind: 'sql', sqlState: '22025' },
  },
  {
    pattern: 'integer parameter',
    code: C.FAILED_PRECONDITION,
    text: 'Could not parse abc as an integer',
    words: 'invalid input syntax for type bigint: "abc"',
    failure: { kind: 'sql', sqlState: '22P02' },
  },
  {
    pattern: 'date or time parameter',
    code: C.INVALID_ARGUMENT,
    text: "Could not parse 2024-01-01 00:00:00 as a TIMESTAMP. The timestamp value must end with an uppercase literal 'Z' to specify Zulu time (UTC-0).",
    failure: { kind: 'sql', sqlState: '22007' },
  },
  {
    pattern: 'parameter of another type',
    code: C.INVALID_ARGUMENT,
    text: 'Could not parse {bad as a JSONB. See https://cloud.google.com/spanner/docs/reference/postgresql/data-types for more details',
    failure: { kind: 'sql', sqlState: '22P02' },
  },
  {
    pattern: 'value of another type (production)',
    code: C.FAILED_PRECONDITION,
    text: 'Invalid value for column c in table t: Expected INT64.',
    failure: { kind: 'sql', sqlState: '22000' },
  },
]

t.test('captured texts', async (test) => {
  for (const { pattern, code, text, failure, words } of SAMPLES) {
    const error = toBackendError(new TransportError(code, text))
    test.same(error.failure, failure, text)
    test.equal(error.message, words ?? text)
    const message = text.replace(/^\[ERROR\] /, '').split('\n')[0] ?? ''
    const first = ERROR_PATTERNS.find(
      (candidate) =>
        (candidate.codes?.includes(code) ?? true) &&
        candidate.text.test(text.startsWith('[ERROR]') ? (message.split(';')[0] ?? '') : text),
    )
    test.equal(first?.name, pattern, text)
  }
})

t.test('every pattern has a sample', async (test) => {
  const sampled = new Set(SAMPLES.map(({ pattern }) => pattern))
  test.same(
    ERROR_PATTERNS.map(({ name }) => name).filter((name) => !sampled.has(name)),
    [],
  )
  test.equal(new Set(ERROR_PATTERNS.map(({ name }) => name)).size, ERROR_PATTERNS.length)
})

t.test('every status code has a meaning without a text', async (test) => {
  const kinds = Object.fromEntries(
    Object.entries(C).map(([name, code]) => [
      name,
      toBackendError(new TransportError(code, 'never seen before')).failure.kind,
    ]),
  )
  test.same(kinds, {
    OK: 'internal',
    CANCELLED: 'cancelled',
    UNKNOWN: 'internal',
    INVALID_ARGUMENT: 'unsupported',
    DEADLINE_EXCEEDED: 'deadline-exceeded',
    NOT_FOUND: 'object-not-found',
    ALREADY_EXISTS: 'object-exists',
    PERMISSION_DENIED: 'permission-denied',
    RESOURCE_EXHAUSTED: 'resource-exhausted',
    FAILED_PRECONDITION: 'sql',
    ABORTED: 'aborted',
    OUT_OF_RANGE: 'sql',
    UNIMPLEMENTED: 'unsupported',
    INTERNAL: 'internal',
    UNAVAILABLE: 'unavailable',
    DATA_LOSS: 'internal',
    UNAUTHENTICATED: 'unauthenticated',
  })
})

function any(type: string, value: Buffer): Buffer {
  return new ProtoWriter().string(1, `type.googleapis.com/${type}`).message(2, value).take()
}

function retryInfo(seconds: number, nanos: number): Buffer {
  const duration = new ProtoWriter().uint(1, seconds).uint(2, nanos).take()
  return new ProtoWriter().message(1, duration).take()
}

function status(code: number, message: string, ...details: readonly Buffer[]): Buffer {
  const writer = new ProtoWriter().uint(1, code).string(2, message)
  for (const detail of details) writer.message(3, detail)
  return writer.take()
}

t.test('details of a status', async (test) => {
  const inDetails = toBackendError(
    new TransportError(C.ABORTED, 'wounded', {
      statusDetails: status(10, 'wounded', any('google.rpc.RetryInfo', retryInfo(1, 250_000_000))),
    }),
  )
  test.same(inDetails.failure, { kind: 'aborted', retryDelayMs: 1250 })
  const inTrailer = toBackendError(
    new TransportError(C.ABORTED, 'wounded', { retryInfo: retryInfo(0, 9_000_000) }),
  )
  test.same(inTrailer.failure, { kind: 'aborted', retryDelayMs: 9 })
  const onlyThere = toBackendError(
    new TransportError(C.INTERNAL, '', { statusDetails: status(13, 'RET_CHECK failure') }),
  )
  test.equal(onlyThere.message, 'RET_CHECK failure')
  const resource = new ProtoWriter()
    .string(1, 'type.googleapis.com/google.spanner.v1.Session')
    .string(2, 's')
    .take()
  const gone = toBackendError(
    new TransportError(C.NOT_FOUND, 'in other words', {
      statusDetails: status(5, '', any('google.rpc.ResourceInfo', resource)),
    }),
  )
  test.same(gone.failure, { kind: 'session-not-found' })
  const entry = (name: string, text: string) =>
    new ProtoWriter().string(1, name).string(2, text).take()
  const info = (domain: string) =>
    new ProtoWriter()
      .string(1, 'CONSTRAINT_VIOLATION')
      .string(2, domain)
      .message(3, entry('constraint', 'fk'))
      .message(3, entry('key', '1, x'))
      .take()
  const referenced =
    'Foreign key constraint violation when deleting or updating referenced row(s): referencing row(s) found in table `t`.'
  const violated = (domain: string) =>
    toBackendError(
      new TransportError(C.FAILED_PRECONDITION, referenced, {
        statusDetails: status(9, referenced, any('google.rpc.ErrorInfo', info(domain))),
      }),
    ).failure
  const plain = { kind: 'foreign-key-violation', side: 'referenced', table: 't' }
  test.same(violated('spanwire'), { ...plain, constraint: 'fk', keyText: '1, x' })
  test.same(violated('spanner.googleapis.com'), plain)
  const garbage = toBackendError(
    new TransportError(C.ABORTED, 'x', {
      statusDetails: Buffer.from([255]),
      retryInfo: Buffer.from([255]),
    }),
  )
  test.same(garbage.failure, { kind: 'aborted' })
})

t.test('an error that is ours stays what it is', async (test) => {
  const error = new BackendError('x', { failure: { kind: 'internal' }, grpcCode: 13 })
  test.equal(toBackendError(error), error)
  test.throws(() => toBackendError(new TypeError('a defect')), TypeError)
})

t.test('keys in texts', async (test) => {
  const keys: readonly (readonly [text: string, key: readonly (string | null)[] | undefined])[] = [
    ['{Int64(1), String("x, \\"y\\"")}', ['1', 'x, "y"']],
    ['{Int64(NULL), String("NULL")}', [null, 'NULL']],
    ['{String("é\\n\\t"), Bytes(b"\\xff")}', ['é\n\t', '\\xff']],
    [
      '{pk#a:1, pk#b:"a\\"b\\\\c\'é,)", pk#c:b\'\\x00\\xff"\', pk#d:2024-01-01 10:00:00+00, pk#f:true}',
      ['1', 'a"b\\c\'é,)', '\\x00ff22', '2024-01-01 10:00:00+00', 'true'],
    ],
    ['{}', []],
    ['[1,NULL,x]', ['1', null, 'x']],
    ['{Int64(1), "broken', undefined],
    ['nothing of the kind', undefined],
  ]
  for (const [text, key] of keys) test.same(parseErrorKey(text), key, text)
})
