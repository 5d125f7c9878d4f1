import type { Expr } from '../sql/query-tree.ts'
import { someExpr } from './expression-tree.ts'

type Var = Extract<Expr, { readonly kind: 'Var' }>

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
  return replaceVars(expr, (variable) => columns[variable.attribute - 1] ?? variable)
}

/** An expression without subqueries, with other expressions in the place of its columns. */
export function replaceVars(expr: Expr, replace: (variable: Var) => Expr): Expr {
  return mapVars(expr, replace) as Expr
}

function mapVars(value: unknown, replace: (variable: Var) => Expr): unknown {
  if (Array.isArray(value)) return value.map((item) => mapVars(item, replace))
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (isVar(value)) return replace(value)
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, mapVars(field, replace)]),
  )
}

function isVar(value: object): value is Var {
  return 'kind' in value && value.kind === 'Var'
}
