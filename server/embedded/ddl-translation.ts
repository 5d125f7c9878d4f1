import { parseStatements, SyntaxProblem } from '../sql/statement.ts'
import { translateAlterTable } from './ddl-alter-table.ts'
import {
  translateAlterChangeStream,
  translateCreateChangeStream,
  translateDropChangeStream,
} from './ddl-change-stream.ts'
import { translateCreateTable } from './ddl-create-table.ts'
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
import { translateAlterIndex, translateCreateIndex } from './ddl-index.ts'
import { translateCreateSearchIndex, translateDropSearchIndex } from './ddl-search-index.ts'
import { translateAlterSequence, translateCreateSequence } from './ddl-sequence.ts'
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

const CREATE: readonly (readonly [words: readonly string[], (cursor: DdlCursor) => DdlPlan])[] = [
  [['table'], translateCreateTable],
  [['unique', 'index'], (cursor) => translateCreateIndex(cursor, true)],
  [['index'], (cursor) => translateCreateIndex(cursor, false)],
  [['schema'], translateCreateSchema],
  [['sequence'], translateCreateSequence],
  [['or', 'replace', 'view'], (cursor) => translateCreateView(cursor, true)],
  [['view'], (cursor) => translateCreateView(cursor, false)],
  [['change', 'stream'], translateCreateChangeStream],
]

/** What production has, or some of its editions. */
const CREATE_ELSEWHERE: readonly (readonly string[])[] = [
  ['search', 'index'],
  ['vector', 'index'],
  ['role'],
  ['placement'],
  ['locality', 'group'],
]

function translateCreate(cursor: DdlCursor): DdlPlan {
  if (cursor.sees('temp') || cursor.sees('temporary') || cursor.sees('unlogged')) {
    throw unsupportedDdl(
      `TEMP/TEMPORARY or UNLOGGED objects are not supported in <CREATE ${cursor.peek(1)?.text.toUpperCase()}> statement.`,
    )
  }
  for (const [words, translation] of CREATE) if (cursor.accept(...words)) return translation(cursor)
  if (cursor.profile === 'production' && cursor.accept('search', 'index'))
    return translateCreateSearchIndex(cursor)
  const other = CREATE_ELSEWHERE.find((words) => cursor.sees(...words))
  if (other !== undefined) throw notHere(cursor, `<CREATE ${other.join(' ').toUpperCase()}>`)
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
      kind === 'index'
        ? `SELECT _spanner.drop_index(${quoteText(target.sql)}::regclass)`
        : `DROP ${kind.toUpperCase()} ${target.sql}`,
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
