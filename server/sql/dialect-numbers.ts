import type { Printer } from './dialect.ts'
import {
  at,
  CAN_FAIL,
  type CallRow,
  call,
  castTo,
  FIRST,
  form,
  INT2,
  INT4,
  literalInteger,
  literalText,
  type RuleFlags,
  same,
} from './dialect-printers.ts'
import { halfEven, toReal } from './float-forms.ts'

const FAILING_INT2 = { ...INT2, ...CAN_FAIL } as const
const FAILING_INT4 = { ...INT4, ...CAN_FAIL } as const
const FAILING_FLOAT = { ...FIRST, ...CAN_FAIL } as const

/** A float as the nearest whole number. */
const WHOLE = form(`(${halfEven('$1')})::bigint`)
const WHOLE_OF_REAL = form(`(${halfEven('$1::float8')})::bigint`)

/** Spanner has no round of numerics, but a cast that rounds. */
const ROUND_TO: Printer = (args) => `${at(args, 0)}::numeric(1000, ${at(args, 1)})`
const MAX_SCALE = 500

/** The number of digits is known, and one that both have. */
const TO_DIGITS: RuleFlags = {
  accepts: (args) => {
    const digits = literalInteger(at(args, 1))
    return digits !== undefined && digits >= 0 && digits <= MAX_SCALE
  },
}

/** The sign of NaN is NaN for a numeric, and 0 for a float. */
const SIGN_OF_NUMERIC = form(
  "CASE WHEN $1 = 'NaN'::numeric THEN $1 WHEN $1 > 0 THEN 1::numeric WHEN $1 < 0 THEN (-1)::numeric WHEN $1 = 0 THEN 0::numeric END",
)
const SIGN_OF_FLOAT = form("CASE WHEN $1 = 'NaN'::float8 THEN 0::float8 ELSE sign($1) END")

/** Formats of to_char for numbers that are made of digits, a point and commas. */
const IN_PLAIN_FORMAT: RuleFlags = {
  accepts: (args) => /^(?:FM)?[09,]*(?:\.[09]*)?$/.test(literalText(at(args, 1)) ?? '?'),
}

export const NUMBER_FUNCTIONS: readonly CallRow[] = [
  // Casts between whole numbers: Spanner has one size.
  [313, 'int4(smallint)', same],
  [754, 'int8(smallint)', same],
  [481, 'int8(integer)', same],
  [480, 'int4(bigint)', same, FAILING_INT4],
  [714, 'int2(bigint)', same, FAILING_INT2],
  [314, 'int2(integer)', same, FAILING_INT2],
  [1288, 'int8(oid)', same],

  // Casts between kinds of numbers.
  [235, 'float8(smallint)', castTo('double precision')],
  [316, 'float8(integer)', castTo('double precision')],
  [482, 'float8(bigint)', castTo('double precision')],
  [311, 'float8(real)', castTo('double precision'), FIRST],
  [1746, 'float8(numeric)', castTo('double precision'), CAN_FAIL],
  [236, 'float4(smallint)', castTo('real')],
  [318, 'float4(integer)', castTo('real')],
  [652, 'float4(bigint)', castTo('real')],
  [312, 'float4(double precision)', toReal, FAILING_FLOAT],
  [1782, 'numeric(smallint)', castTo('numeric')],
  [1740, 'numeric(integer)', castTo('numeric')],
  [1781, 'numeric(bigint)', castTo('numeric')],
  [1743, 'numeric(double precision)', castTo('numeric'), FAILING_FLOAT],
  [1742, 'numeric(real)', castTo('numeric'), FAILING_FLOAT],
  [483, 'int8(double precision)', WHOLE, FAILING_FLOAT],
  [317, 'int4(double precision)', WHOLE, { ...FAILING_FLOAT, ...INT4 }],
  [237, 'int2(double precision)', WHOLE, { ...FAILING_FLOAT, ...INT2 }],
  [653, 'int8(real)', WHOLE_OF_REAL, FAILING_FLOAT],
  [319, 'int4(real)', WHOLE_OF_REAL, { ...FAILING_FLOAT, ...INT4 }],
  [238, 'int2(real)', WHOLE_OF_REAL, { ...FAILING_FLOAT, ...INT2 }],
  [1779, 'int8(numeric)', castTo('bigint'), CAN_FAIL],
  [1744, 'int4(numeric)', castTo('bigint'), FAILING_INT4],
  [1783, 'int2(numeric)', castTo('bigint'), FAILING_INT2],
  [2558, 'int4(boolean)', form('CASE WHEN $1 THEN 1 WHEN NOT $1 THEN 0 END')],
  [2557, 'bool(integer)', form('$1 <> 0')],

  // In FROM.
  [1067, 'generate_series(integer, integer)', call('generate_series')],
  [1069, 'generate_series(bigint, bigint)', call('generate_series')],
  [1066, 'generate_series(integer, integer, integer)', call('generate_series')],
  [1068, 'generate_series(bigint, bigint, bigint)', call('generate_series')],

  // Whole numbers.
  [1396, 'abs(bigint)', call('abs')],
  [1397, 'abs(integer)', call('abs'), INT4],
  [1398, 'abs(smallint)', call('abs'), INT2],
  [947, 'mod(bigint, bigint)', call('mod'), CAN_FAIL],
  [941, 'mod(integer, integer)', call('mod'), CAN_FAIL],
  [940, 'mod(smallint, smallint)', call('mod'), CAN_FAIL],
  [1774, 'to_char(bigint, text)', call('to_char'), IN_PLAIN_FORMAT],
  [1773, 'to_char(integer, text)', call('to_char'), IN_PLAIN_FORMAT],

  // Numerics.
  [1705, 'abs(numeric)', call('abs')],
  [1711, 'ceil(numeric)', call('ceil')],
  [2167, 'ceiling(numeric)', call('ceil')],
  [1712, 'floor(numeric)', call('floor')],
  [1708, 'round(numeric)', form('$1::numeric(1000, 0)')],
  [1707, 'round(numeric, integer)', ROUND_TO, TO_DIGITS],
  [1710, 'trunc(numeric)', form('trunc($1, 0)')],
  [1709, 'trunc(numeric, integer)', call('trunc'), TO_DIGITS],
  [1706, 'sign(numeric)', SIGN_OF_NUMERIC],
  [1973, 'div(numeric, numeric)', call('div'), CAN_FAIL],
  [1980, 'numeric_div_trunc(numeric, numeric)', call('div'), CAN_FAIL],
  [1728, 'mod(numeric, numeric)', call('mod'), CAN_FAIL],
  [1772, 'to_char(numeric, text)', call('to_char'), IN_PLAIN_FORMAT],

  // Floats. What the C library computes (exp, ln, sin, power ..) may differ in the last digit, and is not here.
  [1395, 'abs(double precision)', call('abs'), FIRST],
  [1394, 'abs(real)', call('abs'), FIRST],
  [1342, 'round(double precision)', form(halfEven('$1')), FIRST],
  [1343, 'trunc(double precision)', call('trunc'), FIRST],
  [2308, 'ceil(double precision)', call('ceil'), FIRST],
  [2320, 'ceiling(double precision)', call('ceil'), FIRST],
  [2309, 'floor(double precision)', call('floor'), FIRST],
  [2310, 'sign(double precision)', SIGN_OF_FLOAT, FIRST],
  [1344, 'sqrt(double precision)', call('sqrt'), FAILING_FLOAT],
  [230, 'dsqrt(double precision)', call('sqrt'), FAILING_FLOAT],
]
