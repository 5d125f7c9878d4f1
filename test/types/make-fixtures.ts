/*
 * Asks a PostgreSQL 15 how it prints, sends and stores values, and writes the answers to fixtures.json beside this file,
 * so that the tests of the codecs need no server:
 *
 *   npx tsc -p tsconfig.build.json && PGHOST=... node dist/test/types/make-fixtures.js
 *   npx biome format --stdin-file-path=formatted.json < test/types/fixtures.json
 */
import { writeFileSync } from 'node:fs'
import { OID, type PgType } from '../../server/types/pg-type.ts'
import { DATUM_LITERALS, OUTPUT_CASES, type OutputCase, SETTINGS } from './fixture-cases.ts'
import { type DatumFixture, FIXTURES_PATH, type Fixtures, type OutputFixture } from './fixtures.ts'

/** The form in which Spanner sends a value of the type of `e`, as JSON. */
const SPANNER_FORM: Readonly<Record<string, string>> = {
  bool: 'to_json(e)',
  float4: floatForm(),
  float8: floatForm(),
  bytea: `to_json(translate(encode(e, 'base64'), E'\\n', ''))`,
  timestamp: instantForm('e'),
  timestamptz: instantForm(`e at time zone 'UTC'`),
  inet: 'to_json(text(e))',
  money: 'to_json((e::numeric * 100)::bigint::text)',
  date: `to_json(to_char(e, 'YYYY-MM-DD'))`,
}

const SEND_FUNCTION: Readonly<Record<string, string>> = {
  date: 'date_send',
  interval: 'interval_send',
  money: 'cash_send',
  bit: 'bit_send',
  varbit: 'varbit_send',
  timetz: 'timetz_send',
  inet: 'inet_send',
  cidr: 'cidr_send',
  macaddr: 'macaddr_send',
  macaddr8: 'macaddr8_send',
  time: 'time_send',
  timestamp: 'timestamp_send',
  timestamptz: 'timestamptz_send',
  numeric: 'numeric_send',
  uuid: 'uuid_send',
  json: 'json_send',
  jsonb: 'jsonb_send',
}

function floatForm(): string {
  return `case when e::text ~ '[a-zA-DF-Z]{2}' then to_json(e::text) else to_json(e::float8) end`
}

function instantForm(expression: string): string {
  const text = `to_char(${expression}, 'YYYY-MM-DD"T"HH24:MI:SS.US')`
  return `to_json(regexp_replace(${text}, '\\.?0*$', '') || 'Z')`
}

/** As much of `pg` as is used here; the package has no types of its own. */
interface PgModule {
  readonly Client: new (options: {
    database: string
  }) => {
    connect(): Promise<void>
    end(): Promise<void>
    on(event: 'notice', listener: (notice: { message: string; detail?: string }) => void): void
    query(text: string, values?: readonly string[]): Promise<{ rows: Record<string, string>[] }>
  }
}

const packageName: string = 'pg'
const { Client } = (await import(packageName)).default as PgModule
const client = new Client({ database: process.env['PGDATABASE'] ?? 'postgres' })
await client.connect()
try {
  const fixtures: Fixtures = {
    version: await one('show server_version', 'server_version'),
    types: await typeFixtures(),
    settings: SETTINGS,
    output: await outputFixtures(),
    datums: await datumFixtures(),
  }
  writeFileSync(FIXTURES_PATH, JSON.stringify(fixtures))
} finally {
  await client.end()
}

async function one(query: string, column: string): Promise<string> {
  const { rows } = await client.query(query)
  const value = rows[0]?.[column]
  if (value === undefined) throw new Error(`no ${column} from ${query}`)
  return value
}

