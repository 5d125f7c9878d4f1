import {
  checkFreeName,
  checkNewName,
  type DdlCursor,
  type DdlPlan,
  quoteName,
  quoteText,
  unsupportedDdl,
} from './ddl-cursor.ts'

/** After CREATE SEARCH INDEX: an index of PostgreSQL's for full text. What its columns are kept beside is of no meaning here. */
export function translateCreateSearchIndex(cursor: DdlCursor): DdlPlan {
  const index = cursor.name()
  checkNewName('Index', index.name)
  cursor.expect('on')
  const table = cursor.name()
  const columns = cursor.columnList()
  const tail = cursor.isAtEnd || cursor.sees(';') ? '' : cursor.rest()
  cursor.end()
  if (tail !== '' && !/^(?:include|partition by|order by|interleave in|options)\b/i.test(tail))
    throw unsupportedDdl(`<${tail.split(' ')[0]}> is not supported in <CREATE SEARCH INDEX>.`)
  const own = {
    ...index,
    schema: table.schema,
    sql: `${quoteName(table.schema)}.${quoteName(index.name)}`,
  }
  return {
    statements: [
      `SELECT _spanner.find_table(${quoteText(table.sql)}, ${quoteText(table.shown)})`,
      checkFreeName(own),
      ...columns.map(
        (column) =>
          `SELECT _spanner.require_token_list(${quoteText(index.name)}, ${quoteText(table.sql)}::regclass, ${quoteText(column)})`,
      ),
      `CREATE INDEX ${quoteName(index.name)} ON ${table.sql} USING gin (${columns.map(quoteName).join(', ')})`,
      `COMMENT ON INDEX ${own.sql} IS ${quoteText(tail)}`,
    ],
  }
}

/** After DROP SEARCH INDEX. */
export function translateDropSearchIndex(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.accept('if', 'exists')
  const index = cursor.name()
  cursor.end()
  return {
    skipIf: isConditional ? `SELECT to_regclass(${quoteText(index.sql)}) IS NULL` : undefined,
    statements: [
      `SELECT _spanner.find_to_drop(${quoteText(index.sql)}, ${quoteText(index.shown)}, 'i', 'Index')`,
      `DROP INDEX ${index.sql}`,
    ],
  }
}
