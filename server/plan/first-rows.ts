import type { Expr, Query, TargetEntry } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { isRowIndependent, isVolatile } from './computed-expressions.ts'
import { someExpr } from './expression-tree.ts'
import { int8Const } from './integer-const.ts'
import { conjunctsOf, isOpaque, itemConditions } from './item-conditions.ts'
import type { FirstRows } from './load-query.ts'
import { replaceVars } from './substitute.ts'

/*
 * PostgreSQL:  SELECT initcap(name) FROM t WHERE id > 7 ORDER BY id LIMIT 10 OFFSET 20
 * load:        SELECT id, name FROM t WHERE id > 7 ORDER BY id LIMIT 30
 *
 * PostgreSQL:  SELECT initcap(name) FROM t ORDER BY n FETCH FIRST 10 ROWS WITH TIES
 * load:        SELECT id, name, n FROM t WHERE NOT (SELECT n FROM t ORDER BY n LIMIT 1 OFFSET 9) < n OR ..
 */

/**
 * The rows that a query of one table can show at most, where ORDER BY and LIMIT say which; expressions are over the table as
 * entry 1. undefined where something between the table and LIMIT makes other rows of them.
 */
export function firstRows(query: Query): FirstRows | undefined {
  const [item, another] = query.from
  if (item?.kind !== 'RangeTableRef' || another !== undefined || !showsRowsAsTheyAre(query))
    return undefined
  if (query.rangeTable[item.rtindex - 1]?.kind !== 'relation') return undefined
  const limitCount = limitOf(query)
  const tested = itemConditions(query, []).get(item.rtindex) ?? []
  if (limitCount === undefined || tested.length !== conjunctsOf(query.where).length)
    return undefined
  const sortTargets: TargetEntry[] = []
  for (const { targetRef } of query.sortClause) {
    const target = query.targetList.find((candidate) => candidate.sortGroupRef === targetRef)
    if (target === undefined || someExpr(target.expr, isOpaque)) return undefined
    sortTargets.push({ ...target, expr: overFirstEntry(target.expr), junk: true })
  }
  const { sortClause, limitWithTies } = query
  return { sortClause, sortTargets, limitCount, withTies: limitWithTies }
}

/**
 * The rows of a query that do not come behind the last of those that its ORDER BY and LIMIT leave, by the first key: WITH TIES leaves no others.
 * undefined where the number of rows is not known before it runs.
 */
export function withTies(top: Query): Query | undefined {
  const [clause] = top.sortClause
  const key = top.targetList.find(({ sortGroupRef }) => sortGroupRef === clause?.targetRef)
  const count = top.limitCount && countOf(top.limitCount)
  if (clause === undefined || key === undefined || count === undefined || count < 1n)
    return undefined
  const last = lastOf(top, key, count)
  const args = [behind(clause.sortOperator, last, key.expr), isNull(key.expr), isNull(last)]
  const isTied: Expr = { kind: 'BoolExpr', op: 'or', args, location: -1 }
  const conditions = top.where === undefined ? [isTied] : [top.where, isTied]
  return {
    ...top,
    where: { kind: 'BoolExpr', op: 'and', args: conditions, location: -1 },
    targetList: top.targetList.filter(({ junk }) => !junk),
    sortClause: [],
    limitCount: undefined,
  }
}

/** The key of the row of that number. */
function lastOf(top: Query, key: TargetEntry, count: bigint): Expr {
  const others = top.targetList.filter((entry) => entry !== key && entry.sortGroupRef > 0)
  const query: Query = {
    ...top,
    targetList: [{ ...key, resno: 1, junk: false }, ...others.map(junkAt)],
    limitCount: int8Const(1n),
    limitOffset: int8Const(count - 1n),
  }
  const link = { kind: 'SubLink', linkType: 'expr', id: 0, test: undefined, location: -1 } as const
  return { ...link, operatorNames: [], query }
}

function junkAt(entry: TargetEntry, index: number): TargetEntry {
  return { ...entry, resno: index + 2, junk: true }
}

/** NOT (last < key): the sort operator says what comes first. */
function behind(operator: number, last: Expr, key: Expr): Expr {
  const comparison: Expr = {
    kind: 'OpExpr',
    operator,
    userOperator: undefined,
    function: 0,
    type: OID.bool,
    args: [last, key],
    location: -1,
  }
  return { kind: 'BoolExpr', op: 'not', args: [comparison], location: -1 }
}

function isNull(arg: Expr): Expr {
  return { kind: 'NullTest', arg, isNull: true, argIsRow: false, location: -1 }
}

export function showsRowsAsTheyAre(query: Query): boolean {
  return (
    query.groupClause.length === 0 &&
    query.distinctClause.length === 0 &&
    query.rowMarks.length === 0 &&
    query.having === undefined &&
    query.setOperations === undefined &&
    !query.hasAggregates &&
    !query.hasGroupingSets &&
    !query.hasWindowFunctions &&
    !query.hasTargetSrfs
  )
}

/** A column of a subquery around cannot be here: the query is the statement. */
function overFirstEntry(expr: Expr): Expr {
  return replaceVars(expr, (variable) => ({ ...variable, rtindex: 1 }))
}

const INT8_PLUS = { operator: 684, function: 463 }
/** More rows than any load may hold. */
const MANY = 1_000_000_000n

/** LIMIT + OFFSET, neither negative nor beyond bigint; undefined where there is no LIMIT, or it is no value before the query runs. */
export function limitOf({ limitCount, limitOffset }: Query): Expr | undefined {
  if (limitCount === undefined || !isValue(limitCount)) return undefined
  if (limitOffset === undefined) return bounded(limitCount)
  if (!isValue(limitOffset)) return undefined
  const limit = countOf(limitCount)
  const offset = countOf(limitOffset)
  if (limit !== undefined && offset !== undefined) return int8Const(limit + offset)
  const args = [bounded(limitCount), bounded(limitOffset)]
  return {
    kind: 'OpExpr',
    userOperator: undefined,
    ...INT8_PLUS,
    type: OID.int8,
    args,
    location: -1,
  }
}

function isValue(expr: Expr): boolean {
  return !(expr.kind === 'Const' && expr.isNull) && isRowIndependent(expr) && !isVolatile(expr)
}

/** A literal that is a sensible number of rows: `10` is an integer, cast to bigint. */
function countOf(expr: Expr): bigint | undefined {
  if (expr.kind === 'FuncExpr' && expr.args.length === 1 && expr.args[0]?.kind === 'Const')
    return countOf(expr.args[0])
  if (expr.kind !== 'Const' || expr.isNull) return undefined
  if (expr.type !== OID.int4 && expr.type !== OID.int8) return undefined
  const count = expr.bytes.readBigInt64LE()
  return count >= 0n && count <= MANY ? count : undefined
}

function bounded(expr: Expr): Expr {
  const count = countOf(expr)
  if (count !== undefined) return int8Const(count)
  return minMax('greatest', minMax('least', expr, MANY), 0n)
}

function minMax(op: 'least' | 'greatest', expr: Expr, bound: bigint): Expr {
  return { kind: 'MinMaxExpr', type: OID.int8, op, args: [expr, int8Const(bound)], location: -1 }
}
