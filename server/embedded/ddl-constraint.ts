import { createHash } from 'node:crypto'
import {
  type DdlCursor,
  nameArray,
  type ObjectName,
  quoteName,
  quoteText,
  unsupportedDdl,
} from './ddl-cursor.ts'

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

/** SQL that adds a foreign key, the indexes that back it first. A Commit puts its check off until all mutations are there. */
export function addForeignKey(table: ObjectName, key: ForeignKey): string[] {
  const text = JSON.stringify([table.sql, key.columns, key.parent.sql, key.referenced])
  const name = key.name ?? generatedName('FK', `${table.name}_${key.parent.name}`, text)
  const list = (columns: readonly string[]) => columns.map(quoteName).join(', ')
  return [
    `SELECT _spanner.prepare_foreign_key(${quoteText(table.sql)}::regclass, ${nameArray(key.columns)}, ` +
      `_spanner.find_table(${quoteText(key.parent.sql)}, ${quoteText(key.parent.shown)}), ${nameArray(key.referenced)})`,
    `ALTER TABLE ${table.sql} ADD CONSTRAINT ${quoteName(name)} FOREIGN KEY (${list(key.columns)}) ` +
      `REFERENCES ${key.parent.sql} (${list(key.referenced)}) ON DELETE ${key.onDelete} DEFERRABLE`,
    'SELECT _spanner.check_ttl()',
  ]
}
