import {
  addCheck,
  addForeignKey,
  addIdentity,
  type CheckConstraint,
  type ColumnDefinition,
  type ForeignKey,
  readColumn,
  readReference,
  readSequenceOptions,
  readType,
} from './ddl-column.ts'
import {
  checkFreeName,
  checkNewName,
  type DdlCursor,
  type DdlExpression,
  type DdlPlan,
  invalidDdl,
  type ObjectName,
  quoteName,
  quoteText,
  unsupportedDdl,
} from './ddl-cursor.ts'
import { checkColumns, checkExpressionOf, expressionsOf } from './ddl-table-checks.ts'

interface TableParts {
  readonly columns: ColumnDefinition[]
  readonly checks: CheckConstraint[]
  readonly foreignKeys: ForeignKey[]
  primaryKey: readonly string[] | undefined
}

/** After CREATE TABLE. */
export function translateCreateTable(cursor: DdlCursor): DdlPlan {
  const isConditional = cursor.accept('if', 'not', 'exists')
  const table = cursor.name()
  checkNewName('Table', table.name)
  const parts: TableParts = { columns: [], checks: [], foreignKeys: [], primaryKey: undefined }
  if (!cursor.sees('(')) throw unsupportedDdl('Statement is not supported.')
  for (const element of cursor.elements()) readElement(element, parts)
  const trailing = readTrailing(cursor, table)
  cursor.end()
  const own = parts.columns.filter((column) => column.isPrimaryKey).map((column) => column.name)
  const key = parts.primaryKey ?? own
  if (parts.primaryKey !== undefined && own.length > 0) {
    throw invalidDdl(`Multiple primary keys for table ${table.shown} are not allowed.`)
  }
  checkColumns(cursor.profile, table, {
    columns: parts.columns,
    key,
    isKeyWritten: parts.primaryKey !== undefined,
  })
  const lines = parts.columns.map((column) => column.sql)
  if (key.length > 0)
    lines.push(
      `CONSTRAINT ${quoteName(`PK_${table.name}`.slice(0, 63))} PRIMARY KEY (${key.map(quoteName).join(', ')})`,
    )
  return {
    skipIf: isConditional ? `SELECT to_regclass(${quoteText(table.sql)}) IS NOT NULL` : undefined,
    statements: [
      checkFreeName(table),
      `CREATE TABLE ${table.sql} (${lines.join(', ')})`,
      ...completions(table, parts),
      ...trailing,
    ],
    expressions: expressionsOf(table, parts.columns, parts.checks),
  }
}

function completions(table: ObjectName, parts: TableParts): string[] {
  const checks = [...parts.columns.flatMap((column) => column.checks), ...parts.checks]
  const keys = [...parts.columns.flatMap((column) => column.foreignKeys), ...parts.foreignKeys]
  const identities = parts.columns.flatMap((column) =>
    column.identity === undefined ? [] : [addIdentity(table, column.name, column.identity)],
  )
  return [
    ...identities,
    ...parts.columns.flatMap((column) => (column.isHidden ? [hide(table, column.name)] : [])),
    ...checks.map((check) => addCheck(table, check)),
    ...keys.flatMap((key) => addForeignKey(table, key)),
  ]
}

/** PostgreSQL has no such column: a comment says that it is one. */
function hide(table: ObjectName, column: string): string {
  return `COMMENT ON COLUMN ${table.sql}.${quoteName(column)} IS 'HIDDEN'`
}

function readElement(element: DdlCursor, parts: TableParts): void {
  const isNamed = element.accept('constraint')
  const name = isNamed ? element.identifier() : undefined
  if (element.accept('primary', 'key')) {
    if (isNamed)
      throw unsupportedDdl('Setting a name of a <PRIMARY KEY> constraint is not supported.')
    if (parts.primaryKey !== undefined) throw invalidDdl('Multiple primary keys are not allowed.')
    parts.primaryKey = element.sees('(', ')') ? [] : element.columnList()
  } else if (element.accept('foreign', 'key')) {
    const columns = element.columnList()
    element.expect('references')
    parts.foreignKeys.push(readReference(element, name, columns))
  } else if (element.sees('check', '(')) {
    element.next()
    parts.checks.push({ name, expression: element.parenthesised() })
  } else if (element.sees('unique')) {
    throw unsupportedDdl('<UNIQUE> constraint is not supported, create a unique index instead.')
  } else if (element.sees('like')) {
    throw unsupportedDdl('<LIKE> clause is not supported in <CREATE TABLE> statement.')
  } else if (element.sees('synonym', '(')) {
    throw unsupportedDdl('Synonyms are not supported by this server.')
  } else if (isNamed) throw element.syntaxError()
  else parts.columns.push(readColumn(element))
  if (!element.isAtEnd) throw element.syntaxError()
}

