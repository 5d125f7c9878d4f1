import { type ColumnDefinition, keepDefault, readColumn } from './ddl-column.ts'
import {
  addCheck,
  addForeignKey,
  type CheckConstraint,
  type ForeignKey,
  readReference,
} from './ddl-constraint.ts'
import {
  checkFreeName,
  checkNewName,
  type DdlCursor,
  type DdlPlan,
  invalidDdl,
  type ObjectName,
  PLACEMENTS,
  quoteName,
  quoteText,
  type Refusals,
  unsupportedDdl,
} from './ddl-cursor.ts'
import { addIdentity } from './ddl-sequence.ts'
import { checkColumns, expressionsOf } from './ddl-table-checks.ts'
import { readTtl, setTtl } from './ddl-ttl.ts'
import type { Profile } from './profile.ts'

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
      ...completions(cursor.profile, table, parts),
      ...trailing,
    ],
    expressions: expressionsOf(table, parts.columns, parts.checks),
  }
}

function completions(profile: Profile, table: ObjectName, parts: TableParts): string[] {
  const checks = [...parts.columns.flatMap((column) => column.checks), ...parts.checks]
  const keys = [...parts.columns.flatMap((column) => column.foreignKeys), ...parts.foreignKeys]
  const identities = parts.columns.flatMap((column) =>
    column.identity === undefined ? [] : [addIdentity(table, column.name, column.identity)],
  )
  return [
    ...identities,
    ...parts.columns.flatMap((column) => keepDefault(profile, table, column)),
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
  } else {
    element.refuse(ELEMENT_REFUSALS)
    if (isNamed) throw element.syntaxError()
    parts.columns.push(readColumn(element))
  }
  if (!element.isAtEnd) throw element.syntaxError()
}

const ELEMENT_REFUSALS: Refusals = [
  [['unique'], '<UNIQUE> constraint is not supported, create a unique index instead.'],
  [['like'], '<LIKE> clause is not supported in <CREATE TABLE> statement.'],
  [['synonym', '('], 'Synonyms are not supported by this server.'],
]

/** INTERLEAVE, TTL and what may stand between and after them. */
function readTrailing(cursor: DdlCursor, table: ObjectName): string[] {
  const statements: string[] = []
  const self = `${quoteText(table.sql)}::regclass`
  for (;;) {
    if (cursor.accept('interleave', 'in')) statements.push(readInterleave(cursor, self))
    else if (cursor.accept('ttl')) statements.push(setTtl('ADD', self, readTtl(cursor)))
    else if (cursor.accept('using') || cursor.acceptAny(PLACEMENTS)) cursor.identifier()
    else break
  }
  cursor.refuse(TRAILING_REFUSALS)
  return statements
}

const TRAILING_REFUSALS: Refusals = [
  [['inherits'], 'INHERITS'],
  [['partition'], 'PARTITION BY'],
  [['with'], 'WITH'],
  [['tablespace'], 'TABLESPACE'],
  [['as'], 'AS'],
].map(([words, clause]) => [
  words as readonly string[],
  `<${clause}> clause is not supported in <CREATE TABLE> statement.`,
])

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
