import { serialize } from 'pg-protocol'
import t from 'tap'
import { startRecordedEmbedded } from '../helpers/recorded-backend.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

/*
 * OR and IN over indexed columns keep using the index. Spanner seeks where a key column itself, not an expression over it, is compared with
 * constants or parameters: `c = x`, `c IN (..)`, `c = ANY (array)`, ORs of those ("Query execution operators", distributed and filter scans:
 * seekable conditions). What Spanwire sends must keep the column bare, whatever type it was declared with.
 */

const backend = await startRecordedEmbedded()
const spanwire = await startSpanwire({ env: backend.env })
const { client } = await WireClient.connect(spanwire, {
  user: 'me',
  database: 'postgres',
  options: '-c spanwire.emulation=off',
})
t.teardown(async () => {
  await client.end()
  await spanwire.stop()
  await backend.stop()
})

/** Declared types, each with two values. Not all are stored as what they are called. */
const TYPES: Readonly<Record<string, readonly [string, string]>> = {
  bigint: ['1', '2'],
  integer: ['1', '2'],
  smallint: ['1', '2'],
  text: ['a', 'b'],
  'varchar(10)': ['a', 'b'],
  citext: ['A', 'b'],
  uuid: ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', '6ba7b811-9dad-11d1-80b4-00c04fd430c8'],
  mood: ['sad', 'happy'],
  date: ['2024-01-01', '2024-01-02'],
  timestamp: ['2024-01-01 00:00:00', '2024-01-02 00:00:00'],
  timestamptz: ['2024-01-01 00:00:00+00', '2024-01-02 00:00:00+00'],
  boolean: ['true', 'false'],
  bytea: ['\\x01', '\\x02'],
}

const names = Object.keys(TYPES).map((type) => `c_${type.replace(/\W/g, '')}`)

t.before(async () => {
  for (const sql of [
    'create extension if not exists citext',
    `create type mood as enum ('sad', 'happy')`,
    `create table k (id bigint primary key, ${Object.keys(TYPES)
      .map((type, index) => `${names[index]} ${type}`)
      .join(', ')})`,
    ...names.map((name) => `create index on k (${name})`),
  ]) {
    const failed = (await client.query(sql)).find((message) => message.name === 'error')
    if (failed !== undefined) throw new Error(`${sql}: ${failed['message']}`)
  }
})

/** A condition as a client writes it, and the form that Spanner must get: `c` is the column, `?` a value. */
const CONDITIONS: readonly (readonly [written: string, sent: string])[] = [
  ['c = ? or c = ?', 'c = ? OR c = ?'],
  ['c in (?, ?)', 'c IN (?, ?)'],
  ['id = 1 or c = ?', 't1."id" = ? OR c = ?'],
  ['id in (1, 2) and (c = ? or c = ?)', 't1."id" IN (?, ?) AND (c = ? OR c = ?)'],
]

/** What comparisons with arrays become. */
const OF_CONSTANT_ARRAY = 'c IN (?, ?)'
const OF_ARRAY_PARAMETER = 'c = ANY (?)'
/** Emulated: the operator of citext's arrays has no row in the dialect's table. */
const NOT_COMPARED_WITH_ARRAYS = new Set(['citext'])

/** The condition of the one statement that Spanner was asked, its values replaced. */
async function sent(column: string, sql: string, params: readonly string[]): Promise<string> {
  backend.proxy.clear()
  client.send(
    serialize.parse({ text: sql }),
    serialize.bind({ values: [...params] }),
    serialize.execute({}),
    serialize.sync(),
  )
  const failed = (await client.untilReady()).find((message) => message.name === 'error')
  if (failed !== undefined) return `${failed['code']}: ${failed['message']}`
  return backend.proxy.calls
    .filter(({ method }) => method === 'ExecuteStreamingSql' || method === 'ExecuteSql')
    .map((call) => String(call.request()['sql']).replace(/^.* WHERE /s, ''))
    .join('; ')
    .replaceAll(`t1."${column}"`, 'c')
    .replace(/(?:'[^']*'(?:::\w+)?|\$\d+|\b\d+\b|\b(?:true|false)\b)/g, '?')
}

/** The column that is compared: citext is kept in lower case beside itself, and that is what the index is on. */
function comparedColumn(type: string, name: string): string {
  return type === 'citext' ? `spw_lower_${name}` : name
}

/** `{"a","b"}`. */
function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll('\\', '\\\\')}"`).join(',')}}`
}

for (const [index, [type, values]] of Object.entries(TYPES).entries()) {
  const name = names[index] ?? ''
  const column = comparedColumn(type, name)
  t.test(`${type}: OR and IN leave the column bare`, async (t) => {
    for (const [written, wanted] of CONDITIONS) {
      const numbered = [...written.matchAll(/\?/g)].length
      const own = values.slice(0, numbered)
      const select = `select id from k where ${written.replace(/\bc\b/g, name)}`
      let at = 0
      const inlined = select.replace(/\?/g, () => `'${own[at++]}'`)
      t.equal(await sent(column, inlined, []), wanted, inlined)
      at = 0
      const bound = select.replace(/\?/g, () => `$${++at}`)
      t.equal(await sent(column, bound, own), wanted, bound)
    }
  })

  t.test(`${type}: arrays leave the column bare`, async (t) => {
    const constant = `select id from k where ${name} = any ('${arrayText(values)}')`
    const bound = `select id from k where ${name} = any ($1)`
    const ofConstant = await sent(column, constant, [])
    const ofParameter = await sent(column, bound, [arrayText(values)])
    if (NOT_COMPARED_WITH_ARRAYS.has(type)) {
      t.match(ofConstant, /^0A000/)
      t.match(ofParameter, /^0A000/)
      return
    }
    t.equal(ofConstant, OF_CONSTANT_ARRAY)
    t.equal(ofParameter, OF_ARRAY_PARAMETER)
  })
}
