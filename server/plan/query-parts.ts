import type { Expr, Query, SortGroupClause, TargetEntry } from '../sql/query-tree.ts'
import { childrenOf, isSameExpr, queriesIn } from './expression-tree.ts'
import { limitOf, showsRowsAsTheyAre, withTies } from './first-rows.ts'
import { freeVars } from './substitute.ts'

/*
 * What a grouped query computes of its groups, it computes of their keys and aggregates:
 *
 *   SELECT g, count(*) + 1, rank() OVER (ORDER BY count(*)) FROM t GROUP BY g
 *   of     SELECT g AS c1, count(*) AS c2 FROM t GROUP BY g
 */

/** A key of the groups, an aggregate, or a column that depends on the keys. */
export interface PartColumn {
  readonly expr: Expr
  /** Of a key, its number in GROUP BY. */
  readonly targetRef: number
  /** Everywhere it stands, but for those of a key that is computed. */
  readonly occurrences: readonly Expr[]
}

/** The query with nothing but its groups, and what its columns are. */
export interface ReducedPart {
  readonly query: Query
  readonly columns: readonly PartColumn[]
  /** Subqueries in what else is computed of them: they are all that still reads tables. */
  readonly rest: readonly Query[]
}

/** undefined where a query is not grouped, or it does not show what it needs of its groups. */
export function groupedPart(query: Query): ReducedPart | undefined {
  const isGrouped = query.hasAggregates || query.groupClause.length > 0
  const isPlain = query.setOperations === undefined && query.rowMarks.length === 0
  if (!isGrouped || !isPlain || query.hasGroupingSets || query.from.length === 0) return undefined
  const columns = columnsOf(query)
  if (columns === undefined) return undefined
  const { sortClause: _sort, limitCount: _limit, limitOffset: _offset, ...grouped } = query
  return {
    columns,
    query: {
      ...grouped,
      targetList: [...columns.map(target), ...constantKeys(query, columns.length)],
      hasWindowFunctions: false,
      partitions: [],
      hasTargetSrfs: false,
      distinctClause: [],
      hasDistinctOn: false,
      sortClause: [],
      limitCount: undefined,
      limitOffset: undefined,
      limitWithTies: false,
    },
    rest: subqueriesBeside(query, columns),
  }
}

/**
 * The rows of a query that its ORDER BY and LIMIT leave, and what is computed of them alone:
 *
 *   SELECT initcap(u.name) FROM t JOIN u ON .. ORDER BY t.n LIMIT 10
 *   of     SELECT u.name AS c1, t.n AS c2 FROM t JOIN u ON .. ORDER BY t.n LIMIT 10
 */
export function topPart(query: Query): ReducedPart | undefined {
  const limitCount = limitOf(query)
  if (limitCount === undefined || !showsRowsAsTheyAre(query)) return undefined
  const columns = query.from.length === 0 ? undefined : columnsOf(query)
  if (columns === undefined) return undefined
  const keys = query.targetList.filter(({ sortGroupRef }) => sortGroupRef > 0)
  const sortTargets = keys.map((key, i) => ({ ...key, resno: columns.length + i + 1, junk: true }))
  const targetList = [...columns.map(target), ...sortTargets]
  const top = { ...query, targetList, limitCount, limitOffset: undefined, limitWithTies: false }
  const limited = query.limitWithTies ? withTies(top) : top
  return limited && { columns, query: limited, rest: subqueriesBeside(query, columns) }
}

function target({ expr, targetRef }: PartColumn, index: number): TargetEntry {
  const resno = index + 1
  return {
    expr,
    resno,
    name: `c${resno}`,
    sortGroupRef: targetRef,
    originTable: 0,
    originColumn: 0,
    junk: false,
  }
}

/** GROUP BY 'x' makes a group of all rows: nothing of it is needed but that. */
function constantKeys(query: Query, count: number): readonly TargetEntry[] {
  return keysOf(query)
    .filter(({ expr }) => expr.kind === 'Const')
    .map((key, i) => ({ ...key, resno: count + i + 1, junk: true }))
}

