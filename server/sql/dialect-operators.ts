import {
  at,
  call,
  form,
  infix,
  type Printer,
  prefix,
  type RuleFlags,
  same,
} from './dialect-printers.ts'

/** OID in pg_operator, the operator with its operands' types, how Spanner writes it, and what is special about it. */
export type OperatorRow = readonly [
  oid: number,
  signature: string,
  print: Printer,
  flags?: RuleFlags,
]

const INT2 = { resultRange: 'int2' } as const
const INT4 = { resultRange: 'int4' } as const
const FLOATS = { diesOfNull: [0, 1] } as const
const FIRST = { diesOfNull: [0] } as const
const SECOND = { diesOfNull: [1] } as const

/** A date as the timestamp (stored at UTC) at which it begins. */
const MIDNIGHT = (date: string) => `(${date}::varchar || ' 00:00:00+00')::timestamptz`

interface Float {
  readonly type: string
  /** Near the greatest value: ten times this is too much. */
  readonly great: string
}
const DOUBLE: Float = { type: 'double precision', great: '1e308' }
const REAL: Float = { type: 'real', great: '3e38' }

/*
 * PostgreSQL:  a * b   22003 where the product of two numbers is too small to be told from 0, NaN / 0 is NaN
 * Spanner:     a * b   0 there, 22012
 */
function product(a: string, b: string, float: Float): Printer {
  return form(
    `CASE WHEN ${a} * ${b} = 0 AND ${a} <> 0 AND ${b} <> 0 THEN ${outOfRange(a, float)} ELSE ${a} * ${b} END`,
  )
}

function quotient(a: string, b: string, float: Float): Printer {
  const nan = `WHEN ${b} = 0 AND ${a} = 'NaN'::${float.type} THEN ${a}`
  const tooSmall = `WHEN ${a} / ${b} = 0 AND ${a} <> 0 AND abs(${b}) <> 'Infinity'::${float.type}`
  return form(`CASE ${nan} ${tooSmall} THEN ${outOfRange(a, float)} ELSE ${a} / ${b} END`)
}

/** Fails with 22003 for any number; it holds the number so that nobody computes it beforehand. */
function outOfRange(a: string, { type, great }: Float): string {
  return `(${a} * '0'::${type} + '${great}'::${type}) * '10'::${type}`
}

const LITERAL_INDEX: RuleFlags = { accepts: (args) => isNaturalLiteral(at(args, 1)) }

/** PostgreSQL counts negative subscripts from the array's end, Spanner answers NULL: it is made to fail instead. */
function fromStart(operator: string): Printer {
  return (args) => {
    const index = at(args, 1)
    if (isNaturalLiteral(index)) return infix(operator)(args)
    return `${at(args, 0)} ${operator} (CASE WHEN ${index} < 0 THEN ${index} * 9223372036854775807 * 4 ELSE ${index} END)`
  }
}

function isNaturalLiteral(sql: string): boolean {
  return /^\d+$/.test(sql)
}

