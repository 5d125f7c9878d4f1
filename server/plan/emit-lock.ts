import type { FromNode, Query } from '../sql/query-tree.ts'
import type { Emission } from './emission.ts'
import { subqueriesOf } from './expression-tree.ts'
import { NotPushable } from './not-pushable.ts'

/*
 * PostgreSQL:  SELECT .. FOR UPDATE [OF t] [NOWAIT | SKIP LOCKED], FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE
 * Spanner:     SELECT .. FOR UPDATE, where the backend has it; else
 *              /*@ LOCK_SCANNED_RANGES=exclusive *\/ SELECT ..
 *
 * Spanner has one strength and always waits. A stronger lock than asked for, or a wait where NOWAIT would have failed and SKIP LOCKED
 * would have passed over, is what PostgreSQL does where nobody else holds the row.
 */
export function emitLock(emission: Emission, query: Query, sql: string): string {
  if (query.rowMarks.length === 0 || !emission.context.capabilities.forUpdate) return sql
  return `${sql} FOR UPDATE`
}

/** Whether any part of a statement locks the rows that it reads. */
export function locksRows(query: Query): boolean {
  return query.rowMarks.length > 0 || subqueriesOf(query).some(locksRows)
}

/** The hint before a statement that locks rows, on a backend without FOR UPDATE. */
export function lockHint(emission: Emission, query: Query): string {
  if (emission.context.capabilities.forUpdate || !locksRows(query)) return ''
  return '/*@ LOCK_SCANNED_RANGES=exclusive */ '
}

/** PostgreSQL refuses grouped rows itself; a query over a view may still arrive here with them. Of an outer join it locks one side only. */
export function refuseLockOf(query: Query): void {
  const isShaped =
    query.groupClause.length > 0 ||
    query.hasAggregates ||
    query.distinctClause.length > 0 ||
    query.having !== undefined
  if (query.rowMarks.length === 0) return
  if (isShaped) throw new NotPushable('FOR UPDATE of grouped rows')
  if (query.from.some(hasOuterJoin)) throw new NotPushable('FOR UPDATE with an outer join')
}

function hasOuterJoin(node: FromNode): boolean {
  switch (node.kind) {
    case 'JoinExpr':
      return node.joinType !== 'inner' || hasOuterJoin(node.left) || hasOuterJoin(node.right)
    case 'FromExpr':
      return node.from.some(hasOuterJoin)
    case 'RangeTableRef':
      return false
  }
}
