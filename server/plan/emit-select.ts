import { typedLiteral } from '../sql/dialect-printers.ts'
import type { Expr, Query, TargetEntry } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { isRowIndependent, isVolatile } from './computed-expressions.ts'
import type { Emission, EmittedSelect, Place, SelectOptions } from './emission.ts'
import { emitWith } from './emit-cte.ts'
import { emitFilteredFrom } from './emit-from.ts'
import {
  emitGroupBy,
  emitGroupedInSubquery,
  mustGroupInSubquery,
  withoutRowsOfHaving,
} from './emit-grouping.ts'
import { emitLimit } from './emit-limit.ts'
import { emitLock, refuseLockOf } from './emit-lock.ts'
import { emitSortKey, mustTakeApart, refuseForeignEquality } from './emit-order.ts'
import { castColumn, emitSetOperations } from './emit-set-operation.ts'
import { typeOf } from './expression-type.ts'
import { newUuid } from './new-uuid.ts'
import { NotPushable } from './not-pushable.ts'
import { outputColumn, outputsOf, resultColumn } from './query-outputs.ts'
import { Scope } from './scope.ts'
import { tieBreakersOf } from './sort-ties.ts'

/** A SELECT of any level. */
export function emitSelect(
  emission: Emission,
  original: Query,
  options: SelectOptions,
): EmittedSelect {
  const query = withGroupedDistinct(emission, withoutRowsOfHaving(original))
  refuseForms(query, options)
  const scope = new Scope(query, options.parent, {
    newAlias: emission.newAlias,
    namesCtes: options.isTop === true,
  })
  const head = options.isTop === true ? emitWith(emission, scope) : ''
  const body = emitBody(emission, { query, scope, options })
  const toColumn = options.isTop === true ? resultColumn : outputColumn
  const columns = outputsOf(query).map((target) => toColumn(target.expr))
  return { sql: `${head}${body}`, columns }
}

/** A SELECT under construction. */
export interface SelectParts {
  readonly query: Query
  readonly scope: Scope
  readonly options: SelectOptions
  /** Further sort keys where there are any. */
  readonly tieBreakers?: readonly string[] | undefined
}

function refuseForms(query: Query, options: SelectOptions): void {
  if (query.command !== 'select')
    throw new NotPushable(`${query.command.toUpperCase()} inside a statement`)
  if (query.hasModifyingCte) throw new NotPushable('INSERT, UPDATE or DELETE in WITH')
  if (query.hasRecursive && query.ctes.some((cte) => cte.recursive))
    throw new NotPushable('a recursive query')
  if (query.hasWindowFunctions) throw new NotPushable('window functions')
  if (query.hasGroupingSets) throw new NotPushable('GROUPING SETS, ROLLUP or CUBE')
  if (query.hasDistinctOn) throw new NotPushable('DISTINCT ON')
  if (query.hasTargetSrfs) throw new NotPushable('a set-returning function in the select list')
  if (query.limitWithTies) throw new NotPushable('FETCH .. WITH TIES')
  if (options.isTop === true && outputsOf(query).length === 0)
    throw new NotPushable('a select list without columns')
}

function emitBody(emission: Emission, parts: SelectParts): string {
  const { query, scope } = parts
  if (query.setOperations !== undefined) {
    const sql = emitSetOperations(emission, parts, query.setOperations)
    return `${sql}${emitOrderBy(emission, parts, scope)}${emitLimit(emission, scope)}`
  }
  if (mustGroupInSubquery(emission, query)) {
    const grouped = emitGroupedInSubquery(emission, scope)
    const { tieBreakers } = grouped
    return emitRest(emission, { ...parts, scope: grouped.scope, tieBreakers }, grouped.from)
  }
  return emitRest(
    emission,
    parts,
    `${emitFilteredFrom(emission, scope)}${emitGroupBy(emission, scope)}`,
  )
}

/** The select list before the FROM part, order, limit and lock behind it. */
function emitRest(emission: Emission, parts: SelectParts, from: string): string {
  const { scope, query } = parts
  refuseLockOf(query)
  const list = emitSelectList(emission, parts)
  const orderBy = parts.options.onlyExists === true ? '' : emitOrderBy(emission, parts, scope)
  const sql = `SELECT ${list}${from}${orderBy}${emitLimit(emission, scope)}`
  return emitLock(emission, query, sql)
}

