import type { Expr, Query } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { findStorage } from '../types/storage.ts'
import type { Emission } from './emission.ts'
import { emitFilteredFrom } from './emit-from.ts'
import { mustTakeApart, refuseForeignEquality } from './emit-order.ts'
import { isFloat, numericKeyText, safeSortKeys } from './emulator-guards.ts'
import { childrenOf, exprsOfQuery, isSameExpr, someExpr, subqueriesOf } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import { operand } from './operand.ts'
import { outputsOf } from './query-outputs.ts'
import type { Replacement, Scope } from './scope.ts'

/*
 * Spanner finds a group key again in the select list, in HAVING and in ORDER BY only where it stands alone: as the whole column,
 * or as a plain column reference anywhere. Two rules follow from this, and one from functional dependency, which it does
 * not know.
 */

/** GROUP BY and HAVING of a query whose keys Spanner finds again. */
export function emitGroupBy(emission: Emission, scope: Scope): string {
  const { query } = scope
  const keys = [...declaredKeys(emission, query), ...dependentKeys(query)].filter(isNoConstant)
  const list = keys.map((key) => numberOf(query, key) ?? emission.expression(key, { scope }))
  const groupBy = list.length === 0 ? '' : ` GROUP BY ${list.join(', ')}`
  const having =
    query.having === undefined
      ? ''
      : ` HAVING ${emission.expression(query.having, { scope, isFilter: true })}`
  return `${groupBy}${having}`
}

/** A computed key is named by its column's number where it is one: what is written there need not be the key's own SQL. */
function numberOf(query: Query, key: Expr): string | undefined {
  if (key.kind === 'Var') return undefined
  const column = outputsOf(query).findIndex((target) => isSameExpr(target.expr, key))
  return column < 0 ? undefined : String(column + 1)
}

/** A constant adds nothing to other keys, and as an integer it would mean a column's number. */
function isNoConstant(key: Expr): boolean {
  return key.kind !== 'Const'
}

/**
 * PostgreSQL:  SELECT 1 FROM t WHERE a > 0 HAVING b
 * Spanner:     SELECT 1 WHERE b
 *
 * HAVING without GROUP BY and aggregates is about one group, whatever the rows are: PostgreSQL does not read them (grouping_planner of planner.c).
 * The emulator takes it for a condition on each row.
 */
export function withoutRowsOfHaving(query: Query): Query {
  const { having, hasAggregates, groupClause, hasGroupingSets } = query
  if (having === undefined || hasAggregates || groupClause.length > 0 || hasGroupingSets)
    return query
  return { ...query, from: [], where: having, having: undefined }
}

/** The expressions of GROUP BY, each once. */
export function declaredKeys(emission: Emission, query: Query): readonly Expr[] {
  const keys: Expr[] = []
  for (const clause of query.groupClause) {
    const target = query.targetList.find((candidate) => candidate.sortGroupRef === clause.targetRef)
    if (target === undefined) throw new NotPushable('GROUP BY of nothing')
    refuseForeignEquality(emission, clause, target.expr)
    if (!keys.some((key) => isSameExpr(key, target.expr))) keys.push(target.expr)
  }
  return keys
}

/*
 * PostgreSQL:  SELECT id, name, count(*) FROM t JOIN u .. GROUP BY id       name depends on the key id
 * Spanner:     .. GROUP BY id, name
 */
function dependentKeys(query: Query): readonly Expr[] {
  const keys = findDependentKeys(query)
  for (const key of keys) {
    // Whatever else is stored can be compared, and is the same all over a group.
    const code = findStorage(typeOf(key), -1)?.type.code
    if (code !== 'ARRAY' && code !== 'JSON') continue
    throw new NotPushable('an array or jsonb that depends on a group key')
  }
  return keys
}

function findDependentKeys(query: Query): readonly Expr[] {
  if (query.groupClause.length === 0) return []
  const keys = query.targetList
    .filter((target) => isGroupRef(query, target.sortGroupRef))
    .map((target) => target.expr)
  const found: Expr[] = []
  const visit = (expr: Expr): void => {
    if (expr.kind === 'Aggref' || [...keys, ...found].some((key) => isSameExpr(key, expr))) return
    if (expr.kind === 'Var' && expr.levelsUp === 0) found.push(expr)
    if (expr.kind === 'SubLink') for (const outer of outerVars(expr.query, 1)) visit(outer)
    for (const child of childrenOf(expr)) visit(child)
  }
  for (const expr of exprsAfterGrouping(query)) visit(expr)
  return found
}

/** The Vars of a subquery that mean the level so many levels outside of it, as that level has them. */
function outerVars(query: Query, levels: number): readonly Expr[] {
  const own = exprsOfQuery(query).flatMap((expr) => varsOfLevel(expr, levels))
  return [...own, ...subqueriesOf(query).flatMap((subquery) => outerVars(subquery, levels + 1))]
}

function varsOfLevel(expr: Expr, levels: number): readonly Expr[] {
  if (expr.kind === 'Var') return expr.levelsUp === levels ? [{ ...expr, levelsUp: 0 }] : []
  return childrenOf(expr).flatMap((child) => varsOfLevel(child, levels))
}

