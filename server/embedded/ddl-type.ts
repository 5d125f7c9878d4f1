import { type DdlCursor, invalidDdl, unsupportedDdl } from './ddl-cursor.ts'

/** Types of the dialect by the words they are written with; what is missing is not supported. */
const TYPES: Readonly<Record<string, string>> = {
  bigint: 'bigint',
  int8: 'bigint',
  int: 'bigint',
  integer: 'bigint',
  boolean: 'boolean',
  bool: 'boolean',
  bytea: 'bytea',
  date: 'date',
  'double precision': 'double precision',
  float8: 'double precision',
  float: 'double precision',
  real: 'real',
  float4: 'real',
  numeric: 'numeric',
  decimal: 'numeric',
  jsonb: 'jsonb',
  text: 'text',
  varchar: 'character varying',
  'character varying': 'character varying',
  timestamptz: 'timestamp with time zone',
  'timestamp with time zone': 'timestamp with time zone',
  uuid: 'uuid',
  'spanner.commit_timestamp': 'spanner.commit_timestamp',
  'spanner.tokenlist': 'spanner.tokenlist',
}
const TYPE_WORDS = new Set([
  'double',
  'precision',
  'character',
  'varying',
  'timestamp',
  'with',
  'without',
  'time',
  'zone',
  'bit',
])
const SERIAL = new Set(['serial', 'serial4', 'serial8', 'bigserial', 'smallserial', 'serial2'])
/** Lengths of varchar above this one are refused, this one is none (quotas, "cell"). */
const MAX_VARCHAR = 2_621_440

/** A column's type as PostgreSQL has it, and whether it was one of the serial names. */
export function readType(cursor: DdlCursor): { sql: string; isSerial: boolean } {
  const written = readTypeName(cursor)
  if (cursor.profile !== 'production' && (written === 'uuid' || SERIAL.has(written)))
    throw unsupportedDdl(`Type <${written}> is not supported.`)
  if (cursor.profile !== 'production' && written === 'spanner.tokenlist')
    throw unsupportedDdl('Type <tokenlist> does not exist.')
  if (SERIAL.has(written)) return { sql: 'bigint', isSerial: true }
  const modifier = cursor.sees('(') ? cursor.parenthesised() : ''
  const type = TYPES[written]
  if (type === undefined)
    throw unsupportedDdl(`Type <${TYPE_NAMES[written] ?? written}> is not supported.`)
  let sql = type
  if (written === 'float') sql = floatOf(cursor, modifier)
  else if (type === 'character varying') sql = `${type}${lengthOf(modifier)}`
  else if (modifier !== '')
    throw unsupportedDdl(`Type modifier is not supported for type <${type}>.`)
  return { sql: sql + readArray(cursor), isSerial: false }
}

function readTypeName(cursor: DdlCursor): string {
  cursor.accept('pg_catalog', '.')
  const words = [cursor.identifier()]
  if (words[0] === 'spanner' && cursor.accept('.')) words[0] = `spanner.${cursor.identifier()}`
  while (TYPE_WORDS.has(words[0] ?? '') && TYPE_WORDS.has(cursor.peek()?.value ?? ''))
    words.push(cursor.identifier())
  return words.join(' ')
}

function floatOf(cursor: DdlCursor, modifier: string): string {
  if (!FLOAT4.test(modifier)) return 'double precision'
  if (cursor.profile === 'production') return 'real'
  throw invalidDdl('Type modifier is not supported for type <float>.')
}

/** float(n) is real up to 24 (manual, 8.1.3). */
const FLOAT4 = /^\((\d|1\d|2[0-4])\)$/

const TYPE_NAMES: Readonly<Record<string, string>> = {
  smallint: 'int2',
  char: 'bpchar',
  character: 'bpchar',
  timestamp: 'timestamp without time zone',
}

function lengthOf(modifier: string): string {
  const length = Number(/^\(\s*(\d+)\s*\)$/.exec(modifier)?.[1] ?? MAX_VARCHAR)
  if (length > MAX_VARCHAR)
    throw unsupportedDdl(`Maximum length for <varchar> fields is ${MAX_VARCHAR}.`)
  return length === MAX_VARCHAR ? '' : `(${length})`
}

function readArray(cursor: DdlCursor): string {
  const isWord = cursor.accept('array')
  if (!isWord && !cursor.sees('[')) return ''
  if (cursor.accept('[')) {
    if (!cursor.sees(']')) cursor.integer()
    cursor.expect(']')
  }
  if (cursor.accept('vector', 'length')) cursor.integer()
  if (cursor.sees('[')) throw unsupportedDdl('Multi-dimensional arrays are not supported.')
  return '[]'
}
