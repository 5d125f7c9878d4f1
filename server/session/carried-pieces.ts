import type { Table } from '../schema/logical-schema.ts'
import { quoteIdentifier } from '../schema/postgres-text.ts'
import { type InsertCells, insertCells, insertPieces } from '../sql/insert-source.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { fromOf, type UpdatePieces, updatePieces, whereOf } from '../sql/update-source.ts'
import { copyTarget } from './copy-target.ts'
import type { SessionState } from './session-state.ts'
import { rowsOfParams } from './write-rows.ts'

/** A statement that writes, as a query and what writes its rows. */
export interface CarriedWrite {
  readonly command: 'INSERT' | 'UPDATE' | 'DELETE'
  /** The query. */
  readonly source: string
  /** So many first columns of the query are the key of the row that is written; 0 for new rows. */
  readonly keyCount: number
  /** The statement that writes so many rows of so many values, which stand behind `before` other parameters. */
  readonly textFor: (rowCount: number, width: number, before: number) => string
  /** Where there is a bound of its own. */
  readonly rowsPerStatement?: number | undefined
  /** All rows must be written by one statement. */
  readonly isWhole: boolean
}

/** Of an INSERT of a query, or of VALUES with subqueries. */
export function carriedInsert({ text, node }: ParsedStatement): CarriedWrite | undefined {
  const cells = insertCells(text, node)
  if (cells !== undefined) return carriedCells(cells)
  const pieces = insertPieces(text, node)
  if (pieces === undefined) return undefined
  const { source, head, tail, hasConflictUpdate } = pieces
  return {
    command: 'INSERT',
    source,
    keyCount: 0,
    textFor: (rowCount, width, before) =>
      `${head} VALUES ${rowsOfParams(rowCount, width, before)} ${tail}`.trimEnd(),
    isWhole: hasConflictUpdate,
  }
}

function carriedCells({ source, textFor }: InsertCells): CarriedWrite {
  return {
    command: 'INSERT',
    source,
    keyCount: 0,
    textFor: (_rowCount, _width, before) => textFor(before),
    rowsPerStatement: 1,
    isWhole: true,
  }
}

/** Of an UPDATE or DELETE of a table with a primary key, or of a temporary one. */
export async function carriedUpdate(
  state: SessionState,
  { text, node }: ParsedStatement,
  isTemporary: boolean,
): Promise<CarriedWrite | undefined> {
  const pieces = updatePieces(text, node)
  if (pieces === undefined) return undefined
  const columns = isTemporary ? ['ctid'] : await keyOf(state, pieces)
  if (columns.length === 0) return undefined
  const alias = quoteIdentifier(pieces.alias)
  const key = columns.map((column) => `${alias}.${quoteIdentifier(column)}`)
  const lock = isTemporary ? '' : ` FOR UPDATE OF ${alias}`
  const found = [...key, ...pieces.set.flatMap(({ expr }) => expr ?? [])]
  const query = `SELECT ${found.join(', ')} FROM ${fromOf(pieces)}${whereOf(pieces)}`
  const parts = {
    source: `${pieces.prefix}${query}${lock}`,
    keyCount: key.length,
    isWhole: false,
  }
  return 'UpdateStmt' in node
    ? {
        ...parts,
        command: 'UPDATE',
        textFor: (_rowCount, _width, before) => updateText(pieces, key, before),
        rowsPerStatement: 1,
      }
    : {
        ...parts,
        command: 'DELETE',
        textFor: (rowCount, _width, before) => deleteText(pieces, key, { rowCount, before }),
      }
}

/** Names of the primary key's columns; none where there is no key, or no such table. */
async function keyOf(
  state: SessionState,
  { schema, name }: UpdatePieces,
): Promise<readonly string[]> {
  const { oid } = await copyTarget(state, { schema, name, columns: undefined })
  const table = state.schema.relations.get(Number(oid))
  return table?.kind === 'table' ? primaryKeyOf(table) : []
}

function primaryKeyOf({ columns, constraints }: Table): readonly string[] {
  const key = constraints.find(({ type }) => type === 'primary-key')
  return (key?.columns ?? []).flatMap(
    (attribute) => columns.find((column) => column.attribute === attribute)?.name ?? [],
  )
}

function updateText(
  { target, set, returning }: UpdatePieces,
  key: readonly string[],
  before: number,
) {
  let number = before + key.length
  const list = set.map(
    ({ name, expr }) => `${name} = ${expr === undefined ? 'DEFAULT' : `$${++number}`}`,
  )
  return `UPDATE ${target} SET ${list.join(', ')} WHERE ${isRow(key, before)} ${returning}`.trimEnd()
}

function deleteText(
  { target, returning }: UpdatePieces,
  key: readonly string[],
  { rowCount, before }: { readonly rowCount: number; readonly before: number },
): string {
  const rows = Array.from({ length: rowCount }, (_, row) => before + row * key.length)
  const [only, another] = key
  const where =
    only !== undefined && another === undefined
      ? `${only} IN (${rows.map((first) => `$${first + 1}`).join(', ')})`
      : rows.map((first) => `(${isRow(key, first)})`).join(' OR ')
  return `DELETE FROM ${target} WHERE ${where} ${returning}`.trimEnd()
}

function isRow(key: readonly string[], before: number): string {
  return key.map((column, i) => `${column} = $${before + i + 1}`).join(' AND ')
}