/** INTERLEAVE, TTL and what may stand between and after them. */
function readTrailing(cursor: DdlCursor, table: ObjectName): string[] {
  const statements: string[] = []
  const self = `${quoteText(table.sql)}::regclass`
  for (;;) {
    if (cursor.accept('interleave', 'in')) statements.push(readInterleave(cursor, self))
    else if (cursor.accept('ttl')) statements.push(setTtl(self, readTtl(cursor)))
    else if (cursor.accept('using')) cursor.identifier()
    else if (cursor.accept('locality', 'group') || cursor.accept('columnar', 'policy'))
      cursor.identifier()
    else if (
      cursor.sees('inherits') ||
      cursor.sees('partition') ||
      cursor.sees('with') ||
      cursor.sees('tablespace') ||
      cursor.sees('as')
    ) {
      const clause = cursor.sees('partition') ? 'PARTITION BY' : cursor.peek()?.text.toUpperCase()
      throw unsupportedDdl(`<${clause}> clause is not supported in <CREATE TABLE> statement.`)
    } else return statements
  }
}

function readInterleave(cursor: DdlCursor, table: string): string {
  const kind = isParentWord(cursor) && cursor.accept('parent') ? 'IN PARENT' : 'IN'
  if (kind === 'IN' && cursor.profile !== 'production') {
    throw unsupportedDdl(
      '<INTERLEAVE IN> clause is not supported. Consider using <INTERLEAVE IN PARENT>.',
    )
  }
  const parent = cursor.name()
  let onDelete = 'NO ACTION'
  if (cursor.accept('on', 'delete')) {
    if (cursor.accept('cascade')) onDelete = 'CASCADE'
    else cursor.expect('no', 'action')
  }
  const found = `_spanner.find_table(${quoteText(parent.sql)}, ${quoteText(parent.shown)})`
  return `SELECT _spanner.interleave(${table}, ${found}, '${kind}', '${onDelete}')`
}

/** Whether PARENT is not the name of the table. */
function isParentWord(cursor: DdlCursor): boolean {
  const next = cursor.peek(1)
  return (next?.kind === 'word' && next.value !== 'on') || next?.kind === 'quoted'
}

/** `INTERVAL '3 days' ON col`. Rows are not deleted: Spanner promises no moment. */
function readTtl(cursor: DdlCursor): string {
  cursor.expect('interval')
  const interval = cursor.next()
  cursor.expect('on')
  return `INTERVAL ${interval.text.toUpperCase()} ON ${quoteName(cursor.identifier())}`
}

function setTtl(table: string, ttl: string | undefined): string {
  const value = ttl === undefined ? 'NULL' : quoteText(ttl)
  return `INSERT INTO _spanner_meta.tables (relid, ttl) VALUES (${table}, ${value}) ON CONFLICT (relid) DO UPDATE SET ttl = excluded.ttl`
}

/** After ALTER TABLE. */
export function translateAlterTable(cursor: DdlCursor): DdlPlan {
  if (cursor.profile !== 'production' && (cursor.sees('if') || cursor.sees('only')))
    throw unsupportedDdl('<IF EXISTS> and <ONLY> are not supported in <ALTER TABLE> statement.')
  const isConditional = cursor.accept('if', 'exists')
  cursor.accept('only')
  const table = cursor.name()
  const skipIf = isConditional ? `SELECT to_regclass(${quoteText(table.sql)}) IS NULL` : undefined
  const found = `SELECT _spanner.find_table(${quoteText(table.sql)}, ${quoteText(table.shown)})`
  const expressions: DdlExpression[] = []
  const statements = [found, ...readAlteration(cursor, { table, expressions })]
  cursor.end()
  return { skipIf, statements, expressions }
}

/** What is altered, and the expressions that are found on the way. */
interface Alteration {
  readonly table: ObjectName
  readonly expressions: DdlExpression[]
}