function isGroupRef(query: Query, sortGroupRef: number): boolean {
  return sortGroupRef !== 0 && query.groupClause.some((clause) => clause.targetRef === sortGroupRef)
}

/** What is computed from groups: the select list with what ORDER BY adds to it, and HAVING. */
function exprsAfterGrouping(query: Query): readonly Expr[] {
  const having = query.having === undefined ? [] : [query.having]
  return [...query.targetList.map((target) => target.expr), ...having]
}

/** Whether a key would not be found again, or is one that the emulator dies of. */
export function mustGroupInSubquery(emission: Emission, query: Query): boolean {
  if (query.groupClause.length === 0) return false
  const keys = query.targetList
    .filter((target) => isGroupRef(query, target.sortGroupRef))
    .map((target) => target.expr)
  const grouped = [...keys, ...findDependentKeys(query)]
  if (grouped.some((key) => isDeadlyKey(emission, key)) || !keys.some(isNoConstant)) return true
  const computed = keys.filter((key) => key.kind !== 'Var')
  if (query.sortClause.length > 0 && computed.some((key) => isSortedApart(emission, key)))
    return true
  return exprsAfterGrouping(query).some((expr) => holdsBelow(expr, computed))
}

function isDeadlyKey(emission: Emission, key: Expr): boolean {
  return typeOf(key) === OID.numeric && !emission.context.capabilities.safeNumericKeysAndNullFloats
}

/** Whether ORDER BY may name a key that is computed, or parts of it, where the query does not: to tell equal groups apart (sort-ties.ts). */
function isSortedApart(emission: Emission, key: Expr): boolean {
  const isSafe = emission.context.capabilities.safeNumericKeysAndNullFloats
  return mustTakeApart(emission, key) || (!isSafe && isNoConstant(key))
}

/** Whether one of the keys stands inside a larger expression. */
function holdsBelow(expr: Expr, keys: readonly Expr[]): boolean {
  const isKey = (part: Expr) => keys.some((key) => isSameExpr(key, part))
  if (isKey(expr) || expr.kind === 'Aggref') return false
  return childrenOf(expr).some((child) => isKey(child) || holdsBelow(child, keys))
}

/** Where the rest of the query then selects from. */
export interface Grouped {
  /** The query's own level, whose keys and aggregates have become columns. */
  readonly scope: Scope
  /** ` FROM (..) AS t9 WHERE ..`. */
  readonly from: string
  /** Columns that tell any two groups apart, where a key is a numeric: by its text. */
  readonly tieBreakers: readonly string[] | undefined
}

/*
 * PostgreSQL:  SELECT (a + 1) * 2, count(*) FROM t GROUP BY a + 1 HAVING count(*) > 1
 * Spanner:     SELECT t2.c1 * 2, t2.c2 FROM (SELECT t1."a" + 1 AS c1, count(*) AS c2 FROM "t" AS t1 GROUP BY 1) AS t2 WHERE t2.c2 > 1
 *
 * A numeric key that the emulator would die of is grouped by its text, and shown by one of the group's own numbers: max(a).
 */
export function emitGroupedInSubquery(emission: Emission, scope: Scope): Grouped {
  const { query } = scope
  const from = emitFilteredFrom(emission, scope)
  const keys = [...declaredKeys(emission, query), ...dependentKeys(query)]
  const deadly = keys.filter((key) => isDeadlyKey(emission, key))
  const columns = [...keys, ...aggregatesOf(query), ...deadly]
  const list = columns.map((expr, i) => {
    const sql = emission.expression(expr, { scope })
    if (i >= columns.length - deadly.length) return `max(${sql}) AS c${i + 1}`
    return `${deadly.includes(expr) ? numericKeyText(operand(sql)) : sql} AS c${i + 1}`
  })
  const alias = emission.newAlias()
  const replacements = columns.map(
    (expr): Replacement => ({ expr, sql: `${alias}.c${columns.lastIndexOf(expr) + 1}` }),
  )
  const outer = scope.withReplacements(replacements)
  const numbers = keys.map((_key, i) => i + 1).join(', ')
  const having =
    query.having === undefined
      ? ''
      : ` WHERE ${emission.expression(query.having, { scope: outer, isFilter: true })}`
  return {
    scope: outer,
    tieBreakers:
      deadly.length > 0
        ? keys.flatMap((key, i) => tieBreaker(key, `${alias}.c${i + 1}`))
        : undefined,
    from: ` FROM (SELECT ${list.join(', ')}${from} GROUP BY ${numbers}) AS ${alias}${having}`,
  }
}

/** A deadly key is its text here; floats are deadly only where they sort. */
function tieBreaker(key: Expr, sql: string): readonly string[] {
  const type = typeOf(key)
  return isFloat(type) ? safeSortKeys(sql, type) : [sql]
}

/** The different aggregates that the query computes over its groups. */
function aggregatesOf(query: Query): readonly Expr[] {
  const found: Expr[] = []
  const visit = (expr: Expr): boolean => {
    if (expr.kind !== 'Aggref') return false
    if (!found.some((known) => isSameExpr(known, expr))) found.push(expr)
    return false
  }
  for (const expr of exprsAfterGrouping(query)) someExpr(expr, visit)
  return found
}
