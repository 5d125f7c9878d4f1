import { SQL_STATE } from '../base/sql-state.ts'
import { beyondSpanner, type ErrorPattern, sql } from './error-pattern.ts'

/** PostgreSQL's own words, by which its SQLSTATE is known. */
export const POSTGRESQL_PATTERNS: readonly ErrorPattern[] = [
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
    failure: beyondSpanner(SQL_STATE.datetimeFieldOverflow),
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
    name: 'boolean text (PostgreSQL)',
    text: /^invalid input syntax for type boolean: "\?(?<value>.*)"$/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
    words: ({ value }) => `invalid input syntax for type boolean: "${value ?? ''}"`,
  },
  {
    name: 'text input',
    text: /^invalid input syntax for type |^malformed (?:array|record|range) literal|^invalid input value for enum/s,
    failure: sql(SQL_STATE.invalidTextRepresentation),
  },
  {
    name: 'stack depth',
    text: /^stack depth limit exceeded/s,
    failure: sql(SQL_STATE.statementTooComplex),
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
    failure: beyondSpanner(SQL_STATE.numericValueOutOfRange),
  },
  {
    name: 'parameter value',
    text: /^NUMERIC precision |^unit ".*" not recognized/s,
    failure: sql(SQL_STATE.invalidParameterValue),
  },
]
