import { createHash } from 'node:crypto'
import {
  type DdlCursor,
  type DdlExpression,
  invalidDdl,
  nameArray,
  type ObjectName,
  quoteName,
  quoteText,
  unsupportedDdl,
} from './ddl-cursor.ts'

/** SQL that completes a table once it is there: identities, foreign keys. */
export interface ColumnDefinition {
  readonly name: string
  /** As PostgreSQL has it. */
  readonly type: string
  /** For CREATE TABLE and ADD COLUMN. */
  readonly sql: string
  readonly isPrimaryKey: boolean
  readonly isNotNull: boolean
  /** HIDDEN: it is shown so, and in `*` all the same. */
  readonly isHidden: boolean
  /** It has a value for the rows that are there: DEFAULT or a stored expression. */
  readonly fillsRows: boolean
  readonly identity: SequenceOptions | undefined
  readonly expressions: readonly DdlExpression[]
  readonly checks: readonly CheckConstraint[]
  readonly foreignKeys: readonly ForeignKey[]
}

export interface CheckConstraint {
  readonly name: string | undefined
  readonly expression: string
}

export interface ForeignKey {
  readonly name: string | undefined
  readonly columns: readonly string[]
  readonly parent: ObjectName
  readonly referenced: readonly string[]
  readonly onDelete: string
}

/** Options of a sequence or identity column. */
export interface SequenceOptions {
  readonly hasKind: boolean
  readonly start: string | undefined
  readonly skip: readonly [string, string] | undefined
}

const CONSTRAINT_WORDS = [
  'not',
  'null',
  'check',
  'primary',
  'references',
  'constraint',
  'generated',
  'unique',
  'on',
  'hidden',
  'default',
]

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

/** One column of CREATE TABLE or ADD COLUMN, up to the end of the cursor. */
export function readColumn(cursor: DdlCursor): ColumnDefinition {
  const name = cursor.identifier()
  const type = readType(cursor)
  let defaultSql = ''
  let generatedSql = ''
  let isPrimaryKey = false
  let isNotNull = false
  let isNullable = false
  let isHidden = false
  let identity: SequenceOptions | undefined = type.isSerial
    ? { hasKind: false, start: undefined, skip: undefined }
    : undefined
  const checks: CheckConstraint[] = []
  const foreignKeys: ForeignKey[] = []
  const expressions: DdlExpression[] = []
  while (!cursor.isAtEnd) {
    const label = cursor.accept('constraint') ? cursor.identifier() : undefined
    if (cursor.accept('not', 'null')) isNotNull = true
    else if (cursor.accept('null')) isNullable = true
    else if (cursor.accept('primary', 'key')) {
      if (label !== undefined)
        throw unsupportedDdl('Setting a name of a <PRIMARY KEY> constraint is not supported.')
      isPrimaryKey = true
    } else if (cursor.accept('default')) {
      const literal = literalOf(cursor)
      const expression = readDefault(cursor)
      defaultSql = `DEFAULT ${expression}`
      expressions.push({ kind: 'default', query: `SELECT ${expression}`, type: type.sql, literal })
    } else if (cursor.accept('generated', 'always', 'as', 'identity')) {
      throw unsupportedDdl('Only <GENERATED BY DEFAULT> is supported for identity column.')
    } else if (cursor.accept('generated', 'always', 'as')) generatedSql = readGenerated(cursor)
    else if (cursor.accept('generated', 'by', 'default', 'as', 'identity'))
      identity = readIdentity(cursor)
    else if (cursor.accept('check'))
      checks.push({ name: label, expression: cursor.parenthesised() })
    else if (cursor.accept('references')) foreignKeys.push(readReference(cursor, label, [name]))
    else if (cursor.sees('unique')) {
      throw unsupportedDdl('<UNIQUE> constraint is not supported, create a unique index instead.')
    } else if (cursor.profile === 'production' && cursor.accept('hidden')) isHidden = true
    else if (cursor.sees('on', 'update') || cursor.sees('hidden')) {
      throw unsupportedDdl(
        `<${cursor.next().text.toUpperCase()}> of a column is not supported by this server.`,
      )
    } else throw cursor.syntaxError()
  }
  if (isPrimaryKey && isNullable) throw unsupportedDdl(`Primary key column ${name} cannot be NULL.`)
  const sql = [
    quoteName(name),
    type.sql,
    defaultSql,
    generatedSql,
    isNotNull ? 'NOT NULL' : '',
  ].filter((part) => part !== '')
  const fillsRows = defaultSql !== '' || generatedSql !== '' || identity !== undefined
  return {
    name,
    type: type.sql,
    sql: sql.join(' '),
    isPrimaryKey,
    isNotNull,
    isHidden,
    fillsRows,
    identity,
    expressions,
    checks,
    foreignKeys,
  }
}

/** Whether a literal without a type comes next, alone. */
export function literalOf(cursor: DdlCursor): DdlExpression['literal'] {
  const after = cursor.peek(1)
  const isAlone =
    after === undefined ||
    after.text === ';' ||
    (after.kind === 'word' && CONSTRAINT_WORDS.includes(after.value))
  if (!isAlone) return undefined
  if (cursor.sees('null')) return 'null'
  return cursor.peek()?.kind === 'string' ? 'text' : undefined
}

function readDefault(cursor: DdlCursor): string {
  return cursor.expression((rest) => CONSTRAINT_WORDS.some((word) => rest.sees(word)))
}

function readGenerated(cursor: DdlCursor): string {
  const expression = cursor.parenthesised()
  // A virtual column is stored here, as the emulator does.
  if (!cursor.accept('stored') && !cursor.accept('virtual')) throw cursor.unparsed()
  return `GENERATED ALWAYS AS ${expression} STORED`
}