export function keysOf(query: Query): readonly TargetEntry[] {
  const isKey = ({ sortGroupRef }: TargetEntry) =>
    query.groupClause.some((clause: SortGroupClause) => clause.targetRef === sortGroupRef)
  return query.targetList.filter(isKey)
}

function columnsOf(query: Query): readonly PartColumn[] | undefined {
  const isGrouped = query.hasAggregates || query.groupClause.length > 0
  const collector = new ColumnCollector(keysOf(query), isGrouped)
  const isWhole = query.targetList.every(({ expr }) => collector.visit(expr))
  return isWhole ? collector.columns : undefined
}

class ColumnCollector {
  readonly columns: { expr: Expr; targetRef: number; occurrences: Expr[] }[]
  readonly #isGrouped: boolean

  constructor(keys: readonly TargetEntry[], isGrouped: boolean) {
    this.#isGrouped = isGrouped
    this.columns = keys
      .filter(({ expr }) => expr.kind !== 'Const')
      .map(({ expr, sortGroupRef }) => ({ expr, targetRef: sortGroupRef, occurrences: [] }))
  }

  /** false where it is not clear what an expression needs. */
  visit(expr: Expr): boolean {
    if (this.#noteKey(expr)) return true
    switch (expr.kind) {
      case 'Unsupported':
        return false
      case 'Aggref':
        return expr.levelsUp === 0 && this.#note(expr)
      case 'Var':
        return expr.levelsUp === 0 && expr.attribute > 0 && this.#note(expr)
      case 'SubLink':
        return this.#visitSubLink(expr)
      default:
        return childrenOf(expr).every((child) => this.visit(child))
    }
  }

  /** What depends on the keys of groups is clear where it stands alone: in a subquery it may be part of a key. */
  #visitSubLink(link: Extract<Expr, { readonly kind: 'SubLink' }>): boolean {
    const columns = freeVars({ ...link, test: undefined })
    return (
      isClear(link.query) &&
      columns.every((column) => (this.#isGrouped ? this.#noteKey(column) : this.visit(column))) &&
      childrenOf(link).every((child) => this.visit(child))
    )
  }

  #noteKey(expr: Expr): boolean {
    const key = this.columns.find((column) => column.targetRef > 0 && isSameExpr(column.expr, expr))
    key?.occurrences.push(expr)
    return key !== undefined
  }

  #note(expr: Expr): boolean {
    const known = this.columns.find((column) => isSameExpr(column.expr, expr))
    if (known === undefined) this.columns.push({ expr, targetRef: 0, occurrences: [expr] })
    else known.occurrences.push(expr)
    return true
  }
}

/** Whether nothing in a subquery may be an aggregate of the query around it, or hide a column. */
function isClear(query: Query): boolean {
  return !someNode(
    query,
    (node) => node.kind === 'Unsupported' || (node.kind === 'Aggref' && (node.levelsUp ?? 0) > 0),
  )
}

interface AnyNode {
  readonly kind?: unknown
  readonly levelsUp?: number
}

function someNode(value: unknown, test: (node: AnyNode) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return false
  return test(value) || Object.values(value).some((field) => someNode(field, test))
}

/** Subqueries in what is computed of the columns. */
function subqueriesBeside(query: Query, columns: readonly PartColumn[]): readonly Query[] {
  const done = new Set<unknown>(columns.flatMap(({ occurrences }) => occurrences))
  const { targetList, limitCount, limitOffset } = query
  return [...targetList.map(({ expr }) => expr), limitCount, limitOffset]
    .flatMap((expr) => (expr === undefined ? [] : subLinksBeside(expr, done)))
    .flatMap(queriesIn)
}

function subLinksBeside(expr: Expr, done: ReadonlySet<unknown>): readonly Expr[] {
  if (done.has(expr)) return []
  if (expr.kind === 'SubLink') return [expr]
  return childrenOf(expr).flatMap((child) => subLinksBeside(child, done))
}
