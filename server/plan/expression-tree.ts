import type { Expr, FromNode, Query, RangeTableEntry } from '../sql/query-tree.ts'

/** The expressions right below one; of a sublink its test, not its query. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'Var':
    case 'Const':
    case 'Param':
    case 'CaseTestExpr':
    case 'SQLValueFunction':
    case 'SetToDefault':
    case 'NextValueExpr':
    case 'Unsupported':
      return []
    case 'Aggref':
      return [...expr.args.map((arg) => arg.expr), ...expr.directArgs, ...present(expr.filter)]
    case 'WindowFunc':
      return [...expr.args, ...present(expr.filter)]
    case 'FuncExpr':
    case 'OpExpr':
    case 'DistinctExpr':
    case 'NullIfExpr':
    case 'ScalarArrayOpExpr':
    case 'BoolExpr':
    case 'RowExpr':
    case 'CoalesceExpr':
    case 'MinMaxExpr':
      return expr.args
    case 'SubLink':
      return present(expr.test)
    case 'NamedArgExpr':
    case 'RelabelType':
    case 'CoerceViaIO':
    case 'CollateExpr':
    case 'NullTest':
    case 'BooleanTest':
    case 'CoerceToDomain':
      return [expr.arg]
    case 'ArrayCoerceExpr':
      return [expr.arg, expr.elementExpr]
    case 'CaseExpr':
      return [
        ...present(expr.arg),
        ...expr.whens.flatMap((when) => [when.condition, when.result]),
        ...present(expr.defaultResult),
      ]
    case 'ArrayExpr':
      return expr.elements
    case 'RowCompareExpr':
      return [...expr.left, ...expr.right]
    case 'SubscriptingRef':
      return [expr.arg, ...expr.upper.flatMap(present), ...expr.lower.flatMap(present)]
  }
}

/** Whether the test holds for an expression or one below it. Subqueries are not entered. */
export function someExpr(expr: Expr, test: (expr: Expr) => boolean): boolean {
  return test(expr) || childrenOf(expr).some((child) => someExpr(child, test))
}

/** Every expression that belongs to a query itself: not those of its subqueries and CTEs. */
export function exprsOfQuery(query: Query): readonly Expr[] {
  return [
    ...query.targetList.map((target) => target.expr),
    ...query.returningList.map((target) => target.expr),
    ...query.from.flatMap(exprsOfFrom),
    ...query.rangeTable.flatMap(exprsOfEntry),
    ...present(query.where),
    ...present(query.having),
    ...present(query.limitOffset),
    ...present(query.limitCount),
    ...(query.onConflict?.set.map((target) => target.expr) ?? []),
    ...present(query.onConflict?.where),
  ]
}

/** The queries right inside a query: in FROM, in WITH, in its expressions. */
export function subqueriesOf(query: Query): readonly Query[] {
  const inFrom = query.rangeTable.flatMap((entry) =>
    entry.kind === 'subquery' ? [entry.query] : [],
  )
  return [
    ...inFrom,
    ...query.ctes.map((cte) => cte.query),
    ...exprsOfQuery(query).flatMap(queriesIn),
  ]
}

/** The queries in an expression: those inside of them are not among them. */
export function queriesIn(expr: Expr): readonly Query[] {
  const below = childrenOf(expr).flatMap(queriesIn)
  return expr.kind === 'SubLink' ? [expr.query, ...below] : below
}

function exprsOfFrom(node: FromNode): readonly Expr[] {
  switch (node.kind) {
    case 'RangeTableRef':
      return []
    case 'JoinExpr':
      return [...exprsOfFrom(node.left), ...exprsOfFrom(node.right), ...present(node.quals)]
    case 'FromExpr':
      return [...node.from.flatMap(exprsOfFrom), ...present(node.quals)]
  }
}

function exprsOfEntry(entry: RangeTableEntry): readonly Expr[] {
  if (entry.kind === 'function') return entry.functions
  if (entry.kind === 'values') return entry.rows.flat()
  return []
}

/**
 * Whether two expressions are the same but for where they were written and how their casts were spelled (equal() of
 * nodes/equalfuncs.c).
 */
export function isSameExpr(a: Expr, b: Expr): boolean {
  return isSame(a, b)
}

const SPELLING = new Set(['location', 'format'])

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Buffer.isBuffer(a)) return Buffer.isBuffer(b) && a.equals(b)
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => isSame(item, b[i]))
  }
  const left = Object.entries(a).filter(([key]) => !SPELLING.has(key))
  const right = new Map(Object.entries(b))
  return left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)))
}

function present<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value]
}
