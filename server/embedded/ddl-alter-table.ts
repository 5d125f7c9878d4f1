import { status as GRPC } from '@grpc/grpc-js'
import { keepDefault, readColumn } from './ddl-column.ts'
import { addCheck, addForeignKey, readReference } from './ddl-constraint.ts'
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
import { addIdentity, readSequenceOptions } from './ddl-sequence.ts'
import { checkExpressionOf, columnExpressionsOf } from './ddl-table-checks.ts'
import { dropTtl, readTtl, setTtl } from './ddl-ttl.ts'
import { readType } from './ddl-type.ts'
import { GrpcStatus } from './grpc-status.ts'

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
  if (cursor.accept('add', 'ttl')) return [setTtl('ADD', self, readTtl(cursor))]
  if (cursor.accept('alter', 'ttl')) return [setTtl('ALTER', self, readTtl(cursor))]
  if (cursor.accept('drop', 'ttl')) return [dropTtl(self)]
  if (cursor.accept('set', 'on', 'delete')) return [setOnDelete(cursor, self)]
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

/** What becomes of the rows of an interleaved table when their parent goes. */
function setOnDelete(cursor: DdlCursor, self: string): string {
  const isCascade = cursor.accept('cascade')
  if (!isCascade) cursor.expect('no', 'action')
  return `SELECT _spanner.set_on_delete(${self}, '${isCascade ? 'CASCADE' : 'NO ACTION'}')`
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
  return `SELECT _spanner.drop_constraint(${quoteText(table.sql)}::regclass, ${quoteText(name)})`
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
  expressions.push(...columnExpressionsOf(table, column))
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
    throw new GrpcStatus(
      GRPC.UNIMPLEMENTED,
      `Cannot add NOT NULL column ${table.shown}.${column.name} to existing table ${table.shown}.`,
    )
  }
  const add = `ALTER TABLE ${table.sql} ADD COLUMN ${isConditional ? 'IF NOT EXISTS ' : ''}${column.sql}`
  if (column.identity === undefined)
    return isConditional ? [add] : [add, ...keepDefault(cursor.profile, table, column)]
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
  const altered = {
    self: `${quoteText(table.sql)}::regclass`,
    column,
    alter: `ALTER TABLE ${table.sql} ALTER COLUMN ${quoteName(column)}`,
  }
  if (cursor.accept('type') || cursor.accept('set', 'data', 'type'))
    return readAlterType(cursor, altered)
  const isNullability = cursor.sees('set', 'not') || cursor.sees('drop', 'not')
  const action = readColumnAction(cursor, altered)
  if (cursor.sees(',')) throw unsupportedDdl(ONE_ACTION)
  if (isNullability && cursor.profile !== 'production')
    throw new GrpcStatus(GRPC.INTERNAL, 'The emulator takes NOT NULL together with a type only.')
  const required = `SELECT _spanner.require_columns(${altered.self}, ARRAY[${quoteText(column)}]::name[])`
  return [required, ...action]
}

function readAlterType(cursor: DdlCursor, { self, column, alter }: AlteredColumn): string[] {
  const type = readType(cursor)
  if (cursor.sees('using'))
    throw unsupportedDdl('<USING> is not supported in <ALTER COLUMN> of <ALTER TABLE> statement.')
  const alterType = `SELECT _spanner.alter_type(${self}, ${quoteText(column)}, ${quoteText(type.sql)})`
  if (!cursor.accept(',')) {
    const isNotNull = cursor.accept('not', 'null')
    return [alterType, isNotNull ? `${alter} SET NOT NULL` : checkNullable(self, column)]
  }
  cursor.expect('alter')
  cursor.accept('column')
  if (cursor.identifier() !== column) throw unsupportedDdl(ONE_ACTION)
  if (cursor.accept('set', 'not', 'null')) return [alterType, `${alter} SET NOT NULL`]
  if (cursor.accept('drop', 'not', 'null'))
    return [alterType, checkNullable(self, column), `${alter} DROP NOT NULL`]
  throw unsupportedDdl(
    'Only <SET/DROP NOT NULL> action is allowed after <ALTER COLUMN> action of <ALTER TABLE> statement.',
  )
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
  if (cursor.accept('drop', 'not', 'null'))
    return [checkNullable(self, column), `${alter} DROP NOT NULL`]
  if (cursor.accept('set', 'default')) {
    if (cursor.sees('null') && cursor.profile !== 'production')
      throw invalidDdl('Cannot set a default of NULL without a type.')
    const value = cursor.rest()
    const keep = `SELECT _spanner.keep_default(${self}, ${quoteText(column)}, ${quoteText(`SELECT ${value}`)})`
    return [`${alter} SET DEFAULT ${value}`, ...(cursor.profile === 'production' ? [] : [keep])]
  }
  if (cursor.accept('drop', 'default'))
    return [`${alter} DROP DEFAULT`, `SELECT _spanner.drop_default(${self}, ${quoteText(column)})`]
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

function checkNullable(self: string, column: string): string {
  return `SELECT _spanner.check_nullable(${self}, ${quoteText(column)})`
}
