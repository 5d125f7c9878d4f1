/** One value of each column type that this version has, with NULL and extremes, as PostgreSQL's text output writes it. */
export const TYPED_VALUES: readonly {
  readonly type: string
  readonly values: readonly (string | null)[]
}[] = [
  { type: 'bigint', values: ['0', '-9223372036854775808', '9223372036854775807', null] },
  { type: 'integer', values: ['0', '-2147483648', '2147483647', null] },
  { type: 'smallint', values: ['0', '-32768', '32767', null] },
  { type: 'text', values: ['', 'äöü 漢字 🙂', 'it\'s \\ "quoted"\n\ttab', null] },
  { type: 'varchar(12)', values: ['', 'twelve chars', null] },
  { type: 'boolean', values: ['t', 'f', null] },
  {
    type: 'double precision',
    values: [
      '0',
      '-0',
      '0.1',
      '1.7976931348623157e+308',
      '5e-324',
      'NaN',
      'Infinity',
      '-Infinity',
      null,
    ],
  },
  { type: 'real', values: ['0', '0.1', '3.4028235e+38', '1e-37', 'NaN', '-Infinity', null] },
  {
    type: 'numeric',
    values: ['0', '-0.001', '1.50', '123456789012345678901234567890.123456789', 'NaN', null],
  },
  { type: 'bytea', values: ['\\x', '\\x00ff10', null] },
  { type: 'date', values: ['2024-02-29', '0001-01-01', '9999-12-31', null] },
  {
    type: 'timestamptz',
    values: [
      '2024-02-29 12:34:56.789012+00',
      '0001-01-01 00:00:00+00',
      '9999-12-31 23:59:59.999999+00',
      null,
    ],
  },
  {
    type: 'timestamp',
    values: ['2024-02-29 12:34:56.5', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', null],
  },
  { type: 'jsonb', values: ['{"a": [1, 2.5, null], "bb": "x"}', 'null', '"s"', '[]', null] },
  {
    type: 'uuid',
    values: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000000', null],
  },
  { type: 'bigint[]', values: ['{}', '{1,NULL,-9223372036854775808}', null] },
  { type: 'integer[]', values: ['{2147483647,NULL}', null] },
  { type: 'text[]', values: ['{"a b",NULL,"",plain,"q\\"uote","NULL"}', null] },
  { type: 'boolean[]', values: ['{t,f,NULL}', null] },
  { type: 'double precision[]', values: ['{1.5,NaN,NULL}', null] },
  { type: 'numeric[]', values: ['{1.50,NULL}', null] },
  { type: 'date[]', values: ['{2024-02-29,NULL}', null] },
  { type: 'timestamptz[]', values: ['{"2024-02-29 12:34:56+00",NULL}', null] },
]
