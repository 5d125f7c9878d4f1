import { parseStatements, SyntaxProblem } from '../sql/statement.ts'
import {
  translateAlterChangeStream,
  translateCreateChangeStream,
  translateDropChangeStream,
} from './ddl-change-stream.ts'
import { readSequenceOptions } from './ddl-column.ts'
import {
  checkFreeName,
  checkNewName,
  DdlCursor,
  type DdlPlan,
  invalidDdl,
  quoteName,
  quoteText,
  UnknownDdl,
  unparsedDdl,
  unsupportedDdl,
} from './ddl-cursor.ts'
import { translateCreateSearchIndex, translateDropSearchIndex } from './ddl-search-index.ts'
import { translateAlterTable, translateCreateTable } from './ddl-table.ts'
import type { GrpcStatus } from './grpc-status.ts'
import type { Profile } from './profile.ts'

/**
 * One DDL statement of Spanner's PostgreSQL dialect as the statements of PostgreSQL that do the same. Syntax errors and what Spanner never
 * takes are thrown here, before anything of a batch has run; what depends on the schema is found by the statements themselves.
 */
export function translateDdl(sql: string, profile: Profile): DdlPlan {
  try {
    return translate(new DdlCursor(sql, profile))
  } catch (error) {
    throw error instanceof UnknownDdl ? statusOfUnknown(sql, error) : error
  }
}

/** What is SQL is merely not supported, FAILED_PRECONDITION; the rest is no statement at all, INVALID_ARGUMENT. */
function statusOfUnknown(sql: string, { what }: UnknownDdl): GrpcStatus {
  try {
    if (parseStatements(sql).length > 0) return unsupportedDdl(what)
  } catch (error) {
    if (error instanceof SyntaxProblem) return unparsedDdl(error.message)
    throw error
  }
  return unparsedDdl('syntax error at end of input')
}

function translate(cursor: DdlCursor): DdlPlan {
  const { profile } = cursor
  if (cursor.accept('create')) return translateCreate(cursor)
  if (cursor.accept('alter')) return translateAlter(cursor)
  if (cursor.accept('drop')) return translateDrop(cursor)
  if (profile === 'production' && cursor.accept('analyze')) {
    cursor.end()
    return { statements: ['ANALYZE'] }
  }
  if (cursor.sees('grant') || cursor.sees('revoke'))
    throw unsupportedDdl('Access control is not supported by this server.')
  throw new UnknownDdl('Statement is not supported.')
}

function translateCreate(cursor: DdlCursor): DdlPlan {
  for (const word of ['temp', 'temporary', 'unlogged']) {
    if (cursor.sees(word)) {
      throw unsupportedDdl(
        `TEMP/TEMPORARY or UNLOGGED objects are not supported in <CREATE ${cursor.peek(1)?.text.toUpperCase()}> statement.`,
      )
    }
  }
  if (cursor.accept('table')) return translateCreateTable(cursor)
  if (cursor.accept('unique', 'index')) return translateCreateIndex(cursor, 'UNIQUE INDEX')
  if (cursor.accept('index')) return translateCreateIndex(cursor, 'INDEX')
  if (cursor.accept('schema')) return translateCreateSchema(cursor)
  if (cursor.accept('sequence')) return translateCreateSequence(cursor)
  if (cursor.accept('or', 'replace', 'view')) return translateCreateView(cursor, true)
  if (cursor.accept('view')) return translateCreateView(cursor, false)
  if (cursor.accept('change', 'stream')) return translateCreateChangeStream(cursor)
  if (cursor.profile === 'production' && cursor.accept('search', 'index'))
    return translateCreateSearchIndex(cursor)
  for (const words of [
    ['search', 'index'],
    ['vector', 'index'],
    ['role'],
    ['placement'],
    ['locality', 'group'],
  ]) {
    if (cursor.sees(...words)) throw notHere(cursor, `<CREATE ${words.join(' ').toUpperCase()}>`)
  }
  throw new UnknownDdl('Statement is not supported.')
}

/** What production has: the emulator takes it for no statement where PostgreSQL's grammar has not got it. */
function notHere({ profile }: DdlCursor, what: string): Error {
  const text = `${what} is not supported by this server.`
  return profile === 'production' ? unsupportedDdl(text) : new UnknownDdl(text)
}

