import { SQL_STATE } from '../base/sql-state.ts'
import { beyondSpanner, type ErrorPattern, sql } from './error-pattern.ts'
import { GRPC_CODE } from './transport.ts'

const { FAILED_PRECONDITION, INVALID_ARGUMENT, OUT_OF_RANGE } = GRPC_CODE

/** Evaluation: Spanner's own words for what PostgreSQL says otherwise. */
export const EVALUATION_PATTERNS: readonly ErrorPattern[] = [
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
    text: /^Floating point (?:error|overflow)|^double overflow|^float overflow|^float out of range: /s,
    failure: sql(SQL_STATE.numericValueOutOfRange),
    words: () => 'value out of range: overflow',
  },
  {
    // The emulator, which has no numeric sort keys, sorts numerics as floats first.
    name: 'cast out of range',
    text: /^Cannot cast to \w+ from|out of int64 range/s,
    failure: beyondSpanner(SQL_STATE.numericValueOutOfRange),
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
    name: 'one row updated twice by ON CONFLICT',
    text: /^Cannot affect a row second time/s,
    failure: () => ({
      kind: 'sql',
      sqlState: SQL_STATE.cardinalityViolation,
      hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
    }),
    words: () => 'ON CONFLICT DO UPDATE command cannot affect row a second time',
  },
  {
    // Spanner's sequences have the bounds of bigint.
    name: 'sequence at its end',
    text: /^Sequence (?:.*\.)?(?<name>\S+) is exhausted/s,
    failure: sql(SQL_STATE.sequenceGeneratorLimitExceeded),
    words: ({ name }) =>
      `nextval: reached maximum value of sequence "${name ?? ''}" (9223372036854775807)`,
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
    failure: beyondSpanner(SQL_STATE.datetimeFieldOverflow),
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
    // A text that is no boolean is told apart by what the cast puts before it (sql/dialect-casts.ts).
    name: 'boolean text',
    text: /^Bad bool value: \?(?<value>.*)$/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
    words: ({ value }) => `invalid input syntax for type boolean: "${value ?? ''}"`,
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
