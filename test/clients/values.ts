/** Values of each column type that this version has, with NULL and extremes, as PostgreSQL's text output writes them. */
export const TYPED_VALUES: readonly {
  readonly type: string
  readonly values: readonly (string | null)[]
}[] = [
  { type: 'bigint', values: ['0', '-9223372036854775808', '9223372036854775807', null] },
  { type: 'integer', values: ['0', '-2147483648', '2147483647', null] },
  { type: 'smallint', values: ['0', '-32768', '32767', null] },
  {
    type: 'text',
    values: [
      '',
      'äöü 漢字 🙂',
      'it\'s \\ "quoted"\n\ttab',
      '\u0001\u007f\uffff',
      'x'.repeat(100_000),
      null,
    ],
  },
  { type: 'varchar(12)', values: ['', 'twelve chars', 'äöü漢字🙂äöü漢字🙂', null] },
  { type: 'char(4)', values: ['    ', 'ab  ', 'äö漢🙂', null] },
  { type: 'name', values: ['', 'a name', null] },
  { type: 'json', values: ['{"b":  1, "a":[2.50]}', 'null', '" "', null] },
  { type: 'oid', values: ['0', '4294967295', null] },
  { type: 'boolean', values: ['t', 'f', null] },
  {
    type: 'double precision',
    values: [
      '0',
      '-0',
      '0.1',
      '-1e-07',
      '1.7976931348623157e+308',
      '2.2250738585072014e-308',
      '5e-324',
      'NaN',
      'Infinity',
      '-Infinity',
      null,
    ],
  },
  {
    type: 'real',
    values: [
      '0',
      '-0',
      '0.1',
      '3.4028235e+38',
      '1.1754944e-38',
      '1e-45',
      'NaN',
      'Infinity',
      '-Infinity',
      null,
    ],
  },
  {
    type: 'numeric',
    values: [
      '0',
      '-0.001',
      '1.50',
      '123456789012345678901234567890.123456789',
      `-${'9'.repeat(500)}.${'0'.repeat(99)}1`,
      'NaN',
      null,
    ],
  },
  { type: 'numeric(10,2)', values: ['0.00', '-99999999.99', '99999999.99', 'NaN', null] },
  { type: 'bytea', values: ['\\x', '\\x00ff10', `\\x${'5c00'.repeat(30_000)}`, null] },
  { type: 'date', values: ['2024-02-29', '0001-01-01', '9999-12-31', null] },
  { type: 'time', values: ['00:00:00', '12:34:56.789012', '24:00:00', null] },
  {
    type: 'timestamptz',
    values: [
      '2024-02-29 12:34:56.789012+00',
      '1969-12-31 23:59:59.999999+00',
      '0001-01-01 00:00:00+00',
      '9999-12-31 23:59:59.999999+00',
      null,
    ],
  },
  {
    type: 'timestamp',
    values: [
      '2024-02-29 12:34:56.5',
      '1969-12-31 23:59:59.999999',
      '0001-01-01 00:00:00',
      '9999-12-31 23:59:59.999999',
      null,
    ],
  },
  {
    type: 'jsonb',
    values: [
      '{"a": [1, 2.5, null], "bb": "x"}',
      'null',
      '"s"',
      '[]',
      '{"": {}, "ä": "\\n\\" 🙂"}',
      '-1.50',
      null,
    ],
  },
  {
    type: 'uuid',
    values: [
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      null,
    ],
  },
  {
    type: 'interval',
    values: [
      '00:00:00',
      '1 year 2 mons -3 days -04:05:06.789',
      '-1 years -2 mons +3 days 04:05:06.000001',
      '178956970 years 7 mons 2147483647 days 2562047788:00:54.775807',
      null,
    ],
  },
  { type: 'interval(2)', values: ['1 mon 00:00:01.25', null] },
  { type: 'inet', values: ['10.0.0.1', '10.0.0.1/8', '::/0', 'fe80::1', '::ffff:1.2.3.4', null] },
  { type: 'cidr', values: ['10.0.0.0/8', '10.0.0.1/32', '2001:db8::/32', null] },
  { type: 'macaddr', values: ['08:00:2b:01:02:ff', null] },
  { type: 'macaddr8', values: ['08:00:2b:01:02:03:04:ff', null] },
  { type: 'bit(9)', values: ['000000000', '101010101', null] },
  { type: 'bit varying', values: ['', '1', '10101010', '0'.repeat(1000), null] },
  { type: 'timetz', values: ['00:00:00+00', '24:00:00-15:59:59', '12:34:56.789012+05:30', null] },
  { type: '"char"', values: ['', 'a', '~', null] },
  {
    type: 'money',
    values: ['$0.00', '-$0.01', '$92,233,720,368,547,758.07', '-$1,234.50', null],
  },
  { type: 'bigint[]', values: ['{}', '{1,NULL,-9223372036854775808,9223372036854775807}', null] },
  { type: 'integer[]', values: ['{2147483647,NULL,-2147483648}', '{}', null] },
  { type: 'smallint[]', values: ['{32767,NULL,-32768}', null] },
  {
    type: 'text[]',
    values: ['{"a b",NULL,"",plain,"q\\"uote","back\\\\slash","NULL","{,}"," ä漢🙂"}', '{}', null],
  },
  { type: 'varchar(5)[]', values: ['{abcde,NULL,""}', '{}', null] },
  { type: 'char(4)[]', values: ['{"ab  ","    ",NULL}', null] },
  { type: 'name[]', values: ['{"a name",NULL}', null] },
  { type: 'oid[]', values: ['{0,4294967295,NULL}', null] },
  { type: 'json[]', values: ['{"{\\"a\\":  1}",NULL}', null] },
  { type: 'numeric(10,2)[]', values: ['{-99999999.99,0.10,NaN,NULL}', '{}', null] },
  { type: 'time[]', values: ['{00:00:00,24:00:00,12:34:56.789012,NULL}', null] },
  { type: 'boolean[]', values: ['{t,f,NULL}', null] },
  { type: 'double precision[]', values: ['{1.5,-0,5e-324,NaN,-Infinity,NULL}', null] },
  { type: 'real[]', values: ['{0.1,-0,NaN,Infinity,NULL}', null] },
  { type: 'numeric[]', values: ['{1.50,NULL,NaN,-0.001}', null] },
  { type: 'bytea[]', values: ['{"\\\\x","\\\\x00ff",NULL}', null] },
  { type: 'date[]', values: ['{2024-02-29,NULL,0001-01-01,9999-12-31}', null] },
  {
    type: 'timestamptz[]',
    values: ['{"2024-02-29 12:34:56+00",NULL,"9999-12-31 23:59:59.999999+00"}', null],
  },
  { type: 'timestamp[]', values: ['{"2024-02-29 12:34:56.5",NULL}', null] },
  { type: 'jsonb[]', values: ['{"{\\"a\\": [1, null]}",NULL,"null","\\"s\\""}', null] },
  { type: 'interval[]', values: ['{"1 day",NULL,-01:00:00}', '{}', null] },
  { type: 'inet[]', values: ['{10.0.0.1,NULL,::1/64}', '{}', null] },
  { type: 'cidr[]', values: ['{10.0.0.0/8,NULL,::1/128}', null] },
  { type: 'macaddr[]', values: ['{08:00:2b:01:02:ff,NULL}', null] },
  { type: 'bit(3)[]', values: ['{101,NULL,000}', null] },
  { type: 'bit varying[]', values: ['{101,NULL,""}', null] },
  { type: 'timetz[]', values: ['{12:00:00+00,NULL}', null] },
  { type: 'money[]', values: ['{$1.00,NULL,"-$1,234.50"}', null] },
  { type: 'uuid[]', values: ['{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}', null] },
]

/** The table with the columns id and v for a type; each client has ids of its own in it. */
export function typedTable(type: string): string {
  return `types_${type.replace('[]', '_array').replace(/\W+/g, '_')}`
}

/** All of these tables, in one query string. */
export const CREATE_TYPED_TABLES = TYPED_VALUES.map(
  ({ type }) => `create table ${typedTable(type)} (id bigint primary key, v ${type})`,
).join(';\n')