function translateAlter(cursor: DdlCursor): DdlPlan {
  if (cursor.accept('table')) return translateAlterTable(cursor)
  if (cursor.accept('index')) return translateAlterIndex(cursor)
  if (cursor.accept('sequence')) return translateAlterSequence(cursor)
  if (cursor.accept('database')) return translateAlterDatabase(cursor)
  if (cursor.accept('change', 'stream')) return translateAlterChangeStream(cursor)
  if (cursor.profile === 'production' && cursor.accept('statistics')) return { statements: [] }
  if (cursor.sees('statistics')) throw unsupportedDdl('Statement is not supported.')
  if (cursor.sees('view')) throw unsupportedDdl('Only <TABLE> is supported for renaming.')
  throw new UnknownDdl('Statement is not supported.')
}

function translateCreateSchema(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.accept('if', 'not', 'exists')
  const name = cursor.identifier()
  cursor.end()
  checkNewName('Schema', name)
  if (/^(pg_|public$|spanner$|spanner_sys$|information_schema$)/.test(name))
    throw invalidDdl(`Schema name not valid: ${name}.`)
  return {
    statements: [`CREATE SCHEMA ${isConditional ? 'IF NOT EXISTS ' : ''}${quoteName(name)}`],
  }
}

function translateCreateSequence(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.accept('if', 'not', 'exists')
  const sequence = cursor.name()
  checkNewName('Sequence', sequence.name)
  const options = readSequenceOptions(cursor)
  cursor.end()
  const start = options.start ?? '1'
  const [min, max] = options.skip ?? ['NULL', 'NULL']
  const kind = options.hasKind
    ? `'sequence'`
    : `_spanner.default_kind('sequence', ${quoteText(sequence.shown)})`
  return {
    skipIf: isConditional
      ? `SELECT to_regclass(${quoteText(sequence.sql)}) IS NOT NULL`
      : undefined,
    statements: [
      checkFreeName(sequence),
      `CREATE SEQUENCE ${sequence.sql} START ${start}`,
      `SELECT _spanner.register_sequence(${quoteText(sequence.sql)}::regclass, ${start}, ${min}, ${max}, ${kind})`,
    ],
  }
}

function translateAlterSequence(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.accept('if', 'exists')
  const sequence = cursor.name()
  cursor.accept('set')
  const hasSkip = cursor.sees('skip') || cursor.sees('no')
  const options = readSequenceOptions(cursor)
  cursor.end()
  const [min, max] = options.skip ?? ['NULL', 'NULL']
  return {
    skipIf: isConditional ? `SELECT to_regclass(${quoteText(sequence.sql)}) IS NULL` : undefined,
    statements: [
      `SELECT _spanner.alter_sequence(_spanner.find_named_sequence(${quoteText(sequence.sql)}, ${quoteText(sequence.shown)}), ` +
        `${options.start ?? 'NULL'}, ${hasSkip}, ${min}, ${max})`,
    ],
  }
}

function translateCreateIndex(cursor: DdlCursor, kind: string): DdlPlan {
  if (cursor.sees('concurrently'))
    throw unsupportedDdl('Concurrent index creation is not supported in <CREATE INDEX> statement.')
  const isConditional = cursor.accept('if', 'not', 'exists')
  if (cursor.sees('on'))
    throw unsupportedDdl('Index name is mandatory in <CREATE INDEX> statement.')
  const written = cursor.name()
  checkNewName('Index', written.name)
  cursor.expect('on')
  if (cursor.sees('only'))
    throw unsupportedDdl(
      '<ONLY> for table inheritance is not supported in <CREATE INDEX> statement.',
    )
  const table = cursor.name()
  const index = {
    ...written,
    schema: table.schema,
    sql: `${quoteName(table.schema)}.${quoteName(written.name)}`,
  }
  if (cursor.accept('using') && cursor.identifier() !== 'btree') {
    throw unsupportedDdl('Setting access method is not supported in <CREATE INDEX> statement.')
  }
  const columns = cursor.elements().map(readIndexColumn)
  const tail = readIndexTail(cursor)
  cursor.end()
  return {
    skipIf: isConditional ? `SELECT to_regclass(${quoteText(index.sql)}) IS NOT NULL` : undefined,
    statements: [
      `SELECT _spanner.find_table(${quoteText(table.sql)}, ${quoteText(table.shown)})`,
      `SELECT _spanner.require_index_columns(${quoteText(written.name)}, ${quoteText(table.sql)}::regclass, ARRAY[${columns.map((column) => quoteText(column.name)).join(', ')}]::name[])`,
      checkFreeName(index),
      `CREATE ${kind} ${quoteName(written.name)} ON ${table.sql} (${columns.map((column) => column.sql).join(', ')})${tail}`,
      `SELECT _spanner.check_index(${quoteText(index.sql)}::regclass)`,
    ],
  }
}