function readAlteration(cursor: DdlCursor, alteration: Alteration): string[] {
  const { table } = alteration
  const self = `${quoteText(table.sql)}::regclass`
  if (cursor.accept('rename', 'to')) return readRename(cursor, table)
  if (cursor.sees('rename')) throw unsupportedDdl('Only <TABLE> is supported for renaming.')
  if (cursor.accept('add', 'ttl') || cursor.accept('alter', 'ttl'))
    return [setTtl(self, readTtl(cursor))]
  if (cursor.accept('drop', 'ttl')) return [setTtl(self, undefined)]
  if (cursor.accept('drop', 'constraint'))
    return [dropConstraint(table, cursor.identifier()), 'SELECT _spanner.drop_unused_indexes()']
  if (cursor.accept('drop')) return readDropColumn(cursor, table)
  if (cursor.accept('alter')) return readAlterColumn(cursor, table)
  if (cursor.accept('set', 'locality', 'group')) {
    cursor.identifier()
    return []
  }
  if (cursor.accept('add')) return readAdd(cursor, alteration)
  throw unsupportedDdl('Operation is not supported in <ALTER TABLE> statement.')
}

function readRename(cursor: DdlCursor, table: ObjectName): string[] {
  const statements: string[] = []
  let from = table
  for (;;) {
    const to = cursor.identifier()
    checkNewName('Table', to)
    const target = {
      ...from,
      name: to,
      sql: `${quoteName(from.schema)}.${quoteName(to)}`,
      shown: to,
    }
    statements.push(checkFreeName(target), `ALTER TABLE ${from.sql} RENAME TO ${quoteName(to)}`)
    if (!cursor.accept(',')) return statements
    cursor.expect('alter', 'table')
    from = cursor.name()
    cursor.expect('rename', 'to')
  }
}

function dropConstraint(table: ObjectName, name: string): string {
  return `ALTER TABLE ${table.sql} DROP CONSTRAINT ${quoteName(name)}`
}

function readDropColumn(cursor: DdlCursor, table: ObjectName): string[] {
  cursor.accept('column')
  if (cursor.sees('if', 'exists'))
    throw unsupportedDdl('<IF EXISTS> is not supported in <ALTER TABLE DROP COLUMN> statement.')
  const column = cursor.identifier()
  if (cursor.accept('cascade'))
    throw unsupportedDdl('Only <RESTRICT> behavior is supported by <DROP> statement.')
  cursor.accept('restrict')
  return [
    `SELECT _spanner.check_drop_column(${quoteText(table.sql)}::regclass, ${quoteText(column)})`,
    `ALTER TABLE ${table.sql} DROP COLUMN ${quoteName(column)}`,
  ]
}

function readAdd(cursor: DdlCursor, alteration: Alteration): string[] {
  const { table, expressions } = alteration
  const isNamed = cursor.accept('constraint')
  const name = isNamed ? cursor.identifier() : undefined
  if (cursor.accept('check')) {
    const expression = cursor.parenthesised()
    if (cursor.sees('not', 'valid'))
      throw unsupportedDdl('<NOT VALID> clause is not supported in <ALTER TABLE ADD> statement.')
    expressions.push(checkExpressionOf(table, { name, expression }))
    return [addCheck(table, { name, expression })]
  }
  if (cursor.accept('foreign', 'key')) {
    const columns = cursor.columnList()
    cursor.expect('references')
    const key = readReference(cursor, name, columns)
    if (cursor.sees('not', 'valid'))
      throw unsupportedDdl('<NOT VALID> clause is not supported in <ALTER TABLE ADD> statement.')
    return addForeignKey(table, key)
  }
  if (isNamed || cursor.sees('unique') || cursor.sees('primary', 'key'))
    throw unsupportedDdl('Constraint type is not supported.')
  if (cursor.sees('synonym')) throw unsupportedDdl('Synonyms are not supported by this server.')
  cursor.accept('column')
  return readAddColumn(cursor, alteration)
}

