import type { Expr, FromNode, JoinType, Query } from '../sql/query-tree.ts'
import { someExpr, subqueriesOf } from './expression-tree.ts'
import { replaceVars } from './substitute.ts'

/** One place where a statement reads a table. */
export interface TableRead {
  readonly relid: number
  /**
   * What is true of every row of it that has a part in the result, as far as the row alone says so. The table is entry 1 of the
   * range table.
   */
  readonly conditions: readonly Expr[]
  /** FOR UPDATE and its relatives. */
  readonly isLocked: boolean
}

/** Every place where a query, or one inside of it, reads a table, as far as the tree has typed nodes. */
export function tableReads(query: Query): readonly TableRead[] {
  return [...readsOfLevel(query), ...subqueriesOf(query).flatMap(tableReads)]
}

function readsOfLevel(query: Query): readonly TableRead[] {
  const conditions = new Map<number, readonly Expr[]>()
  for (const item of query.from) spread(item, conjunctsOf(query.where), conditions)
  return query.rangeTable.flatMap((entry, index) => {
    if (entry.kind !== 'relation' || entry.relkind === 'v') return []
    const rtindex = index + 1
    return {
      relid: entry.relid,
      conditions: (conditions.get(rtindex) ?? []).flatMap((condition) => {
        const own = overTableAlone(query, rtindex, condition)
        return own === undefined ? [] : [own]
      }),
      isLocked: query.rowMarks.some((mark) => mark.rtindex === rtindex),
    }
  })
}

/**
 * Which conditions hold for the rows of each FROM item. A row of the side of an outer join that may be missing counts as
 * missing where a condition of WHERE fails it, and then the join's other row lives on: that side only has the join's own.
 */
function spread(
  node: FromNode,
  outer: readonly Expr[],
  conditions: Map<number, readonly Expr[]>,
): void {
  switch (node.kind) {
    case 'RangeTableRef':
      conditions.set(node.rtindex, outer)
      return
    case 'FromExpr':
      for (const item of node.from) spread(item, [...outer, ...conjunctsOf(node.quals)], conditions)
      return
    case 'JoinExpr': {
      const { left, right } = sidesOf(node.joinType, outer, conjunctsOf(node.quals))
      spread(node.left, left, conditions)
      spread(node.right, right, conditions)
    }
  }
}

interface Sides {
  readonly left: readonly Expr[]
  readonly right: readonly Expr[]
}

function sidesOf(joinType: JoinType, outer: readonly Expr[], own: readonly Expr[]): Sides {
  switch (joinType) {
    case 'inner':
      return { left: [...outer, ...own], right: [...outer, ...own] }
    case 'left':
      return { left: outer, right: own }
    case 'right':
      return { left: own, right: outer }
    case 'full':
      return { left: [], right: [] }
  }
}

/** The parts of a condition that must all be true. */
export function conjunctsOf(condition: Expr | undefined): readonly Expr[] {
  if (condition === undefined) return []
  if (condition.kind !== 'BoolExpr' || condition.op !== 'and') return [condition]
  return condition.args.flatMap(conjunctsOf)
}

/**
 * An expression of a level with one of its tables as entry 1 of the range table; undefined where it is about anything else as
 * well.
 */
export function overTableAlone(query: Query, rtindex: number, expr: Expr): Expr | undefined {
  if (someExpr(expr, isOpaque)) return undefined
  const resolved = withoutJoins(query, expr)
  const isForeign = (part: Expr) =>
    isOpaque(part) ||
    (part.kind === 'Var' && (part.levelsUp > 0 || part.rtindex !== rtindex || part.attribute < 1))
  if (someExpr(resolved, isForeign)) return undefined
  return replaceVars(resolved, (variable) => ({ ...variable, rtindex: 1 }))
}

/** Columns may hide in it. */
function isOpaque(part: Expr): boolean {
  return part.kind === 'SubLink' || part.kind === 'Unsupported'
}

/** With the columns of joined tables in the place of the join's own (USING, or a join with an alias). */
function withoutJoins(query: Query, expr: Expr): Expr {
  return replaceVars(expr, (variable) => {
    const entry = query.rangeTable[variable.rtindex - 1]
    if (variable.levelsUp > 0 || entry?.kind !== 'join') return variable
    const alias = entry.aliasVars[variable.attribute - 1]
    return alias === undefined ? variable : withoutJoins(query, alias)
  })
}
