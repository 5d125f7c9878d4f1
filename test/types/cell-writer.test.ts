import fc from 'fast-check'
import tap from 'tap'
import { ByteWriter } from '../../server/base/byte-writer.ts'
import { PgError } from '../../server/base/pg-error.ts'
import { type CellColumn, cellWriter } from '../../server/types/cell-writer.ts'
import { DEFAULT_FORMAT_SETTINGS, type FormatSettings } from '../../server/types/format-settings.ts'
import { findPgType, OID } from '../../server/types/pg-type.ts'
import { encodeNull, encodeNumber, encodeString } from '../../server/types/value.ts'
import { encodeJson } from './encode-json.ts'
import { loadFixtures, type SpannerJson } from './fixtures.ts'

const fixtures = loadFixtures()

/** One cell as the client gets it: undefined for NULL. */
function cell(
  column: CellColumn,
  format: 0 | 1,
  json: SpannerJson,
  settings: FormatSettings = DEFAULT_FORMAT_SETTINGS,
): Buffer | undefined {
  return cellOf(column, format, encodeJson(json), settings)
}

function cellOf(
  column: CellColumn,
  format: 0 | 1,
  value: Buffer,
  settings: FormatSettings = DEFAULT_FORMAT_SETTINGS,
): Buffer | undefined {
  const out = new ByteWriter()
  // Bytes around the value belong to its neighbours.
  const bytes = Buffer.concat([Buffer.from('ab'), value, Buffer.from('c')])
  cellWriter(column, format, settings)(out, bytes, 2, 2 + value.length)
  const written = out.take()
  const length = written.readInt32BE(0)
  if (length === -1) {
    if (written.length !== 4) throw new Error('bytes after NULL')
    return undefined
  }
  if (written.length !== 4 + length) throw new Error(`length ${length} of ${written.length - 4}`)
  return written.subarray(4)
}

function text(typeOid: number, json: SpannerJson, settings: Partial<FormatSettings> = {}) {
  const all = { ...DEFAULT_FORMAT_SETTINGS, ...settings }
  return cell({ typeOid, typmod: -1 }, 0, json, all)?.toString()
}

tap.test('text and binary are those of PostgreSQL', async (t) => {
  t.ok(fixtures.output.length > 400, `${fixtures.output.length} values`)
  const types = new Set(fixtures.output.map((fixture) => fixture.typeOid))
  for (const typeOid of types) {
    const differences: string[] = []
    for (const fixture of fixtures.output) {
      if (fixture.typeOid !== typeOid) continue
      const settings = fixtures.settings[fixture.settings] ?? DEFAULT_FORMAT_SETTINGS
      const shown = cell(fixture, 0, fixture.spanner, settings)?.toString()
      const sent = cell(fixture, 1, fixture.spanner, settings)?.toString('hex')
      const where = `${settings.dateStyle} ${settings.timeZone} ${settings.extraFloatDigits}`
      if (shown !== fixture.text) differences.push(`${fixture.text} is ${shown} ${where}`)
      if (sent !== fixture.binary) differences.push(`${fixture.text}: ${fixture.binary} is ${sent}`)
    }
    t.strictSame(differences, [], findPgType(typeOid)?.name ?? String(typeOid))
  }
})

tap.test('negative zero', async (t) => {
  const negative = encodeNumber(-0)
  for (const typeOid of [OID.float4, OID.float8]) {
    t.equal(cellOf({ typeOid, typmod: -1 }, 0, negative)?.toString(), '-0')
    const rounded = { ...DEFAULT_FORMAT_SETTINGS, extraFloatDigits: 0 }
    t.equal(cellOf({ typeOid, typmod: -1 }, 0, negative, rounded)?.toString(), '-0')
    t.equal(cellOf({ typeOid, typmod: -1 }, 1, negative)?.[0], 0x80)
  }
})

tap.test('NULL is -1 in every type and both formats', async (t) => {
  for (const typeOid of new Set(fixtures.output.map((fixture) => fixture.typeOid))) {
    for (const format of [0, 1] as const) {
      t.equal(cellOf({ typeOid, typmod: -1 }, format, encodeNull()), undefined)
    }
  }
})

