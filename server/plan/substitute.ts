import type { Expr } from '../sql/query-tree.ts'
import { someExpr } from './expression-tree.ts'

/**
 * An expression over a FROM item, with the item's columns replaced by the expressions that they stand for; undefined where a
 * subquery inside of it might name them as well, or another item's column is in it.
 */
export function substituteColumns(
  expr: Expr,
  rtindex: number,
  columns: readonly Expr[],
): Expr | undefined {
  const isForeign = (part: Expr) =>
    part.kind === 'SubLink' ||
    part.kind === 'Unsupported' ||
    (part.kind === 'Var' &&
      (part.levelsUp > 0 || part.rtindex !== rtindex || columns[part.attribute - 1] === undefined))
  if (someExpr(expr, isForeign)) return undefined
  return replaceVars(expr, columns) as Expr
}

function replaceVars(value: unknown, columns: readonly Expr[]): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceVars(item, columns))
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (isVar(value)) return columns[value.attribute - 1]
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, replaceVars(field, columns)]),
  )
}

function isVar(value: object): value is Extract<Expr, { readonly kind: 'Var' }> {
  return 'kind' in value && value.kind === 'Var'
}
