import {
  checkFreeName,
  checkNewName,
  type DdlCursor,
  type DdlPlan,
  PLACEMENTS,
  quoteName,
  quoteText,
  type Refusals,
  unsupportedDdl,
} from './ddl-cursor.ts'

/** After CREATE INDEX and CREATE UNIQUE INDEX. */
export function translateCreateIndex(cursor: DdlCursor, isUnique: boolean): DdlPlan {
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
  const keys = nameArray(columns.map((column) => column.name))
  const tail = readIndexTail(cursor)
  cursor.end()
  return {
    skipIf: isConditional ? `SELECT to_regclass(${quoteText(index.sql)}) IS NOT NULL` : undefined,
    statements: [
      `SELECT _spanner.find_table(${quoteText(table.sql)}, ${quoteText(table.shown)})`,
      `SELECT _spanner.require_index_columns(${quoteText(written.name)}, ${quoteText(table.sql)}::regclass, ${keys})`,
      `SELECT _spanner.require_stored_columns(${quoteText(written.name)}, ${quoteText(table.sql)}::regclass, ${keys}, ${nameArray(tail.stored)})`,
      checkFreeName(index),
      `CREATE ${isUnique ? 'UNIQUE ' : ''}INDEX ${quoteName(written.name)} ON ${table.sql} (${columns.map((column) => column.sql).join(', ')})${tail.sql}`,
      `SELECT _spanner.check_index(${quoteText(index.sql)}::regclass)`,
      ...(isUnique ? [`SELECT _spanner.defer_unique(${quoteText(index.sql)}::regclass)`] : []),
    ],
  }
}

function nameArray(names: readonly string[]): string {
  return `ARRAY[${names.map(quoteText).join(', ')}]::name[]`
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
function readIndexTail(cursor: DdlCursor): {
  readonly stored: readonly string[]
  readonly sql: string
} {
  const stored: string[] = []
  let filter = ''
  for (;;) {
    if (cursor.accept('include')) stored.push(...cursor.columnList())
    else if (cursor.accept('where')) filter = ` WHERE ${readNotNullFilter(cursor)}`
    else if (cursor.accept('interleave', 'in')) cursor.name()
    else if (cursor.acceptAny(PLACEMENTS)) cursor.identifier()
    else break
  }
  cursor.refuse(TAIL_REFUSALS)
  const include = stored.length === 0 ? '' : ` INCLUDE (${stored.map(quoteName).join(', ')})`
  return { stored, sql: include + filter }
}

const TAIL_REFUSALS: Refusals = [
  [['nulls'], '<NULLS NOT DISTINCT> is not supported in <CREATE INDEX> statement.'],
  [['with'], 'Index options are not supported in <CREATE INDEX> statement.'],
  [['tablespace'], 'Tablespaces are not supported in <CREATE INDEX> statement.'],
]

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

/** After ALTER INDEX. */
export function translateAlterIndex(cursor: DdlCursor): DdlPlan {
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
