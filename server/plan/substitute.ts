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
    part.kind === 'WindowFunc' ||
    (part.kind === 'Var' &&
      (part.levelsUp > 0 || part.rtindex !== rtindex || columns[part.attribute - 1] === undefined))
  if (someExpr(expr, isForeign)) return undefined
  return replaceVars(expr, (variable) => columns[variable.attribute - 1] ?? variable)
}

/**
 * An expression with other expressions in the place of its columns, those in its subqueries too that are not the subqueries' own.
 * `levelsUp` is counted from the expression.
 */
export function replaceVars(expr: Expr, replace: (variable: Var) => Expr): Expr {
  return mapVars(expr, replace, 0) as Expr
}

/** The columns that an expression names, in its subqueries too; `levelsUp` is counted from the expression. */
export function freeVars(expr: Expr): readonly Var[] {
  const found: Var[] = []
  replaceVars(expr, (variable) => {
    found.push(variable)
    return variable
  })
  return found
}

function mapVars(value: unknown, replace: (variable: Var) => Expr, depth: number): unknown {
  if (Array.isArray(value)) return value.map((item) => mapVars(item, replace, depth))
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (isVar(value)) {
    if (value.levelsUp < depth) return value
    const replaced = replace({ ...value, levelsUp: value.levelsUp - depth })
    return depth === 0 ? replaced : mapVars(replaced, (inner) => under(inner, depth), 0)
  }
  const below = isQuery(value) ? depth + 1 : depth
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, mapVars(field, replace, below)]),
  )
}

function under(variable: Var, depth: number): Var {
  return { ...variable, levelsUp: variable.levelsUp + depth }
}

function isVar(value: object): value is Var {
  return 'kind' in value && value.kind === 'Var'
}

function isQuery(value: object): boolean {
  return 'kind' in value && value.kind === 'Query'
}
