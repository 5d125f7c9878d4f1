import { call, castTo, type Printer, type RuleFlags, same } from './dialect-printers.ts'

/** OID in pg_proc, the function with its arguments' types, how Spanner writes it, and what is special about it. */
export type FunctionRow = readonly [
  oid: number,
  signature: string,
  print: Printer,
  flags?: RuleFlags,
]

const INT2 = { resultRange: 'int2' } as const
const INT4 = { resultRange: 'int4' } as const

export const FUNCTION_ROWS: readonly FunctionRow[] = [
  // Casts between whole numbers: Spanner has one size.
  [313, 'int4(smallint)', same],
  [754, 'int8(smallint)', same],
  [481, 'int8(integer)', same],
  [480, 'int4(bigint)', same, INT4],
  [714, 'int2(bigint)', same, INT2],
  [314, 'int2(integer)', same, INT2],

  // Casts to wider kinds of numbers.
  [235, 'float8(smallint)', castTo('double precision')],
  [316, 'float8(integer)', castTo('double precision')],
  [482, 'float8(bigint)', castTo('double precision')],
  [1782, 'numeric(smallint)', castTo('numeric')],
  [1740, 'numeric(integer)', castTo('numeric')],
  [1781, 'numeric(bigint)', castTo('numeric')],

  // Text.
  [870, 'lower(text)', call('lower')],
  [871, 'upper(text)', call('upper')],
  [1317, 'length(text)', call('length')],
  [1381, 'char_length(text)', call('length')],
  [1369, 'character_length(text)', call('length')],
  [2087, 'replace(text, text, text)', call('replace')],
  [3062, 'reverse(text)', call('reverse')],
  [885, 'btrim(text)', call('btrim')],
  [881, 'ltrim(text)', call('ltrim')],
  [882, 'rtrim(text)', call('rtrim')],
  [868, 'strpos(text, text)', call('strpos')],
  [3696, 'starts_with(text, text)', call('starts_with')],

  // Numbers.
  [1396, 'abs(bigint)', call('abs')],
  [1397, 'abs(integer)', call('abs'), INT4],
  [1398, 'abs(smallint)', call('abs'), INT2],
  [1705, 'abs(numeric)', call('abs')],
  [1711, 'ceil(numeric)', call('ceil')],
  [2167, 'ceiling(numeric)', call('ceil')],
  [1712, 'floor(numeric)', call('floor')],
  [947, 'mod(bigint, bigint)', call('mod')],
  [941, 'mod(integer, integer)', call('mod')],
  [940, 'mod(smallint, smallint)', call('mod')],
]