function emitSelectList(emission: Emission, parts: SelectParts): string {
  const { query, scope, options } = parts
  if (options.onlyExists === true && isOnlyFilter(query)) return '1'
  const distinct = query.distinctClause.length > 0 ? 'DISTINCT ' : ''
  refuseDistinct(emission, query)
  const items = outputsOf(query).map((target, i) => {
    const drawn = options.isAssigned === true ? newUuid(emission, target.expr) : undefined
    const value = drawn ?? emission.expression(target.expr, outputPlace(parts, scope))
    const column = castColumn(target.expr, options.columnTypes?.[i], value)
    const sql = options.isAssigned === true ? typedLiteral(column) : column
    return options.namesColumns === true ? `${sql} AS c${i + 1}` : sql
  })
  return `${distinct}${items.length === 0 ? '1' : items.join(', ')}`
}

/** Of the select list of EXISTS, nothing is asked but that it makes a row of each row. */
function isOnlyFilter(query: Query): boolean {
  return !query.hasAggregates && query.groupClause.length === 0 && query.distinctClause.length === 0
}

function outputPlace({ query, options }: SelectParts, scope: Scope): Place {
  const isOnce = query.from.length === 0 && options.parent === undefined
  return {
    scope,
    isOnce,
    noticesRange: options.noticesRange === true,
  }
}

/*
 * PostgreSQL:  SELECT DISTINCT price FROM t
 * Spanner:     the same; on a backend that dies of such keys: SELECT price FROM t GROUP BY price (emit-grouping.ts)
 */
function withGroupedDistinct(emission: Emission, query: Query): Query {
  const keys = query.distinctClause
  const isDeadly = query.targetList.some(
    (target) =>
      keys.some((clause) => clause.targetRef === target.sortGroupRef) &&
      isDeadlyDistinct(emission, query, target),
  )
  const isPlain = !query.hasAggregates && query.groupClause.length === 0 && !query.hasDistinctOn
  if (!isDeadly || !isPlain || query.setOperations !== undefined) return query
  return { ...query, groupClause: keys, distinctClause: [] }
}

/** Numbers with a fraction, and floats that are taken apart to sort by: the parts are not in the select list. */
function isDeadlyDistinct(emission: Emission, query: Query, { expr, sortGroupRef }: TargetEntry) {
  if (!mustTakeApart(emission, expr)) return false
  if (typeOf(expr) === OID.numeric) return true
  return !isConstant(expr) && query.sortClause.some(({ targetRef }) => targetRef === sortGroupRef)
}

function refuseDistinct(emission: Emission, query: Query): void {
  for (const clause of query.distinctClause) {
    const target = query.targetList.find((candidate) => candidate.sortGroupRef === clause.targetRef)
    if (target === undefined) continue
    refuseForeignEquality(emission, clause, target.expr)
    if (isDeadlyDistinct(emission, query, target)) {
      throw new NotPushable('DISTINCT of numbers with a fraction')
    }
  }
}

/*
 * PostgreSQL:  SELECT a, b + 1 FROM t ORDER BY b + 1, c DESC NULLS LAST
 * Spanner:     SELECT t1."a", t1."b" + 1 FROM "t" AS t1 ORDER BY 2, t1."c" DESC NULLS LAST
 */
function emitOrderBy(emission: Emission, parts: SelectParts, scope: Scope): string {
  const { query } = parts
  const keys = query.sortClause.flatMap((clause) => {
    const target = query.targetList.find((candidate) => candidate.sortGroupRef === clause.targetRef)
    if (target === undefined) throw new NotPushable('ORDER BY of nothing')
    if (isRandom(target)) return ['spanner.generate_uuid()']
    if (isConstant(target.expr)) return []
    const sql = sortsByNumber(emission, query, target)
      ? String(outputsOf(query).indexOf(target) + 1)
      : emission.expression(target.expr, { scope })
    // `a = ANY ('{}')`
    if (sql === 'true' || sql === 'false') return []
    return emitSortKey(emission, clause, { expr: target.expr, sql })
  })
  if (keys.length === 0) return ''
  const tieBreakers = parts.tieBreakers ?? tieBreakersOf(emission, scope, parts.options)
  return ` ORDER BY ${[...keys, ...tieBreakers].join(', ')}`
}

/** What is the same in every row sorts nothing, and Spanner refuses to sort by it. */
function isConstant(expr: Expr): boolean {
  return isRowIndependent(expr) && !isVolatile(expr)
}

const RANDOM = 1598

/*
 * PostgreSQL:  ORDER BY random()
 * Spanner:     ORDER BY spanner.generate_uuid()       has no random numbers; one order by chance is as good as another
 */
function isRandom({ expr, junk }: TargetEntry): boolean {
  return junk && expr.kind === 'FuncExpr' && expr.function === RANDOM
}

/** By its number in the select list where it is there as it is. */
function sortsByNumber(emission: Emission, query: Query, target: TargetEntry): boolean {
  if (!target.junk && !mustTakeApart(emission, target.expr)) return true
  if (query.setOperations === undefined) return false
  throw new NotPushable('ORDER BY numbers with a fraction behind a set operation')
}
