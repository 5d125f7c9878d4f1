import { call, type Printer, type RuleFlags } from './dialect-printers.ts'

/** OID in pg_proc, the aggregate with its arguments' types, how Spanner writes it, and what is special about it. */
export type AggregateRow = readonly [
  oid: number,
  signature: string,
  print: Printer,
  flags?: RuleFlags,
]

export const AGGREGATE_ROWS: readonly AggregateRow[] = [
  [2803, 'count(*)', () => 'count(*)'],
  [2147, 'count("any")', call('count')],
  [2109, 'sum(smallint)', call('sum')],
  [2108, 'sum(integer)', call('sum')],
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
  [2130, 'max(numeric)', call('max')],
  [2122, 'max(date)', call('max')],
  [2126, 'max(timestamp without time zone)', call('max')],
  [2127, 'max(timestamp with time zone)', call('max')],
  [2129, 'max(text)', call('max')],
  [2133, 'min(smallint)', call('min')],
  [2132, 'min(integer)', call('min')],
  [2131, 'min(bigint)', call('min')],
  [2146, 'min(numeric)', call('min')],
  [2138, 'min(date)', call('min')],
  [2142, 'min(timestamp without time zone)', call('min')],
  [2143, 'min(timestamp with time zone)', call('min')],
  [2145, 'min(text)', call('min')],
  [2517, 'bool_and(boolean)', call('bool_and')],
  [2518, 'bool_or(boolean)', call('bool_or')],
  [2519, 'every(boolean)', call('bool_and')],
]
