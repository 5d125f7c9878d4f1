import { FIRST_USER_OID } from '../sql/builtin-catalog.ts'
import type { Query } from '../sql/query-tree.ts'

/**
 * Whether any of the queries reads or writes a table of a client, anywhere: subqueries, CTEs and functions in FROM included.
 * A view counts for what it selects from.
 */
export function touchesUserRelations(queries: readonly Query[]): boolean {
  return queries.some((query) => query.relids.some((relid) => relid >= FIRST_USER_OID))
}

/** Whether any of the queries reads a system catalog. */
export function touchesSystemRelations(queries: readonly Query[]): boolean {
  return queries.some((query) => query.relids.some((relid) => relid < FIRST_USER_OID))
}
