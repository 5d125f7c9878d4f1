import { DEFAULT_FORMAT_SETTINGS, type FormatSettings } from '../../server/types/format-settings.ts'
import { OID } from '../../server/types/pg-type.ts'

const styles = ['ISO', 'SQL', 'Postgres', 'German']
const orders = ['MDY', 'DMY', 'YMD']
const zones = [
  'America/Los_Angeles',
  'Europe/Berlin',
  'Asia/Kolkata',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Africa/Monrovia',
  '<+02>-02',
  '<-05:30>05:30',
  'FOO-3',
]

/** 0 the defaults; then every DateStyle in UTC, every zone in ISO, three zones in other styles, rounded floats, styles of intervals, escapes. */
export const SETTINGS: readonly FormatSettings[] = [
  DEFAULT_FORMAT_SETTINGS,
  ...styles.flatMap((style) => orders.map((order) => ({ dateStyle: `${style}, ${order}` }))),
  ...zones.map((timeZone) => ({ timeZone })),
  ...['SQL, DMY', 'Postgres, MDY', 'German, DMY'].flatMap((dateStyle) =>
    ['America/Los_Angeles', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Tokyo', 'Asia/Amman'].map(
      (timeZone) => ({
        dateStyle,
        timeZone,
      }),
    ),
  ),
  { extraFloatDigits: 0 },
  { extraFloatDigits: -3 },
  { extraFloatDigits: -15 },
  ...['postgres_verbose', 'sql_standard', 'iso_8601'].map((intervalStyle) => ({ intervalStyle })),
  { byteaOutput: 'escape' as const },
].map((settings) => ({ ...DEFAULT_FORMAT_SETTINGS, ...settings }))

const all = SETTINGS.map((_, index) => index)
const dateStyles = all.filter((index) => SETTINGS[index]?.timeZone === 'UTC' && index <= 12)
const dateTimes = all.filter(
  (i) => SETTINGS[i]?.extraFloatDigits === 1 && SETTINGS[i]?.intervalStyle === 'postgres',
)
const floats = all.filter((i) => i === 0 || SETTINGS[i]?.extraFloatDigits !== 1)
const intervals = all.filter((i) => i === 0 || SETTINGS[i]?.intervalStyle !== 'postgres')
const byteas = [0, SETTINGS.length - 1]

/** Literals of one type, and the settings to print each under. */
export interface OutputCase {
  readonly type: string
  /** pg_type.typname of the type, of the elements for an array. */
  readonly typname: string
  readonly typeOid: number
  readonly typmod: number
  readonly literals: readonly string[]
  readonly settings: readonly number[]
}

type More = { readonly settings?: readonly number[]; readonly typmod?: number }

/** `type` is the SQL name; `typname` that of the type or, for an array, of its elements. */
function of(
  [type, typname, typeOid]: readonly [type: string, typname: string, typeOid: number],
  literals: readonly string[],
  more: More = {},
): OutputCase {
  return {
    type,
    typname,
    typeOid,
    typmod: more.typmod ?? -1,
    literals,
    settings: more.settings ?? [0],
  }
}

function quoted(...values: string[]): string[] {
  return values.map((value) => `'${value.replaceAll("'", "''")}'`)
}

const numerics = quoted(
  '0',
  '0.00',
  '1',
  '-1',
  '1.50',
  '9999',
  '10000',
  '123456789012345678901234567890.123456789',
  '-0.00001',
  '0.0001',
  '100000000',
  '12345.6700',
  'NaN',
)

const dates = quoted(
  '2000-01-01',
  '1999-12-31',
  '2024-02-29',
  '0001-01-01',
  '9999-12-31',
  '1970-06-15',
)

const instants = quoted(
  '2000-01-01 00:00:00+00',
  '2024-07-04 12:34:56.789+00',
  '2024-03-10 09:59:59.999999+00',
  '2024-03-10 10:00:00+00',
  '2024-10-27 00:59:59+00',
  '2024-10-27 01:00:00+00',
  '1969-12-31 23:59:59.000001+00',
  '1883-11-18 19:59:59+00',
  '1883-11-18 20:00:00+00',
  '0001-01-01 00:00:00+00',
  '9999-12-31 23:59:59.999999+00',
  '2100-07-01 00:00:00.1+00',
  '2020-07-01 00:00:00+00',
)

