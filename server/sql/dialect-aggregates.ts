import { findPgType, OID } from '../types/pg-type.ts'
import { findStorage } from '../types/storage.ts'
import { at, type CallRow, call, form, literalText, type RuleFlags } from './dialect-printers.ts'

/** Spanner's sum of whole numbers is numeric; PostgreSQL's of the smaller ones is bigint. */
const SUM_AS_BIGINT = form('sum($1)::bigint')

/** Spanner has no arrays of arrays, and none of json. */
const OF_STORED: RuleFlags = {
  accepts: (_args, { argTypes: [type = 0] }) =>
    findPgType(type)?.elementOid === undefined && findStorage(type, -1) !== undefined,
}

/** Spanner takes no delimiter that changes from row to row. */
const BY_CONSTANT: RuleFlags = {
  accepts: (args) =>
    /^\$\d+(?:$| )/.test(at(args, 1)) ||
    literalText(at(args, 1).replace(/ ORDER BY .*$/s, '')) !== undefined,
}

/** Elements whose JSON is the same as array and one by one. */
const PLAIN = new Set<number>([
  OID.bool,
  OID.int2,
  OID.int4,
  OID.int8,
  OID.numeric,
  OID.text,
  OID.varchar,
  OID.uuid,
])
const OF_PLAIN: RuleFlags = {
  accepts: (_args, { argTypes: [type = 0] }) => PLAIN.has(type),
}

/** The aggregates of the allow-list. Sums and averages of floats depend on the order of the rows, in PostgreSQL as well. */
export const AGGREGATE_ROWS: readonly CallRow[] = [
  [2803, 'count(*)', () => 'count(*)'],
  [2147, 'count("any")', call('count')],
  [2109, 'sum(smallint)', SUM_AS_BIGINT],
  [2108, 'sum(integer)', SUM_AS_BIGINT],
  [2107, 'sum(bigint)', call('sum')],
  [2114, 'sum(numeric)', call('sum')],
  [2111, 'sum(double precision)', call('sum')],
  [2102, 'avg(smallint)', call('avg')],
  [2101, 'avg(integer)', call('avg')],
  [2100, 'avg(bigint)', call('avg')],
  [2103, 'avg(numeric)', call('avg')],
  [2105, 'avg(double precision)', call('avg')],
  [2117, 'max(smallint)', call('max')],
  [2116, 'max(integer)', call('max')],
  [2115, 'max(bigint)', call('max')],
  [2118, 'max(oid)', call('max')],
  [2130, 'max(numeric)', call('max')],
  [2125, 'max(money)', call('max')],
  [2119, 'max(real)', call('max')],
  [2120, 'max(double precision)', call('max')],
  [2122, 'max(date)', call('max')],
  [2123, 'max(time without time zone)', call('max')],
  [2126, 'max(timestamp without time zone)', call('max')],
  [2127, 'max(timestamp with time zone)', call('max')],
  [2129, 'max(text)', call('max')],
  [2133, 'min(smallint)', call('min')],
  [2132, 'min(integer)', call('min')],
  [2131, 'min(bigint)', call('min')],
  [2134, 'min(oid)', call('min')],
  [2146, 'min(numeric)', call('min')],
  [2141, 'min(money)', call('min')],
  [2135, 'min(real)', call('min')],
  [2136, 'min(double precision)', call('min')],
  [2138, 'min(date)', call('min')],
  [2139, 'min(time without time zone)', call('min')],
  [2142, 'min(timestamp without time zone)', call('min')],
  [2143, 'min(timestamp with time zone)', call('min')],
  [2145, 'min(text)', call('min')],
  [2517, 'bool_and(boolean)', call('bool_and')],
  [2518, 'bool_or(boolean)', call('bool_or')],
  [2519, 'every(boolean)', call('bool_and')],
  [2236, 'bit_and(smallint)', call('bit_and')],
  [2238, 'bit_and(integer)', call('bit_and')],
  [2240, 'bit_and(bigint)', call('bit_and')],
  [2237, 'bit_or(smallint)', call('bit_or')],
  [2239, 'bit_or(integer)', call('bit_or')],
  [2241, 'bit_or(bigint)', call('bit_or')],
  [2335, 'array_agg(anynonarray)', call('array_agg'), OF_STORED],
  [3538, 'string_agg(text, text)', call('string_agg'), BY_CONSTANT],
  [3267, 'jsonb_agg(anyelement)', form('to_jsonb(array_agg($1))'), OF_PLAIN],
  [3175, 'json_agg(anyelement)', form('to_jsonb(array_agg($1))::text'), OF_PLAIN],
]