async function typeFixtures(): Promise<PgType[]> {
  const json = await one(
    `select json_agg(json_build_object('oid', oid::int, 'name', format_type(oid, null), 'typname', typname,
       'sizeBytes', typlen, 'arrayOid', typarray::int,
       'alignBytes', case typalign when 'c' then 1 when 's' then 2 when 'i' then 4 else 8 end,
       'elementOid', case when typsubscript = 'array_subscript_handler'::regproc then typelem::int end) order by oid)::text as types
     from pg_type where oid in (${Object.values(OID).join(', ')})`,
    'types',
  )
  return JSON.parse(json)
}

async function useSettings(index: number): Promise<void> {
  const settings = SETTINGS[index] ?? SETTINGS[0]
  if (settings === undefined) throw new Error('no settings')
  await client.query(
    `select set_config('datestyle', $1, false), set_config('intervalstyle', $2, false),
            set_config('timezone', $3, false), set_config('bytea_output', $4, false),
            set_config('extra_float_digits', $5, false)`,
    [
      settings.dateStyle,
      settings.intervalStyle,
      settings.timeZone,
      settings.byteaOutput,
      String(settings.extraFloatDigits),
    ],
  )
}

async function outputFixtures(): Promise<OutputFixture[]> {
  const fixtures: OutputFixture[] = []
  for (const group of OUTPUT_CASES) {
    for (const literal of group.literals) fixtures.push(...(await outputFixturesOf(group, literal)))
  }
  return fixtures
}

async function outputFixturesOf(group: OutputCase, literal: string): Promise<OutputFixture[]> {
  const isArray = group.type.endsWith('[]')
  const base = group.typname
  const form =
    SPANNER_FORM[base] ?? `to_json(rtrim(format('%s', e), ${base === 'bpchar' ? `' '` : `''`}))`
  const spanner = isArray
    ? `(select coalesce(json_agg(case when e is null then 'null'::json else ${form} end order by o), '[]') from unnest(x) with ordinality as u(e, o))`
    : `(select ${form} from (select x as e) as v)`
  const send = isArray ? 'array_send' : (SEND_FUNCTION[base] ?? `${base}send`)
  await useSettings(0)
  const from = `from (select ${literal}::${group.type} as x) as s`
  const binary = await one(`select encode(${send}(x), 'hex') as binary ${from}`, 'binary')
  const json = await one(`select ${spanner}::text as spanner ${from}`, 'spanner')
  const fixtures: OutputFixture[] = []
  for (const settings of group.settings) {
    await useSettings(settings)
    const text = await one(`select format('%s', x) as text ${from}`, 'text')
    fixtures.push({
      typeOid: group.typeOid,
      typmod: group.typmod,
      settings,
      spanner: JSON.parse(json),
      text,
      binary,
    })
  }
  return fixtures
}

async function datumFixtures(): Promise<DatumFixture[]> {
  const fixtures: DatumFixture[] = []
  await useSettings(0)
  await client.query(
    'set client_min_messages = log; set debug_print_parse = on; set debug_pretty_print = off',
  )
  const details: string[] = []
  client.on('notice', (notice) => {
    if (notice.message === 'parse tree:') details.push(notice.detail ?? '')
  })
  for (const literal of DATUM_LITERALS) {
    details.length = 0
    const text = await one(`select ${literal} as c, format('%s', ${literal}) as text`, 'text')
    const match =
      /\{CONST :consttype (\d+) :consttypmod -?\d+ :constcollid \d+ :constlen (-?\d+) :constbyval (true|false) :constisnull false :location -?\d+ :constvalue (\d+) \[ ([-\d ]+) \]\}/.exec(
        (details[0] ?? '').replace(/\s+/g, ' '),
      )
    if (match === null) throw new Error(`no Const in the parse tree of ${literal}: ${details[0]}`)
    const bytes = Buffer.from((match[5] ?? '').split(' ').map((byte) => Number(byte) & 0xff))
    fixtures.push({
      literal,
      typeOid: Number(match[1]),
      lengthBytes: Number(match[2]),
      byValue: match[3] === 'true',
      bytes: bytes.toString('hex'),
      text,
    })
  }
  return fixtures
}