const someIntervals = quoted(
  ...['0', '1 day', '1 year 2 mons 3 days 04:05:06.5', '-1 year -2 mons +3 days -04:05:06'],
  ...['1 mon', '-1 day', '14 mons', '100:00:00', '-00:00:00.000001', '1 year -1 day', '1 sec'],
  ...['-1 mon +2 days +3 hours', '2 years', '-1 mons', '1 day -00:00:01', '178000000 years'],
  ...['-5 days +00:00:00.5', '178956970 years 7 mons 2147483647 days 2562047788:00:54.775807'],
  ...['1 min', '-3 hours', '3 days -4 hours -5.25 sec', '1 mon -1 day +1 min', '-1 sec', '1-2'],
)

export const OUTPUT_CASES: readonly OutputCase[] = [
  of(['bool', 'bool', OID.bool], ['true', 'false']),
  of(['int2', 'int2', OID.int2], quoted('0', '-32768', '32767')),
  of(['int4', 'int4', OID.int4], quoted('0', '-2147483648', '2147483647', '42')),
  of(['int8', 'int8', OID.int8], quoted('0', '-9223372036854775808', '9223372036854775807', '-1')),
  of(['oid', 'oid', OID.oid], quoted('0', '4294967295', '16384')),
  of(
    ['float8', 'float8', OID.float8],
    quoted(
      ...['0', '1', '-1.5', '0.1', '1e15', '999999999999999', '123456789012345', '1e21'],
      ...['1e-4', '1e-5', '0.00012345', '1e22', '1e23', '9007199254740993', '5e-324'],
      ...['1.7976931348623157e308', '2.2250738585072014e-308', '0.3', '100000000000000.5'],
      ...['1.2345678901234567e+16', '9007199254740992', '18014398509481984', 'NaN'],
      ...['Infinity', '-Infinity', '4503599627370496.5', '1152921504606846976', '2.5', '0.5'],
    ),
    { settings: floats },
  ),
  of(
    ['float4', 'float4', OID.float4],
    quoted(
      ...['0', '1', '-1.5', '0.1', '3.4028235e38', '1e-45', '1.17549435e-38', '1e6', '999999'],
      ...[
        '1e5',
        '16777216',
        '16777217',
        '1e-4',
        '1e-5',
        '0.3',
        '3.14159274',
        '2097152.25',
        '33554432',
      ],
      ...['16384.0625', '1024.03125', '9.5367431640625e-07', '8388608.5', 'NaN', 'Infinity', '2.5'],
    ),
    { settings: floats },
  ),
  of(['numeric', 'numeric', OID.numeric], numerics),
  of(['numeric(12,3)', 'numeric', OID.numeric], quoted('0', '1.5', '-123456.7895', 'NaN'), {
    typmod: 4 + ((12 << 16) | 3),
  }),
  of(['numeric(5,0)', 'numeric', OID.numeric], quoted('0', '99999', '-7'), {
    typmod: 4 + (5 << 16),
  }),
  of(['text', 'text', OID.text], quoted('', 'a', 'grüße 😀', `it's "x" \\ {}`, ' blank ')),
  of(['varchar(10)', 'varchar', OID.varchar], quoted('', 'abc'), { typmod: 14 }),
  of(['char(5)', 'bpchar', OID.bpchar], quoted('', 'ab', 'üü', 'abcde'), { typmod: 9 }),
  of(['name', 'name', OID.name], quoted('pg_class')),
  of(['json', 'json', OID.json], quoted('{"a" :  1}', 'null')),
  of(['jsonb', 'jsonb', OID.jsonb], quoted('{"b":[1,2.50,null],"a":"x"}', 'null', '"t"', '1e2')),
  of(['uuid', 'uuid', OID.uuid], quoted('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')),
  of(['bytea', 'bytea', OID.bytea], quoted('', '\\x00ff5c27', '\\x616263'), { settings: byteas }),
  of(['date', 'date', OID.date], dates, { settings: dateStyles }),
  of(['time', 'time', OID.time], quoted('00:00', '23:59:59.999999', '24:00:00', '04:05:06.5')),
  of(
    ['inet', 'inet', OID.inet],
    quoted(
      ...['10.0.0.1', '10.0.0.1/8', '0.0.0.0/0', '255.255.255.255', '::', '::1', '::2', '::/0'],
      ...['::1.2.3.4', '::ffff:1.2.3.4/100', '::ffff:0:1.2.3.4', '1::', '1:2:3:4:5:6:7:8/127'],
      ...['2001:db8::1:0:0:1/64', '1:0:0:2:0:0:0:3', 'fe80::1:0:0', '::1:2:3:4:5:6:7', '::5:0:0'],
      ...['0:1:0:0:0:0:0:0', '1:2:3:4:5:6:7::', '1:2:3:4:5:6::', 'ffff::ffff:1.2.3.4'],
    ),
  ),
  of(
    ['cidr', 'cidr', OID.cidr],
    quoted('10.0.0.0/8', '10.0.0.1/32', '0.0.0.0/0', '::/0', '::1/128', 'fe80::/10', '1:2::/31'),
  ),
  of(['macaddr', 'macaddr', OID.macaddr], quoted('08:00:2b:01:02:ff', '00:00:00:00:00:00')),
  of(['macaddr8', 'macaddr8', OID.macaddr8], quoted('08:00:2b:01:02:03:04:ff')),
  of(['"char"', 'char', OID.char], quoted('', 'a', '~')),
  of(['"char"[]', 'char', OID.charArray], quoted('{a,"",NULL,z}')),
  of(
    ['money', 'money', OID.money],
    quoted('0', '1', '-0.01', '1234.56', '-1234567.89', '92233720368547758.07', '999', '1000'),
  ),
  of(['money[]', 'money', OID.moneyArray], quoted('{1,NULL,"-1,234.5"}')),
  of(['bit', 'bit', OID.bit], ["B'0'", "B'1'"]),
  of(['bit(9)', 'bit', OID.bit], ["B'101010101'"], { typmod: 9 }),
  of(['varbit', 'varbit', OID.varbit], quoted('', '1', '10000000', '101010101', '0'.repeat(70))),
  of(
    ['timetz', 'timetz', OID.timetz],
    quoted(
      ...['00:00+00', '24:00-00', '23:59:59.999999+15:59:59', '12:34:56.5-15:59', '04:05:06-05:30'],
    ),
  ),
  of(['varbit[]', 'varbit', OID.varbitArray], quoted('{1,NULL,"",010101010}')),
  of(['bit(2)[]', 'bit', OID.bitArray], quoted('{01,NULL,10}'), { typmod: 2 }),
  of(['timetz[]', 'timetz', OID.timetzArray], quoted('{00:00+00,NULL,12:00:00.5-07}')),
  of(['inet[]', 'inet', OID.inetArray], quoted('{10.0.0.1,NULL,::1/64}')),
  of(['cidr[]', 'cidr', OID.cidrArray], quoted('{10.0.0.1/32,NULL,::/64}')),
  of(['macaddr[]', 'macaddr', OID.macaddrArray], quoted('{08:00:2b:01:02:ff,NULL}')),
  of(['macaddr8[]', 'macaddr8', OID.macaddr8Array], quoted('{08:00:2b:01:02:03:04:ff}')),
  of(['interval', 'interval', OID.interval], someIntervals, { settings: intervals }),
  of(['interval[]', 'interval', OID.intervalArray], quoted('{1 day,NULL,-1 sec,1 mon}'), {
    settings: intervals,
  }),
  of(['timestamp', 'timestamp', OID.timestamp], instants, { settings: dateStyles }),
  of(['timestamptz', 'timestamptz', OID.timestamptz], instants, { settings: dateTimes }),
  of(['bool[]', 'bool', OID.boolArray], quoted('{}', '{t,NULL,f}')),
  of(['int2[]', 'int2', OID.int2Array], quoted('{1,-2,NULL}')),
  of(
    ['int4[]', 'int4', OID.int4Array],
    quoted('{}', '{NULL}', '{1,2,3}', '{-2147483648,2147483647}'),
  ),
  of(['int8[]', 'int8', OID.int8Array], quoted('{9223372036854775807,NULL}')),
  of(['float4[]', 'float4', OID.float4Array], quoted('{0.1,NaN,1e10,-Infinity}')),
  of(['float8[]', 'float8', OID.float8Array], quoted('{0.1,NaN,1e100,NULL}')),
  of(['numeric[]', 'numeric', OID.numericArray], quoted('{1.50,NULL,-7,NaN}')),
  of(
    ['text[]', 'text', OID.textArray],
    [
      ...quoted('{}', '{a,b}', '{NULL,"NULL","null","nulls"}', '{"","a b","c,d","{e}"}'),
      `array['q"u', E'back\\\\slash', E'tab\\there', 'ü', '-', ' ', 'a/b:c.d', E'\\x01']`,
    ],
  ),
  of(['varchar[]', 'varchar', OID.varcharArray], quoted('{a,NULL}')),
  of(['uuid[]', 'uuid', OID.uuidArray], quoted('{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}')),
  of(['bytea[]', 'bytea', OID.byteaArray], [`array['\\x00ff'::bytea, null, '']`], {
    settings: byteas,
  }),
  of(['jsonb[]', 'jsonb', OID.jsonbArray], [`array['{"a":[1]}'::jsonb, 'null', null, '7']`]),
  of(['date[]', 'date', OID.dateArray], quoted('{2024-02-29,NULL}'), { settings: dateStyles }),
  of(['time[]', 'time', OID.timeArray], quoted('{12:00,NULL}')),
  of(['timestamp[]', 'timestamp', OID.timestampArray], quoted('{2024-02-29 01:02:03.4,NULL}'), {
    settings: dateStyles,
  }),
  of(
    ['timestamptz[]', 'timestamptz', OID.timestamptzArray],
    quoted('{2024-02-29 01:02:03.4+00,NULL}'),
    {
      settings: dateTimes,
    },
  ),
]