export const OPERATOR_ROWS: readonly OperatorRow[] = [
  // Comparisons of whole numbers of any size.
  [94, 'smallint = smallint', infix('=')],
  [519, 'smallint <> smallint', infix('<>')],
  [95, 'smallint < smallint', infix('<')],
  [522, 'smallint <= smallint', infix('<=')],
  [520, 'smallint > smallint', infix('>')],
  [524, 'smallint >= smallint', infix('>=')],
  [532, 'smallint = integer', infix('=')],
  [538, 'smallint <> integer', infix('<>')],
  [534, 'smallint < integer', infix('<')],
  [540, 'smallint <= integer', infix('<=')],
  [536, 'smallint > integer', infix('>')],
  [542, 'smallint >= integer', infix('>=')],
  [1862, 'smallint = bigint', infix('=')],
  [1863, 'smallint <> bigint', infix('<>')],
  [1864, 'smallint < bigint', infix('<')],
  [1866, 'smallint <= bigint', infix('<=')],
  [1865, 'smallint > bigint', infix('>')],
  [1867, 'smallint >= bigint', infix('>=')],
  [533, 'integer = smallint', infix('=')],
  [539, 'integer <> smallint', infix('<>')],
  [535, 'integer < smallint', infix('<')],
  [541, 'integer <= smallint', infix('<=')],
  [537, 'integer > smallint', infix('>')],
  [543, 'integer >= smallint', infix('>=')],
  [96, 'integer = integer', infix('=')],
  [518, 'integer <> integer', infix('<>')],
  [97, 'integer < integer', infix('<')],
  [523, 'integer <= integer', infix('<=')],
  [521, 'integer > integer', infix('>')],
  [525, 'integer >= integer', infix('>=')],
  [15, 'integer = bigint', infix('=')],
  [36, 'integer <> bigint', infix('<>')],
  [37, 'integer < bigint', infix('<')],
  [80, 'integer <= bigint', infix('<=')],
  [76, 'integer > bigint', infix('>')],
  [82, 'integer >= bigint', infix('>=')],
  [1868, 'bigint = smallint', infix('=')],
  [1869, 'bigint <> smallint', infix('<>')],
  [1870, 'bigint < smallint', infix('<')],
  [1872, 'bigint <= smallint', infix('<=')],
  [1871, 'bigint > smallint', infix('>')],
  [1873, 'bigint >= smallint', infix('>=')],
  [416, 'bigint = integer', infix('=')],
  [417, 'bigint <> integer', infix('<>')],
  [418, 'bigint < integer', infix('<')],
  [420, 'bigint <= integer', infix('<=')],
  [419, 'bigint > integer', infix('>')],
  [430, 'bigint >= integer', infix('>=')],
  [410, 'bigint = bigint', infix('=')],
  [411, 'bigint <> bigint', infix('<>')],
  [412, 'bigint < bigint', infix('<')],
  [414, 'bigint <= bigint', infix('<=')],
  [413, 'bigint > bigint', infix('>')],
  [415, 'bigint >= bigint', infix('>=')],
  [607, 'oid = oid', infix('=')],
  [608, 'oid <> oid', infix('<>')],
  [609, 'oid < oid', infix('<')],
  [611, 'oid <= oid', infix('<=')],
  [610, 'oid > oid', infix('>')],
  [612, 'oid >= oid', infix('>=')],

  // Comparisons of floats: NaN is equal to itself and greater than all else on both sides.
  [620, 'real = real', infix('='), FLOATS],
  [621, 'real <> real', infix('<>'), FLOATS],
  [622, 'real < real', infix('<'), FLOATS],
  [624, 'real <= real', infix('<='), FLOATS],
  [623, 'real > real', infix('>'), FLOATS],
  [625, 'real >= real', infix('>='), FLOATS],
  [670, 'double precision = double precision', infix('='), FLOATS],
  [671, 'double precision <> double precision', infix('<>'), FLOATS],
  [672, 'double precision < double precision', infix('<'), FLOATS],
  [673, 'double precision <= double precision', infix('<='), FLOATS],
  [674, 'double precision > double precision', infix('>'), FLOATS],
  [675, 'double precision >= double precision', infix('>='), FLOATS],
  [1120, 'real = double precision', form('$1::double precision = $2'), FLOATS],
  [1121, 'real <> double precision', form('$1::double precision <> $2'), FLOATS],
  [1122, 'real < double precision', form('$1::double precision < $2'), FLOATS],
  [1124, 'real <= double precision', form('$1::double precision <= $2'), FLOATS],
  [1123, 'real > double precision', form('$1::double precision > $2'), FLOATS],
  [1125, 'real >= double precision', form('$1::double precision >= $2'), FLOATS],
  [1130, 'double precision = real', form('$1 = $2::double precision'), FLOATS],
  [1131, 'double precision <> real', form('$1 <> $2::double precision'), FLOATS],
  [1132, 'double precision < real', form('$1 < $2::double precision'), FLOATS],
  [1134, 'double precision <= real', form('$1 <= $2::double precision'), FLOATS],
  [1133, 'double precision > real', form('$1 > $2::double precision'), FLOATS],
  [1135, 'double precision >= real', form('$1 >= $2::double precision'), FLOATS],

  // Comparisons of numerics.
  [1752, 'numeric = numeric', infix('=')],
  [1753, 'numeric <> numeric', infix('<>')],
  [1754, 'numeric < numeric', infix('<')],
  [1755, 'numeric <= numeric', infix('<=')],
  [1756, 'numeric > numeric', infix('>')],
  [1757, 'numeric >= numeric', infix('>=')],

  // Comparisons of texts: by bytes, as under LC_COLLATE C.
  [98, 'text = text', infix('=')],
  [531, 'text <> text', infix('<>')],
  [664, 'text < text', infix('<')],
  [665, 'text <= text', infix('<=')],
  [666, 'text > text', infix('>')],
  [667, 'text >= text', infix('>=')],
  [93, 'name = name', infix('=')],
  [643, 'name <> name', infix('<>')],
  [660, 'name < name', infix('<')],
  [661, 'name <= name', infix('<=')],
  [662, 'name > name', infix('>')],
  [663, 'name >= name', infix('>=')],
  [254, 'name = text', infix('=')],
  [259, 'name <> text', infix('<>')],
  [255, 'name < text', infix('<')],
  [256, 'name <= text', infix('<=')],
  [258, 'name > text', infix('>')],
  [257, 'name >= text', infix('>=')],
  [260, 'text = name', infix('=')],
  [265, 'text <> name', infix('<>')],
  [261, 'text < name', infix('<')],
  [262, 'text <= name', infix('<=')],
  [264, 'text > name', infix('>')],
  [263, 'text >= name', infix('>=')],
  [1054, 'character = character', infix('=')],
  [1057, 'character <> character', infix('<>')],
  [1058, 'character < character', infix('<')],
  [1059, 'character <= character', infix('<=')],
  [1060, 'character > character', infix('>')],
  [1061, 'character >= character', infix('>=')],

  // Comparisons of other types.
  [1955, 'bytea = bytea', infix('=')],
  [1956, 'bytea <> bytea', infix('<>')],
  [1957, 'bytea < bytea', infix('<')],
  [1958, 'bytea <= bytea', infix('<=')],
  [1959, 'bytea > bytea', infix('>')],
  [1960, 'bytea >= bytea', infix('>=')],
  [1093, 'date = date', infix('=')],
  [1094, 'date <> date', infix('<>')],
  [1095, 'date < date', infix('<')],
  [1096, 'date <= date', infix('<=')],
  [1097, 'date > date', infix('>')],
  [1098, 'date >= date', infix('>=')],
  [2060, 'timestamp without time zone = timestamp without time zone', infix('=')],
  [2061, 'timestamp without time zone <> timestamp without time zone', infix('<>')],
  [2062, 'timestamp without time zone < timestamp without time zone', infix('<')],
  [2063, 'timestamp without time zone <= timestamp without time zone', infix('<=')],
  [2064, 'timestamp without time zone > timestamp without time zone', infix('>')],
  [2065, 'timestamp without time zone >= timestamp without time zone', infix('>=')],
  [1320, 'timestamp with time zone = timestamp with time zone', infix('=')],
  [1321, 'timestamp with time zone <> timestamp with time zone', infix('<>')],
  [1322, 'timestamp with time zone < timestamp with time zone', infix('<')],
  [1323, 'timestamp with time zone <= timestamp with time zone', infix('<=')],
  [1324, 'timestamp with time zone > timestamp with time zone', infix('>')],
  [1325, 'timestamp with time zone >= timestamp with time zone', infix('>=')],
  [1108, 'time without time zone = time without time zone', infix('=')],
  [1109, 'time without time zone <> time without time zone', infix('<>')],
  [1110, 'time without time zone < time without time zone', infix('<')],
  [1111, 'time without time zone <= time without time zone', infix('<=')],
  [1112, 'time without time zone > time without time zone', infix('>')],
  [1113, 'time without time zone >= time without time zone', infix('>=')],
  [91, 'boolean = boolean', infix('=')],
  [85, 'boolean <> boolean', infix('<>')],
  [58, 'boolean < boolean', infix('<')],
  [1694, 'boolean <= boolean', infix('<=')],
  [59, 'boolean > boolean', infix('>')],
  [1695, 'boolean >= boolean', infix('>=')],
  [2972, 'uuid = uuid', infix('=')],
  [2973, 'uuid <> uuid', infix('<>')],
  [2974, 'uuid < uuid', infix('<')],
  [2976, 'uuid <= uuid', infix('<=')],
  [2975, 'uuid > uuid', infix('>')],
  [2977, 'uuid >= uuid', infix('>=')],
  [2347, 'date = timestamp without time zone', form(`${MIDNIGHT('$1')} = $2`), FIRST],
  [2350, 'date <> timestamp without time zone', form(`${MIDNIGHT('$1')} <> $2`), FIRST],
  [2345, 'date < timestamp without time zone', form(`${MIDNIGHT('$1')} < $2`), FIRST],
  [2346, 'date <= timestamp without time zone', form(`${MIDNIGHT('$1')} <= $2`), FIRST],
  [2349, 'date > timestamp without time zone', form(`${MIDNIGHT('$1')} > $2`), FIRST],
  [2348, 'date >= timestamp without time zone', form(`${MIDNIGHT('$1')} >= $2`), FIRST],
  [2373, 'timestamp without time zone = date', form(`$1 = ${MIDNIGHT('$2')}`), SECOND],
  [2376, 'timestamp without time zone <> date', form(`$1 <> ${MIDNIGHT('$2')}`), SECOND],
  [2371, 'timestamp without time zone < date', form(`$1 < ${MIDNIGHT('$2')}`), SECOND],
  [2372, 'timestamp without time zone <= date', form(`$1 <= ${MIDNIGHT('$2')}`), SECOND],
  [2375, 'timestamp without time zone > date', form(`$1 > ${MIDNIGHT('$2')}`), SECOND],
  [2374, 'timestamp without time zone >= date', form(`$1 >= ${MIDNIGHT('$2')}`), SECOND],

  // Arithmetic of whole numbers.
  [550, 'smallint + smallint', infix('+'), INT2],
  [552, 'smallint + integer', infix('+'), INT4],
  [822, 'smallint + bigint', infix('+')],
  [553, 'integer + smallint', infix('+'), INT4],
  [551, 'integer + integer', infix('+'), INT4],
  [692, 'integer + bigint', infix('+')],
  [818, 'bigint + smallint', infix('+')],
  [688, 'bigint + integer', infix('+')],
  [684, 'bigint + bigint', infix('+')],
  [554, 'smallint - smallint', infix('-'), INT2],
  [556, 'smallint - integer', infix('-'), INT4],
  [823, 'smallint - bigint', infix('-')],
  [557, 'integer - smallint', infix('-'), INT4],
  [555, 'integer - integer', infix('-'), INT4],
  [693, 'integer - bigint', infix('-')],
  [819, 'bigint - smallint', infix('-')],
  [689, 'bigint - integer', infix('-')],
  [685, 'bigint - bigint', infix('-')],
  [526, 'smallint * smallint', infix('*'), INT2],
  [544, 'smallint * integer', infix('*'), INT4],
  [824, 'smallint * bigint', infix('*')],
  [545, 'integer * smallint', infix('*'), INT4],
  [514, 'integer * integer', infix('*'), INT4],
  [694, 'integer * bigint', infix('*')],
  [820, 'bigint * smallint', infix('*')],
  [690, 'bigint * integer', infix('*')],
  [686, 'bigint * bigint', infix('*')],
  [527, 'smallint / smallint', infix('/'), INT2],
  [546, 'smallint / integer', infix('/'), INT4],
  [825, 'smallint / bigint', infix('/')],
  [547, 'integer / smallint', infix('/'), INT4],
  [528, 'integer / integer', infix('/'), INT4],
  [695, 'integer / bigint', infix('/')],
  [821, 'bigint / smallint', infix('/')],
  [691, 'bigint / integer', infix('/')],
  [687, 'bigint / bigint', infix('/')],
  [529, 'smallint % smallint', infix('%'), INT2],
  [530, 'integer % integer', infix('%'), INT4],
  [439, 'bigint % bigint', infix('%')],
  [1917, '+ smallint', same],
  [559, '- smallint', prefix('-'), INT2],
  [682, '@ smallint', call('abs'), INT2],
  [1918, '+ integer', same],
  [558, '- integer', prefix('-'), INT4],
  [773, '@ integer', call('abs'), INT4],
  [1916, '+ bigint', same],
  [484, '- bigint', prefix('-')],
  [473, '@ bigint', call('abs')],
  [1874, 'smallint & smallint', infix('&')],
  [1880, 'integer & integer', infix('&')],
  [1886, 'bigint & bigint', infix('&')],
  [1875, 'smallint | smallint', infix('|')],
  [1881, 'integer | integer', infix('|')],
  [1887, 'bigint | bigint', infix('|')],
  [1876, 'smallint # smallint', infix('#')],
  [1882, 'integer # integer', infix('#')],
  [1888, 'bigint # bigint', infix('#')],
  [1877, '~ smallint', prefix('~')],
  [1883, '~ integer', prefix('~')],
  [1889, '~ bigint', prefix('~')],
  [1878, 'smallint << integer', form('(($1 << ($2 & 31) & 65535) # 32768) - 32768')],
  [1879, 'smallint >> integer', form('$1 >> ($2 & 31)')],
  [1884, 'integer << integer', form('(($1 << ($2 & 31) & 4294967295) # 2147483648) - 2147483648')],
  [1885, 'integer >> integer', form('$1 >> ($2 & 31)')],
  [1890, 'bigint << integer', form('$1 << ($2 & 63)')],
  [1891, 'bigint >> integer', form('$1 >> ($2 & 63)')],

  // Arithmetic of numerics.
  [1758, 'numeric + numeric', infix('+')],
  [1759, 'numeric - numeric', infix('-')],
  [1760, 'numeric * numeric', infix('*')],
  [1761, 'numeric / numeric', infix('/')],
  [1762, 'numeric % numeric', infix('%')],
  [1921, '+ numeric', same],
  [1751, '- numeric', prefix('-')],
  [1763, '@ numeric', call('abs')],

  // Arithmetic of floats.
  [591, 'double precision + double precision', infix('+')],
  [1116, 'real + double precision', form('$1::double precision + $2')],
  [1126, 'double precision + real', form('$1 + $2::double precision')],
  [586, 'real + real', infix('+')],
  [592, 'double precision - double precision', infix('-')],
  [1117, 'real - double precision', form('$1::double precision - $2')],
  [1127, 'double precision - real', form('$1 - $2::double precision')],
  [587, 'real - real', infix('-')],
  [594, 'double precision * double precision', product('$1', '$2', DOUBLE), FLOATS],
  [1119, 'real * double precision', product('$1::double precision', '$2', DOUBLE), FLOATS],
  [1129, 'double precision * real', product('$1', '$2::double precision', DOUBLE), FLOATS],
  [589, 'real * real', product('$1', '$2', REAL), FLOATS],
  [593, 'double precision / double precision', quotient('$1', '$2', DOUBLE), FLOATS],
  [1118, 'real / double precision', quotient('$1::double precision', '$2', DOUBLE), FLOATS],
  [1128, 'double precision / real', quotient('$1', '$2::double precision', DOUBLE), FLOATS],
  [588, 'real / real', quotient('$1', '$2', REAL), FLOATS],
  [1919, '+ real', same],
  [584, '- real', prefix('-')],
  [590, '@ real', call('abs')],
  [1920, '+ double precision', same],
  [585, '- double precision', prefix('-')],
  [595, '@ double precision', call('abs')],
  [596, '|/ double precision', call('sqrt')],

  // Texts.
  [654, 'text || text', infix('||')],
  [2018, 'bytea || bytea', infix('||')],
  [1209, 'text ~~ text', infix('LIKE')],
  [1210, 'text !~~ text', infix('NOT LIKE')],
  [1207, 'name ~~ text', infix('LIKE')],
  [1208, 'name !~~ text', infix('NOT LIKE')],
  [2016, 'bytea ~~ bytea', infix('LIKE')],
  [2017, 'bytea !~~ bytea', infix('NOT LIKE')],
  [3877, 'text ^@ text', call('starts_with')],

  // Dates.
  [1100, 'date + integer', infix('+')],
  [1101, 'date - integer', infix('-')],
  [1099, 'date - date', infix('-')],
  [2555, 'integer + date', form('$2 + $1')],

  // jsonb.
  [3211, 'jsonb -> text', infix('->')],
  [3477, 'jsonb ->> text', infix('->>')],
  [3212, 'jsonb -> integer', fromStart('->'), LITERAL_INDEX],
  [3481, 'jsonb ->> integer', fromStart('->>'), LITERAL_INDEX],
]
