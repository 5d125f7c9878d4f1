import type { Const, Expr, Query, TargetEntry } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { isRowIndependent, isVolatile } from './computed-expressions.ts'
import { someExpr } from './expression-tree.ts'
import { conjunctsOf, isOpaque, itemConditions } from './item-conditions.ts'
import type { FirstRows } from './load-query.ts'
import { replaceVars } from './substitute.ts'

/*
 * PostgreSQL:  SELECT initcap(name) FROM t WHERE id > 7 ORDER BY id LIMIT 10 OFFSET 20
 * load:        SELECT id, name FROM t WHERE id > 7 ORDER BY id LIMIT 30
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
  return { sortClause: query.sortClause, sortTargets, limitCount }
}

function showsRowsAsTheyAre(query: Query): boolean {
  return (
    query.groupClause.length === 0 &&
    query.distinctClause.length === 0 &&
    query.rowMarks.length === 0 &&
    query.having === undefined &&
    query.setOperations === undefined &&
    !query.hasAggregates &&
    !query.hasGroupingSets &&
    !query.hasWindowFunctions &&
    !query.hasTargetSrfs &&
    !query.limitWithTies
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
function limitOf({ limitCount, limitOffset }: Query): Expr | undefined {
  if (limitCount === undefined || !isValue(limitCount)) return undefined
  if (limitOffset === undefined) return bounded(limitCount)
  if (!isValue(limitOffset)) return undefined
  const limit = countOf(limitCount)
  const offset = countOf(limitOffset)
  if (limit !== undefined && offset !== undefined) return int8(limit + offset)
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
  if (count !== undefined) return int8(count)
  return minMax('greatest', minMax('least', expr, MANY), 0n)
}

function minMax(op: 'least' | 'greatest', expr: Expr, bound: bigint): Expr {
  return { kind: 'MinMaxExpr', type: OID.int8, op, args: [expr, int8(bound)], location: -1 }
}

function int8(value: bigint): Const {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return {
    kind: 'Const',
    type: OID.int8,
    typmod: -1,
    isNull: false,
    byValue: true,
    lengthBytes: 8,
    bytes,
    location: -1,
  }
}