function readIndexColumn(cursor: DdlCursor): { name: string; sql: string } {
  if (cursor.sees('(') || cursor.peek(1)?.text === '(')
    throw unsupportedDdl('Expressions are not supported in <CREATE INDEX> statement.')
  const name = cursor.identifier()
  let sql = quoteName(name)
  if (cursor.sees('collate'))
    throw unsupportedDdl('Setting collation is not supported in <CREATE INDEX> statement.')
  if (cursor.accept('asc')) sql += ' ASC'
  else if (cursor.accept('desc')) sql += ' DESC'
  if (cursor.accept('nulls', 'first')) sql += ' NULLS FIRST'
  else if (cursor.accept('nulls', 'last')) sql += ' NULLS LAST'
  if (!cursor.isAtEnd)
    throw unsupportedDdl('Setting operator class is not supported in <CREATE INDEX> statement.')
  return { name, sql }
}

/** INCLUDE and the filter; where the index is stored is of no meaning here. */
function readIndexTail(cursor: DdlCursor): string {
  let include = ''
  let filter = ''
  for (;;) {
    if (cursor.accept('include'))
      include = ` INCLUDE (${cursor.columnList().map(quoteName).join(', ')})`
    else if (cursor.accept('where')) filter = ` WHERE ${readNotNullFilter(cursor)}`
    else if (cursor.accept('interleave', 'in')) cursor.name()
    else if (cursor.accept('locality', 'group') || cursor.accept('columnar', 'policy'))
      cursor.identifier()
    else if (cursor.sees('nulls'))
      throw unsupportedDdl('<NULLS NOT DISTINCT> is not supported in <CREATE INDEX> statement.')
    else if (cursor.sees('with'))
      throw unsupportedDdl('Index options are not supported in <CREATE INDEX> statement.')
    else if (cursor.sees('tablespace'))
      throw unsupportedDdl('Tablespaces are not supported in <CREATE INDEX> statement.')
    else return include + filter
  }
}

const FILTER_TEXT =
  '<WHERE> clause of <CREATE INDEX> statement supports only conjunction of <column IS NOT NULL> expressions using <AND>, where <column> is part of an index.'

function readNotNullFilter(cursor: DdlCursor): string {
  const terms: string[] = []
  do {
    let depth = 0
    while (cursor.accept('(')) depth++
    const column = cursor.identifier()
    if (!cursor.accept('is', 'not', 'null')) throw unsupportedDdl(FILTER_TEXT)
    while (depth > 0 && cursor.accept(')')) depth--
    terms.push(`${quoteName(column)} IS NOT NULL`)
  } while (cursor.accept('and'))
  while (cursor.accept(')'));
  return terms.join(' AND ')
}

function translateAlterIndex(cursor: DdlCursor): DdlPlan {
  if (cursor.accept('if', 'exists')) throw cursor.unparsed()
  const index = cursor.name()
  if (cursor.sees('rename')) throw unsupportedDdl('Only <TABLE> is supported for renaming.')
  const isAdded = cursor.accept('add')
  if (!isAdded) cursor.expect('drop')
  cursor.expect('include', 'column')
  const column = cursor.identifier()
  cursor.end()
  return {
    statements: [
      `SELECT _spanner.alter_index_include(_spanner.find_index(${quoteText(index.sql)}, ${quoteText(index.shown)}), ${quoteText(column)}, ${isAdded})`,
    ],
  }
}

function translateCreateView(cursor: DdlCursor, isReplacing: boolean): DdlPlan {
  const view = cursor.name()
  checkNewName('View', view.name)
  if (cursor.sees('('))
    throw unsupportedDdl('Setting column names in <CREATE VIEW> statement is not supported.')
  if (cursor.sees('with'))
    throw unsupportedDdl('<WITH> clause is not supported in <CREATE VIEW> statement.')
  const hasClause =
    cursor.accept('sql', 'security', 'invoker') || cursor.accept('sql', 'security', 'definer')
  if (!hasClause && cursor.profile === 'production')
    throw unsupportedDdl('<SQL SECURITY> clause is missing in <CREATE VIEW> statement.')
  cursor.expect('as')
  const query = cursor.rest()
  cursor.end()
  const replace = isReplacing ? 'OR REPLACE ' : ''
  return {
    statements: [
      ...(isReplacing ? [] : [checkFreeName(view)]),
      `CREATE ${replace}VIEW ${view.sql} WITH (security_invoker = true) AS ${query}`,
    ],
  }
}

