import type { Expr, Query } from '../sql/query-tree.ts'
import { exprsOfQuery, someExpr, subqueriesOf } from './expression-tree.ts'

/**
 * Whether a subquery in FROM looks at other items of the same FROM: whether any Var in it, however deep, means the level right
 * outside of it.
 */
export function isCorrelatedSideways(query: Query): boolean {
  return reaches(query, 1)
}

function reaches(query: Query, levels: number): boolean {
  return (
    exprsOfQuery(query).some((expr) => exprReaches(expr, levels)) ||
    subqueriesOf(query).some((subquery) => reaches(subquery, levels + 1))
  )
}

function exprReaches(expr: Expr, levels: number): boolean {
  return someExpr(
    expr,
    (part) => part.kind === 'Unsupported' || (part.kind === 'Var' && part.levelsUp === levels),
  )
}