tap.test('integers beyond the declared type', async (t) => {
  const cases = [
    [OID.int4, '2147483648', 'integer out of range'],
    [OID.int4, '-2147483649', 'integer out of range'],
    [OID.int4, '9223372036854775807', 'integer out of range'],
    [OID.int2, '32768', 'smallint out of range'],
    [OID.int2, '-32769', 'smallint out of range'],
    [OID.oid, '4294967296', 'OID out of range'],
  ] as const
  for (const [typeOid, json, message] of cases) {
    for (const format of [0, 1] as const) {
      t.throws(() => cell({ typeOid, typmod: -1 }, format, json), { code: '22003', message })
    }
  }
})

tap.test('numbers end where bigints begin', async (t) => {
  const micros = (json: string) =>
    cell({ typeOid: OID.timestamptz, typmod: -1 }, 1, json)?.readBigInt64BE()
  // 2^53 microseconds before and after 2000-01-01.
  t.equal(micros('1714-07-29T00:12:25.259008Z'), -(2n ** 53n))
  t.equal(micros('1714-07-29T00:12:25.259009Z'), 1n - 2n ** 53n)
  t.equal(micros('2285-06-04T23:47:34.740991Z'), 2n ** 53n - 1n)
  t.equal(micros('2285-06-04T23:47:34.740993Z'), 2n ** 53n + 1n)
  const integer = (json: string) =>
    cell({ typeOid: OID.int8, typmod: -1 }, 1, json)?.readBigInt64BE()
  for (const text of ['-0', '999999999999999', '-99999999999999', '9007199254740993']) {
    t.equal(integer(text), BigInt(text), text)
    t.equal(integer(`-${text.replace('-', '')}`), -BigInt(text.replace('-', '')), `-${text}`)
  }
})

tap.test('nanoseconds are cut to microseconds', async (t) => {
  t.equal(text(OID.timestamptz, '2024-01-01T00:00:00.123456999Z'), '2024-01-01 00:00:00.123456+00')
  t.equal(text(OID.timestamp, '2024-01-01T00:00:00.000000999Z'), '2024-01-01 00:00:00')
  t.equal(text(OID.timestamp, '2024-01-01T00:00:00.100Z'), '2024-01-01 00:00:00.1')
  const berlin = { timeZone: 'Europe/Berlin' }
  t.equal(
    text(OID.timestamptz, '2024-01-01T00:00:00.120000001Z', berlin),
    '2024-01-01 01:00:00.12+01',
  )
})

tap.test('years before Christ appear where the zone is west of UTC', async (t) => {
  t.equal(
    text(OID.timestamptz, '0001-01-01T00:00:00Z', { timeZone: 'America/New_York' }),
    '0001-12-31 19:03:58-04:56:02 BC',
  )
})

tap.test('time zones', async (t) => {
  const noon = '2024-06-01T12:00:00Z'
  const cases = [
    ['utc', '2024-06-01 12:00:00+00'],
    ['europe/berlin', '2024-06-01 14:00:00+02'],
    ['+02', '2024-06-01 14:00:00+02'],
    ['-5.5', '2024-06-01 06:30:00-05:30'],
    ['UTC+2', '2024-06-01 10:00:00-02'],
    ['Etc/GMT+5', '2024-06-01 07:00:00-05'],
    ['<+0545>-05:45:30', '2024-06-01 17:45:30+05:45:30'],
  ] as const
  for (const [timeZone, expected] of cases) {
    t.equal(text(OID.timestamptz, noon, { timeZone }), expected, timeZone)
  }
  for (const timeZone of ['Nowhere/City', '', 'EST5EDT,M3.2.0,M11.1.0', '200']) {
    t.throws(() => text(OID.timestamptz, noon, { timeZone }), {
      code: '22023',
      message: `invalid value for parameter "TimeZone": "${timeZone}"`,
    })
  }
})

tap.test('types without a codec', async (t) => {
  for (const typeOid of [OID.xml, OID.record, OID.xmlArray, 99999]) {
    t.throws(() => cellWriter({ typeOid, typmod: -1 }, 0, DEFAULT_FORMAT_SETTINGS), {
      code: '0A000',
    })
  }
})