function translateAlterDatabase(cursor: DdlCursor): DdlPlan {
  cursor.identifier()
  const isReset = cursor.accept('reset')
  if (!isReset) cursor.expect('set')
  const option = readOptionName(cursor)
  if (!/^[a-z_]+$/.test(option)) throw invalidDdl(`Option: ${option} is unknown.`)
  let value = ''
  if (!isReset) {
    if (!cursor.accept('=')) cursor.expect('to')
    const token = cursor.next()
    if (token.value !== 'default')
      value = token.kind === 'string' ? token.text.slice(1, -1).replaceAll("''", "'") : token.text
  }
  cursor.end()
  if (cursor.profile !== 'production' && UNKNOWN_TO_EMULATOR.has(option))
    throw unsupportedDdl(`Database option is not supported: ${option}.`)
  if (option === 'default_sequence_kind' && value !== '' && value !== 'bit_reversed_positive') {
    throw unsupportedDdl(`Invalid Sequence Kind: ${value}.`)
  }
  if (value === '')
    return { statements: [`DELETE FROM _spanner_meta.options WHERE name = '${option}'`] }
  return {
    statements: [
      `SELECT _spanner.check_option(${quoteText(option)}, ${quoteText(value)})`,
      `INSERT INTO _spanner_meta.options VALUES (${quoteText(option)}, ${quoteText(value)}) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    ],
  }
}

/** Database options that production has and the emulator refuses. */
const UNKNOWN_TO_EMULATOR = new Set(['version_retention_period', 'optimizer_version'])

/** `spanner.x`, `"spanner.x"` or `"spanner"."x"`. */
function readOptionName(cursor: DdlCursor): string {
  let name = cursor.identifier()
  while (cursor.accept('.')) name += `.${cursor.identifier()}`
  if (!name.startsWith('spanner.')) throw invalidDdl(`Option: ${name} is unknown.`)
  return name.slice('spanner.'.length)
}

type DropRule = readonly [kind: string, label: string, relkinds: string, before: string]

const DROPS: readonly DropRule[] = [
  ['table', 'Table', 'r', '_spanner.check_drop_table'],
  ['index', 'Index', 'i', ''],
  ['view', 'View', 'v', ''],
  ['sequence', 'Sequence', 'S', '_spanner.check_drop_sequence'],
]

function translateDrop(cursor: DdlCursor): DdlPlan {
  if (cursor.accept('schema')) return translateDropSchema(cursor)
  if (cursor.accept('change', 'stream')) return translateDropChangeStream(cursor)
  if (cursor.profile === 'production' && cursor.accept('search', 'index'))
    return translateDropSearchIndex(cursor)
  const rule = DROPS.find(([word]) => cursor.sees(word))
  if (rule === undefined) {
    const other = cursor.peek()?.text.toUpperCase() ?? ''
    throw unsupportedDdl(
      `<DROP ${other}> is not supported. Only <DROP TABLE>, <DROP INDEX>, <DROP SCHEMA>, <DROP VIEW>, <DROP SEQUENCE>, and <DROP CHANGE STREAM> statements are supported.`,
    )
  }
  const [kind, label, relkind, before] = rule
  cursor.next()
  if (cursor.sees('concurrently'))
    throw unsupportedDdl('<CONCURRENTLY> is not supported by <DROP> statement.')
  const isConditional = cursor.accept('if', 'exists')
  const target = cursor.name()
  endDrop(cursor)
  const check = `SELECT _spanner.find_to_drop(${quoteText(target.sql)}, ${quoteText(target.shown)}, '${relkind}', '${label}')`
  return {
    skipIf: isConditional ? `SELECT to_regclass(${quoteText(target.sql)}) IS NULL` : undefined,
    statements: [
      check,
      ...(before === '' ? [] : [`SELECT ${before}(${quoteText(target.sql)}::regclass)`]),
      `DROP ${kind.toUpperCase()} ${target.sql}`,
      ...(kind === 'table' ? ['SELECT _spanner.drop_unused_indexes()'] : []),
    ],
  }
}

function translateDropSchema(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.accept('if', 'exists')
  const name = cursor.identifier()
  endDrop(cursor)
  checkNewName('Schema', name)
  if (name === 'public' || name === 'spanner' || name === 'information_schema') {
    throw unsupportedDdl(`Cannot drop schema ${name}.`)
  }
  return { statements: [`DROP SCHEMA ${isConditional ? 'IF EXISTS ' : ''}${quoteName(name)}`] }
}

function endDrop(cursor: DdlCursor): void {
  if (cursor.sees(','))
    throw unsupportedDdl('<DROP> statements support deletion of only single object per statement.')
  if (cursor.accept('cascade'))
    throw unsupportedDdl('Only <RESTRICT> behavior is supported by <DROP> statement.')
  cursor.accept('restrict')
  cursor.end()
}
