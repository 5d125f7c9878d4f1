import type { CommonTableExpr, Expr, Query, RangeTableEntry } from '../sql/query-tree.ts'
import { childrenOf, exprsOfQuery, subqueriesOf } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import { itemConditions } from './item-conditions.ts'
import { outputsOf } from './query-outputs.ts'
import { replaceVars, substituteColumns } from './substitute.ts'

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

/** What the tree does not show with typed nodes. */
export interface HiddenUses {
  /** References to common table expressions in the whole statement. */
  readonly cteReferences: number
}

/**
 * Every place where a query, or one inside of it, reads a table, as far as the tree has typed nodes. Conditions on a subquery, a
 * view or a common table expression are handed down to what it reads, where they may be tested before it groups.
 */
export function tableReads(query: Query, hidden: HiddenUses): readonly TableRead[] {
  const reader = new Reader(countCteReferences(query) === hidden.cteReferences)
  reader.read({ query, parent: undefined }, [])
  return reader.reads
}

function countCteReferences(query: Query): number {
  const own = query.rangeTable.filter((entry) => entry.kind === 'cte').length
  return subqueriesOf(query).reduce((sum, inner) => sum + countCteReferences(inner), own)
}

/** A query with those around it. */
interface Level {
  readonly query: Query
  readonly parent: Level | undefined
}

class Reader {
  readonly reads: TableRead[] = []
  readonly #seesAllCtes: boolean
  /** The conditions of each reference. */
  readonly #references = new Map<CommonTableExpr, (readonly Expr[])[]>()

  constructor(seesAllCtes: boolean) {
    this.#seesAllCtes = seesAllCtes
  }

  read(level: Level, inherited: readonly Expr[]): void {
    const { query } = level
    const conditions = itemConditions(query, inherited)
    for (const [index, entry] of query.rangeTable.entries()) {
      const rtindex = index + 1
      const own = (conditions.get(rtindex) ?? []).map(toFirstEntry)
      const handed = query.setOperations === undefined ? own : inherited
      this.#readEntry(level, { entry, rtindex, conditions: handed })
    }
    for (const inner of exprsOfQuery(query).flatMap(queriesIn))
      this.read({ query: inner, parent: level }, [])
    // A common table expression is referred to by what stands behind it.
    for (const cte of [...query.ctes].reverse())
      this.read({ query: cte.query, parent: level }, this.#handedToCte(level, cte))
  }

  #readEntry(level: Level, item: Item): void {
    const { entry, rtindex, conditions } = item
    switch (entry.kind) {
      case 'relation':
        if (entry.relkind === 'v') return
        this.reads.push({
          relid: entry.relid,
          conditions,
          isLocked: level.query.rowMarks.some((mark) => mark.rtindex === rtindex),
        })
        return
      case 'subquery':
        this.read({ query: entry.query, parent: level }, handedDown(entry.query, conditions))
        return
      case 'cte': {
        const cte = findCte(level, entry)
        if (cte === undefined) return
        this.#references.set(cte, [...(this.#references.get(cte) ?? []), conditions])
        return
      }
      default:
    }
  }

  /** Only where there is a single reference: the others may need other rows. */
  #handedToCte({ query }: Level, cte: CommonTableExpr): readonly Expr[] {
    const [conditions, ...others] = this.#references.get(cte) ?? []
    if (conditions === undefined || others.length > 0) return []
    if (query.hasRecursive || !this.#seesAllCtes) return []
    return handedDown(cte.query, conditions)
  }
}

interface Item {
  readonly entry: RangeTableEntry
  readonly rtindex: number
  /** Over the item as entry 1. */
  readonly conditions: readonly Expr[]
}

function toFirstEntry(condition: Expr): Expr {
  return replaceVars(condition, (variable) => ({ ...variable, rtindex: 1 }))
}

function findCte(
  level: Level,
  { name, levelsUp }: Extract<RangeTableEntry, { readonly kind: 'cte' }>,
): CommonTableExpr | undefined {
  let home: Level | undefined = level
  for (let up = 0; up < levelsUp; up++) home = home?.parent
  return home?.query.ctes.find((cte) => cte.name === name)
}

function queriesIn(expr: Expr): readonly Query[] {
  const below = childrenOf(expr).flatMap(queriesIn)
  return expr.kind === 'SubLink' ? [expr.query, ...below] : below
}

/**
 * Conditions over a query's result (as entry 1) as conditions of the query itself: those that may as well be tested before it
 * groups, numbers and cuts. Of a set operation they stay what they are, conditions over the result of each part.
 */
function handedDown(query: Query, conditions: readonly Expr[]): readonly Expr[] {
  if (cutsOrNumbers(query)) return []
  if (query.setOperations !== undefined) return conditions
  const outputs = outputsOf(query)
  return conditions.flatMap((condition) => {
    const columns = outputs.map((target) => target.expr)
    if (!columnsIn(condition).every((column) => isTestable(query, column))) return []
    const inner = substituteColumns(condition, 1, columns)
    return inner === undefined ? [] : [inner]
  })
}

function cutsOrNumbers(query: Query): boolean {
  return (
    query.limitCount !== undefined ||
    query.limitOffset !== undefined ||
    query.hasWindowFunctions ||
    query.hasTargetSrfs ||
    query.hasGroupingSets
  )
}

type Var = Extract<Expr, { readonly kind: 'Var' }>

function columnsIn(expr: Expr): readonly Var[] {
  return expr.kind === 'Var' ? [expr] : childrenOf(expr).flatMap(columnsIn)
}

/** Whether all rows that a query makes one row of have the same value in a column, and of the type that is asked for. */
function isTestable(query: Query, column: Var): boolean {
  const target = outputsOf(query)[column.attribute - 1]
  if (target === undefined || typeOf(target.expr) !== column.type) return false
  const isKey = (clauses: Query['groupClause']) =>
    clauses.some((clause) => clause.targetRef === target.sortGroupRef)
  const isGrouped = query.hasAggregates || query.groupClause.length > 0
  if (isGrouped && !isKey(query.groupClause)) return false
  return !query.hasDistinctOn || isKey(query.distinctClause)
}