function readIdentity(cursor: DdlCursor): SequenceOptions {
  if (!cursor.accept('(')) return { hasKind: false, start: undefined, skip: undefined }
  const options = readSequenceOptions(cursor)
  cursor.expect(')')
  return options
}

/** Options of CREATE SEQUENCE and of an identity column, in any order. */
export function readSequenceOptions(cursor: DdlCursor): SequenceOptions {
  let hasKind = false
  let start: string | undefined
  let skip: readonly [string, string] | undefined
  for (;;) {
    if (cursor.accept('bit_reversed_positive')) hasKind = true
    else if (cursor.accept('skip', 'range')) skip = readRange(cursor)
    else if (cursor.accept('no', 'skip', 'range')) skip = undefined
    else if (cursor.accept('start', 'counter') || cursor.accept('restart', 'counter')) {
      cursor.accept('with')
      start = cursor.integer()
    } else if (
      cursor.accept('no', 'cycle') ||
      cursor.accept('no', 'minvalue') ||
      cursor.accept('no', 'maxvalue')
    )
      continue
    else if (cursor.accept('owned', 'by', 'none')) continue
    else if (cursor.isAtEnd || cursor.sees(')') || cursor.sees(';') || cursor.sees(','))
      return { hasKind, start, skip }
    else
      throw unsupportedDdl(
        `Optional clause <${cursor.peek()?.value ?? ''}> is not supported in sequence options.`,
      )
  }
}

function readRange(cursor: DdlCursor): readonly [string, string] {
  const from = cursor.integer()
  cursor.accept(',')
  return [from, cursor.integer()]
}

/** After REFERENCES. */
export function readReference(
  cursor: DdlCursor,
  name: string | undefined,
  columns: readonly string[],
): ForeignKey {
  const parent = cursor.name()
  if (!cursor.sees('(')) {
    throw unsupportedDdl(
      '<REFERENCES> must name the referenced columns in <FOREIGN KEY> constraints.',
    )
  }
  const referenced = cursor.columnList()
  let onDelete = 'NO ACTION'
  // Rows without a NULL in their key are all that MATCH FULL is about, and all that Spanner checks.
  if (cursor.accept('match')) cursor.expect('full')
  while (cursor.accept('on')) {
    const isDelete = cursor.accept('delete')
    if (!isDelete) cursor.expect('update')
    const action = readAction(cursor)
    if (action !== 'NO ACTION' && action !== 'CASCADE') {
      throw unsupportedDdl(`Foreign key referential action <${action}> is not supported.`)
    }
    if (!isDelete && action === 'CASCADE' && cursor.profile === 'production')
      throw unsupportedDdl('<ON UPDATE CASCADE> is not supported in foreign keys.')
    if (isDelete) onDelete = action
  }
  cursor.accept('not', 'deferrable')
  cursor.accept('initially', 'immediate')
  if (cursor.sees('deferrable') || cursor.sees('initially')) {
    throw unsupportedDdl('<DEFERRABLE> constraints are not supported.')
  }
  return { name, columns, parent, referenced, onDelete }
}

function readAction(cursor: DdlCursor): string {
  if (cursor.accept('no', 'action')) return 'NO ACTION'
  if (cursor.accept('cascade')) return 'CASCADE'
  if (cursor.accept('set', 'null')) return 'SET NULL'
  if (cursor.accept('set', 'default')) return 'SET DEFAULT'
  cursor.expect('restrict')
  return 'RESTRICT'
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16).toUpperCase()
}

/** A name for an unnamed constraint: the table's name, a hash, a number. */
function generatedName(prefix: string, label: string, text: string): string {
  return `${prefix}_${label.slice(0, 36)}_${hashOf(text)}_1`
}

/** SQL that adds a check constraint. */
export function addCheck(table: ObjectName, check: CheckConstraint): string {
  const name = check.name ?? generatedName('CK', table.name, table.sql + check.expression)
  return `ALTER TABLE ${table.sql} ADD CONSTRAINT ${quoteName(name)} CHECK ${check.expression}`
}

/** SQL that adds a foreign key, the indexes that back it first. */
export function addForeignKey(table: ObjectName, key: ForeignKey): string[] {
  const text = JSON.stringify([table.sql, key.columns, key.parent.sql, key.referenced])
  const name = key.name ?? generatedName('FK', `${table.name}_${key.parent.name}`, text)
  const list = (columns: readonly string[]) => columns.map(quoteName).join(', ')
  return [
    `SELECT _spanner.prepare_foreign_key(${quoteText(table.sql)}::regclass, ${nameArray(key.columns)}, ` +
      `_spanner.find_table(${quoteText(key.parent.sql)}, ${quoteText(key.parent.shown)}), ${nameArray(key.referenced)})`,
    `ALTER TABLE ${table.sql} ADD CONSTRAINT ${quoteName(name)} FOREIGN KEY (${list(key.columns)}) ` +
      `REFERENCES ${key.parent.sql} (${list(key.referenced)}) ON DELETE ${key.onDelete}`,
  ]
}

/** SQL that makes a column an identity column. */
export function addIdentity(table: ObjectName, column: string, options: SequenceOptions): string {
  const [min, max] = options.skip ?? ['NULL', 'NULL']
  const kind = options.hasKind
    ? `'identity'`
    : `_spanner.default_kind('identity', ${quoteText(column)})`
  return `SELECT _spanner.add_identity(${quoteText(table.sql)}::regclass, ${quoteText(column)}, ${options.start ?? '1'}, ${min}, ${max}, ${kind})`
}