function readAddColumn(cursor: DdlCursor, { table, expressions }: Alteration): string[] {
  const isConditional = cursor.accept('if', 'not', 'exists')
  const column = readColumn(cursor)
  expressions.push(...column.expressions)
  if (column.checks.length > 0)
    throw unsupportedDdl(
      'Check constraint creation is not supported in <ALTER TABLE ADD COLUMN> statement',
    )
  if (column.foreignKeys.length > 0)
    throw unsupportedDdl(
      'Foreign key creation is not supported in <ALTER TABLE ADD COLUMN> statement.',
    )
  if (column.isPrimaryKey)
    throw unsupportedDdl('Primary keys cannot be added to an existing table.')
  if (column.isNotNull && !column.fillsRows) {
    throw unsupportedDdl(
      `Cannot add NOT NULL column ${table.shown}.${column.name} to existing table ${table.shown}.`,
    )
  }
  const add = `ALTER TABLE ${table.sql} ADD COLUMN ${isConditional ? 'IF NOT EXISTS ' : ''}${column.sql}`
  if (column.identity === undefined) return [add]
  // NOT NULL comes after the sequence has filled the rows that are there.
  const nullable = add.replace(/ NOT NULL$/, '')
  const name = quoteName(column.name)
  const statements = [
    nullable,
    addIdentity(table, column.name, column.identity),
    `UPDATE ${table.sql} SET ${name} = DEFAULT WHERE ${name} IS NULL`,
  ]
  return column.isNotNull
    ? [...statements, `ALTER TABLE ${table.sql} ALTER COLUMN ${name} SET NOT NULL`]
    : statements
}

/** One action; or a type and then SET or DROP NOT NULL of the same column. */
function readAlterColumn(cursor: DdlCursor, table: ObjectName): string[] {
  cursor.accept('column')
  const column = cursor.identifier()
  const self = `${quoteText(table.sql)}::regclass`
  const alter = `ALTER TABLE ${table.sql} ALTER COLUMN ${quoteName(column)}`
  const required = `SELECT _spanner.require_columns(${self}, ARRAY[${quoteText(column)}]::name[])`
  if (cursor.accept('type') || cursor.accept('set', 'data', 'type')) {
    const type = readType(cursor)
    if (cursor.sees('using'))
      throw unsupportedDdl('<USING> is not supported in <ALTER COLUMN> of <ALTER TABLE> statement.')
    const statements = [
      `SELECT _spanner.alter_type(${self}, ${quoteText(column)}, ${quoteText(type.sql)})`,
    ]
    if (!cursor.accept(',')) {
      if (cursor.accept('not', 'null')) statements.push(`${alter} SET NOT NULL`)
      else statements.push(`SELECT _spanner.check_nullable(${self}, ${quoteText(column)})`)
      return statements
    }
    cursor.expect('alter')
    cursor.accept('column')
    if (cursor.identifier() !== column) throw unsupportedDdl(ONE_ACTION)
    if (cursor.accept('set', 'not', 'null')) return [...statements, `${alter} SET NOT NULL`]
    if (cursor.accept('drop', 'not', 'null'))
      return [...statements, ...dropNotNull(self, column, alter)]
    throw unsupportedDdl(
      'Only <SET/DROP NOT NULL> action is allowed after <ALTER COLUMN> action of <ALTER TABLE> statement.',
    )
  }
  const action = readColumnAction(cursor, { self, column, alter })
  if (cursor.sees(',')) throw unsupportedDdl(ONE_ACTION)
  return [required, ...action]
}

const ONE_ACTION =
  'For the provided action type of the <ALTER TABLE> statement only single action per statement is allowed.'

interface AlteredColumn {
  readonly self: string
  readonly column: string
  readonly alter: string
}

function readColumnAction(cursor: DdlCursor, { self, column, alter }: AlteredColumn): string[] {
  if (cursor.accept('set', 'not', 'null')) return [`${alter} SET NOT NULL`]
  if (cursor.accept('drop', 'not', 'null')) return dropNotNull(self, column, alter)
  if (cursor.accept('set', 'default')) {
    if (cursor.sees('null') && cursor.profile !== 'production')
      throw invalidDdl('Cannot set a default of NULL without a type.')
    return [`${alter} SET DEFAULT ${cursor.rest()}`]
  }
  if (cursor.accept('drop', 'default')) return [`${alter} DROP DEFAULT`]
  const isSequence = cursor.sees('restart', 'counter') || cursor.accept('set')
  if (isSequence && (cursor.sees('restart') || cursor.sees('skip') || cursor.sees('no'))) {
    const hasSkip = !cursor.sees('restart')
    const options = readSequenceOptions(cursor)
    const [min, max] = options.skip ?? ['NULL', 'NULL']
    return [
      `SELECT _spanner.alter_sequence(_spanner.identity_of(${self}, ${quoteText(column)}), ${options.start ?? 'NULL'}, ${hasSkip}, ${min}, ${max})`,
    ]
  }
  throw unsupportedDdl('Operation is not supported in <ALTER TABLE> statement.')
}

function dropNotNull(self: string, column: string, alter: string): string[] {
  return [`SELECT _spanner.check_nullable(${self}, ${quoteText(column)})`, `${alter} DROP NOT NULL`]
}