/** What no value of these types is stored as. */
const NO_FORMS = [
  [OID.interval, ''],
  [OID.interval, 'soon'],
  [OID.interval, '4:05:06'],
  [OID.interval, '2147483648 days'],
  [OID.interval, '178956970 years 8 mons'],
  [OID.inet, '10.0.0.1'],
  [OID.inet, '10.0.0.1/33'],
  [OID.inet, '10.0.0.256/32'],
  [OID.inet, '::1::/64'],
  [OID.inet, '0:0:0:0:0:0:0:1/128'],
  [OID.inet, '1:2:3:4:5:6:7/64'],
  [OID.inet, '::12345/64'],
  [OID.cidr, '10.0.0.0'],
  [OID.macaddr, '08:00:2b:01:02'],
  [OID.macaddr8, '08:00:2B:01:02:03:04:05'],
  [OID.bit, '102'],
  [OID.timetz, '12:00:00'],
  [OID.timetz, '12:00:00+16'],
  [OID.money, '1.5'],
  [OID.money, '9223372036854775808'],
] as const

tap.test('values of another kind than their type are refused', async (t) => {
  const wrong: [number, SpannerJson][] = [
    [OID.int4, 5],
    [OID.int4, ''],
    [OID.int4, '-'],
    [OID.int8, '1x'],
    [OID.bool, 't'],
    [OID.text, true],
    [OID.float8, 'abc'],
    [OID.date, '2024-1-1'],
    [OID.timestamp, '2024-01-01 00:00:00Z'],
    [OID.timestamp, '2024-01-01T00:00:00'],
    [OID.timestamp, '2024-01-01T00:00:00.Z'],
    [OID.int4Array, '{}'],
    [OID.numeric, 1],
    [OID.bytea, 1],
    [OID.jsonb, 1],
    [OID.uuid, 1],
    ...NO_FORMS.map(([typeOid, stored]): [number, SpannerJson] => [typeOid, stored]),
  ]
  for (const [typeOid, json] of wrong) {
    t.throws(() => text(typeOid, json), { code: 'XX001' }, `${typeOid} ${JSON.stringify(json)}`)
  }
  for (const [typeOid, json] of [
    [OID.date, '2024-02-30'],
    [OID.uuid, 'a0eebc99'],
    [OID.uuid, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g'],
    [OID.uuid, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111'],
    [OID.numeric, '1e5'],
    [OID.numeric, '.5'],
    [OID.numeric, '5.'],
    [OID.numeric, '-'],
    [OID.numeric, '1.2.3'],
    [OID.int8, '9223372036854775808'],
    [OID.timestamptz, '2024-13-01T00:00:00Z'],
    [OID.time, '1:2:3'],
    ...NO_FORMS,
  ] as const) {
    t.throws(() => cell({ typeOid, typmod: -1 }, 1, json), { code: 'XX001' }, json)
  }
})

tap.test('a value cut short is an error, never a wrong cell', async (t) => {
  for (const fixture of fixtures.output.filter((each) => each.settings === 0)) {
    const whole = encodeJson(fixture.spanner)
    const writers = [
      cellWriter(fixture, 0, DEFAULT_FORMAT_SETTINGS),
      cellWriter(fixture, 1, DEFAULT_FORMAT_SETTINGS),
    ]
    const accepted: number[] = []
    for (let size = 0; size < whole.length; size++) {
      if (!writers.every((write) => isRefused(() => write(new ByteWriter(), whole, 0, size)))) {
        accepted.push(size)
      }
    }
    t.strictSame(accepted, [], fixture.text)
  }
})

function isRefused(write: () => void): boolean {
  try {
    write()
    return false
  } catch (error) {
    return error instanceof PgError
  }
}

tap.test('any text is copied, any float reads back from its text', async (t) => {
  const write = cellWriter({ typeOid: OID.text, typmod: -1 }, 0, DEFAULT_FORMAT_SETTINGS)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const out = new ByteWriter()
      write(out, encodeString(value), 0, encodeString(value).length)
      const taken = out.take()
      return taken.subarray(4).equals(Buffer.from(value))
    }),
  )
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      const shown = cellOf({ typeOid: OID.float8, typmod: -1 }, 0, encodeNumber(value))
      return Object.is(Number(shown?.toString()), value)
    }),
  )
  fc.assert(
    fc.property(fc.float({ noNaN: true }), (value) => {
      const shown = cellOf({ typeOid: OID.float4, typmod: -1 }, 0, encodeNumber(value))
      return Object.is(Math.fround(Number(shown?.toString())), value)
    }),
  )
  t.pass('round trips')
})
