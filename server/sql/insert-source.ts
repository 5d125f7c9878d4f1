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

/**
 * The pieces of an INSERT of a query's rows; undefined for any other statement. VALUES of several rows is none: there each cell has the type of its
 * column, and not that of the cells above.
 */
export function insertPieces(text: string, node: RawNode): InsertPieces | undefined {
  if (!('InsertStmt' in node)) return undefined
  const { InsertStmt: insert } = node
  const { selectStmt, relation, withClause, onConflictClause } = insert
  if (selectStmt === undefined || relation === undefined || !('SelectStmt' in selectStmt))
    return undefined
  if ((selectStmt.SelectStmt.valuesLists?.length ?? 0) > 1) return undefined
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
