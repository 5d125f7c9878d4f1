import { isSameTree, parseAlone, wordAt } from './edit-statement.ts'
import type { RawBody, RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** An INSERT, taken apart around the query whose rows it writes. */
export interface InsertPieces {
  /** The query, with the WITH that stands before INSERT. */
  readonly source: string
  /** `INSERT INTO t AS a (b, c) OVERRIDING USER VALUE` */
  readonly head: string
  /** ON CONFLICT and RETURNING; empty without. */
  readonly tail: string
  readonly hasConflictUpdate: boolean
}

/*
 * WITH w AS (SELECT 1) INSERT INTO t (a) SELECT * FROM w WHERE true ON CONFLICT DO NOTHING RETURNING a
 *
 * source:  WITH w AS (SELECT 1) (SELECT * FROM w WHERE true)
 * head:    INSERT INTO t (a)
 * tail:    ON CONFLICT DO NOTHING RETURNING a
 */

/** The pieces of an INSERT of a query's rows; undefined for any other statement, VALUES of several rows too ({@link insertCells}). */
export function insertPieces(text: string, node: RawNode): InsertPieces | undefined {
  if (!('InsertStmt' in node)) return undefined
  const { InsertStmt: insert } = node
  const { selectStmt, relation, withClause, onConflictClause } = insert
  if (selectStmt === undefined || relation === undefined || !('SelectStmt' in selectStmt))
    return undefined
  const { valuesLists = [] } = selectStmt.SelectStmt
  if (valuesLists.length > 1 && isValues(selectStmt.SelectStmt)) return undefined
  const source = new StatementTokens(text)
  const { tokens } = source
  const first = source.find('insert', withClause === undefined ? 0 : 1)
  const start = sourceStart(source, source.indexAt(relation.location ?? 0), insert)
  const returning = source.find('returning', start)
  const conflict = onConflictClause?.location
  const end = Math.min(
    conflict === undefined ? tokens.length : source.indexAt(conflict),
    returning < 0 ? tokens.length : returning,
  )
  const byteAt = (index: number) => tokens[index]?.start ?? source.endByte
  const query = source.slice(byteAt(start), tokens[end - 1]?.end ?? 0)
  const [only, another] = parseAlone(query)
  const isQuery = only !== undefined && another === undefined && isSameTree(only, selectStmt)
  if (first < 0 || !isQuery) return undefined
  const prefix = source.slice(0, byteAt(first))
  return {
    source: withClause === undefined ? query : `${prefix}(${query})`,
    head: source.slice(byteAt(first), byteAt(start)),
    tail: source.slice(byteAt(end), source.endByte),
    hasConflictUpdate: onConflictClause?.action === 'ONCONFLICT_UPDATE',
  }
}

/** An INSERT of rows of VALUES, taken apart around the cells that are subqueries or have one. */
export interface InsertCells {
  /** A query of one row, with the WITH that stands before INSERT. */
  readonly source: string
  /** The INSERT with parameters behind so many others in the cells' places. */
  readonly textFor: (before: number) => string
}

/*
 * WITH w AS (SELECT 1) INSERT INTO t VALUES (1, (SELECT * FROM w)), (DEFAULT, 2) RETURNING a
 *
 * source:  WITH w AS (SELECT 1) SELECT (SELECT * FROM w)
 * text:    INSERT INTO t VALUES (1, $1), (DEFAULT, 2) RETURNING a
 *
 * Each cell has the type of its column, and not that of the cells above: so they stand side by side.
 */

/** The pieces of an INSERT of VALUES that has subqueries; undefined for any other statement. */
export function insertCells(text: string, node: RawNode): InsertCells | undefined {
  if (!('InsertStmt' in node)) return undefined
  const { InsertStmt: insert } = node
  const { selectStmt, relation, withClause } = insert
  if (relation === undefined || selectStmt === undefined || !('SelectStmt' in selectStmt))
    return undefined
  if (!isValues(selectStmt.SelectStmt)) return undefined
  const source = new StatementTokens(text)
  const first = source.find('insert', withClause === undefined ? 0 : 1)
  const values = sourceStart(source, source.indexAt(relation.location ?? 0), insert)
  const cells = cellsOf(source, values + 1, selectStmt.SelectStmt).filter((cell) =>
    hasSubquery(cell.node),
  )
  const prefix = source.slice(0, source.tokens[first]?.start ?? 0)
  const query = `SELECT ${cells.map((cell) => cell.text).join(', ')}`
  const [only] = parseAlone(query)
  const targets = only !== undefined && 'SelectStmt' in only ? only.SelectStmt.targetList : []
  const isMeant = isSameTree(
    targets,
    cells.map((cell) => ({ ResTarget: { val: cell.node } })),
  )
  if (cells.length === 0 || !isMeant) return undefined
  return {
    source: `${prefix}${query}`,
    textFor: (before) => withParams(source, source.tokens[first]?.start ?? 0, cells, before),
  }
}

interface Cell {
  readonly node: RawNode
  readonly text: string
  readonly startByte: number
}

function cellsOf(
  source: StatementTokens,
  open: number,
  { valuesLists = [] }: RawBody<'SelectStmt'>,
): readonly Cell[] {
  let at = open
  return valuesLists.flatMap((list) => {
    const items = source.itemsIn(at)
    at = source.closing(at) + 2
    const nodes = 'List' in list ? (list.List.items ?? []) : []
    return items.flatMap((item, i) => {
      const node = nodes[i]
      return node === undefined ? [] : [{ node, ...item }]
    })
  })
}

function hasSubquery(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, field]) => name === 'SubLink' || hasSubquery(field))
}

function withParams(
  source: StatementTokens,
  startByte: number,
  cells: readonly Cell[],
  before: number,
): string {
  let result = ''
  let done = startByte
  for (const [i, { text, startByte: cellByte }] of cells.entries()) {
    result += `${source.slice(done, cellByte)}$${before + i + 1}`
    done = cellByte + Buffer.byteLength(text)
  }
  return result + source.slice(done, source.endByte)
}

/** Whether cells are assigned one by one: with ORDER BY and its like, VALUES is a query. */
function isValues({
  valuesLists,
  sortClause,
  limitCount,
  limitOffset,
  lockingClause,
  withClause,
}: RawBody<'SelectStmt'>): boolean {
  const parts = [sortClause, limitCount, limitOffset, lockingClause, withClause]
  return valuesLists !== undefined && parts.every((part) => part === undefined)
}

/** The token that the query begins with. */
function sourceStart(
  source: StatementTokens,
  relation: number,
  { relation: range, cols }: RawBody<'InsertStmt'>,
): number {
  let at = relation + 1
  while (wordAt(source, at) === '.') at += 2
  if (range?.alias !== undefined) at += 2
  if (cols !== undefined) at = source.closing(at) + 1
  return wordAt(source, at) === 'overriding' ? at + 3 : at
}