function casts(type: string, ...values: string[]): string[] {
  return quoted(...values).map((value) => `${value}::${type}`)
}

/** Literals that the analyser turns into one Const each. */
export const DATUM_LITERALS: readonly string[] = [
  ...['1', '2147483648', '1.50', 'true', 'false'],
  ...casts('bool', 't', 'f'),
  ...casts('int2', '-32768', '32767', '0', '-1'),
  ...casts('int4', '-2147483648', '2147483647', '0'),
  ...casts('int8', '-9223372036854775808', '9223372036854775807', '-1'),
  ...casts('oid', '0', '4294967295'),
  ...casts('float4', '0', '-0', '1.5', '0.1', 'NaN', '-Infinity', '1e-45'),
  ...casts('float8', '0', '-0', '1.5', '0.1', 'NaN', 'Infinity', '1e300', '5e-324'),
  ...casts(
    'numeric',
    ...['0', '0.00', '1', '-1', '1.50', '-1.50', '9999', '10000', '0.0001', '0.00000001', '1e-60'],
    ...['1e60', '1e300', '1e-300', '123456789012345678901234567890.123456789', '-12345.6700'],
    ...['NaN', 'Infinity', '-Infinity', '99999999', '0.1234567891234567890123456789', '1e1000'],
  ),
  ...casts('text', '', 'a', 'grüße 😀', `it's "x" \\`),
  ...casts('varchar', '', 'abc'),
  ...casts('bpchar', 'ab  '),
  ...casts('name', 'pg_class', 'x'.repeat(63)),
  ...casts('"char"', 'a', ''),
  ...casts('cstring', 'abc'),
  ...casts('unknown', 'abc', ''),
  ...casts('bytea', '', '\\x00ff80', 'abc'),
  ...casts('date', '2000-01-01', '1999-12-31', '0044-03-15 BC', '0001-12-31 BC', '10000-01-01'),
  ...casts('date', 'infinity', '-infinity', '4713-01-01 BC', '5874897-12-31'),
  ...casts('timestamp', '2000-01-01', '1999-12-31 23:59:59.999999', '0044-03-15 01:02:03.4 BC'),
  ...casts('timestamp', 'infinity', '-infinity', '294276-12-31 23:59:59.999999'),
  ...casts(
    'timestamptz',
    '2024-07-04 12:34:56.789+02',
    '0001-01-01 00:00+00',
    'infinity',
    '-infinity',
  ),
  ...casts('time', '00:00', '24:00', '12:34:56.789', '23:59:59.999999'),
  ...casts(
    'interval',
    ...[
      '0',
      '1 day',
      '1 year 2 mons 3 days 04:05:06.5',
      '-1 year -2 mons +3 days -04:05:06',
      '1 mon',
    ],
    ...[
      '-1 day',
      '14 mons',
      '100:00:00',
      '-00:00:00.000001',
      '1 year -1 day',
      '-1 mon 2 days 3 hours',
    ],
    ...['2 years', '-1 mons', '1 day -00:00:01', '178000000 years', '-5 days 00:00:00.5'],
  ),
  ...casts('inet', '10.0.0.1', '10.0.0.1/8', '::1', '::1.2.3.4/100', '2001:db8::1:0:0:1/64'),
  ...casts('cidr', '10.0.0.0/8', '10.0.0.1/32', '::/0', '::1'),
  ...casts('macaddr', '08:00:2b:01:02:ff'),
  ...casts('macaddr8', '08:00:2b:01:02:ff'),
  ...casts('money', '0', '-1234567.89', '92233720368547758.07', '-92233720368547758.08'),
  ...casts('money[]', '{1,NULL,-2000}'),
  ...["B'101'", "X'1FF'", "''::varbit", "'01010101010'::varbit", "'1'::bit varying(5)"],
  ...casts('timetz', '00:00+00', '24:00-00', '23:59:59.999999+15:59:59', '12:34:56.5-05:30'),
  ...casts('varbit[]', '{1,NULL,101010101}'),
  ...casts('timetz[]', '{00:00+00,NULL,12:00-07}'),
  ...casts('inet[]', '{10.0.0.1,NULL,::1/64,10.0.0.0/8}'),
  ...casts('macaddr[]', '{08:00:2b:01:02:ff,NULL,08:00:2b:01:02:fe}'),
  ...casts('macaddr8[]', '{08:00:2b:01:02:ff,NULL}'),
  ...casts('uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
  ...casts('json', '{"a" :  1}', '[]'),
  ...casts(
    'jsonb',
    ...[
      'null',
      'true',
      'false',
      '1',
      '-1.50',
      '"x"',
      '""',
      '{}',
      '[]',
      '[[]]',
      '[{}]',
      '1e5',
      '{"":1}',
    ],
    ...['{"b":[1,2.5,null],"a":"x","aa":{"c":true}}', '[1,"two",false,null,{"k":[1,[2,[3]]]}]'],
    ...[
      '"q\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00fc\\ud83d\\ude00"',
      '{"a":1,"a":2}',
      '[0.1,123456789012345]',
    ],
    `[${Array.from({ length: 100 }, (_, i) => (i % 3 ? `"s${i}"` : String(i))).join(',')}]`,
    `{${Array.from({ length: 70 }, (_, i) => `"k${i}":{"n":${i}.5}`).join(',')}}`,
  ),
  ...casts('int4[]', '{}', '{1,2,3}', '{1,NULL,3}', '{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,9}'),
  ...casts('int2[]', '{1,2,3,NULL}'),
  ...casts('int8[]', '{1,NULL,3}', '{9223372036854775807}'),
  ...casts('bool[]', '{t,f,NULL}'),
  ...casts('float8[]', '{1.5,NULL,NaN}'),
  ...casts('float4[]', '{0.1,0.2}'),
  ...casts('text[]', '{}', '{a,"b c",NULL,"NULL",""}', '{long string here,x}'),
  ...casts('varchar[]', '{a,bcd}'),
  ...casts('numeric[]', '{1.50,NULL,12345678.9}'),
  ...casts('uuid[]', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}'),
  ...casts('date[]', '{2024-02-29,NULL,infinity}'),
  ...casts('timestamptz[]', '{2024-02-29 00:00+00,NULL}'),
  ...casts('interval[]', '{1 day,NULL,01:02:03}'),
  ...casts('jsonb[]', '{"{\\"a\\": 1}",NULL,3}'),
  ...casts('name[]', '{abc,de}'),
  ...casts('bytea[]', '{"\\\\x00ff",NULL}'),
  ...casts('oid[]', '{1,2}'),
]
