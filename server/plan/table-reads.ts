import type { CommonTableExpr, Expr, Query, RangeTableEntry } from '../sql/query-tree.ts'
import { childrenOf, exprsOfQuery, queriesIn, subqueriesOf } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import { itemConditions, levelFacts } from './item-conditions.ts'
import { outputsOf } from './query-outputs.ts'
import { type CanTest, companionsOf, partnersAround, semijoin } from './semijoin.ts'
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

/** Says which results are loaded instead of the rows that they are made of. */
export interface ResultTaker {
  /** Whether it takes the result of a query inside of `around`; the conditions are on the result as entry 1. */
  takesResult(query: Query, around: Level, conditions: readonly Expr[]): boolean
  /** The subqueries that are left of a query where it takes the rest as one result. */
  takesPart(level: Level): readonly Query[] | undefined
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
export function tableReads(
  query: Query,
  hidden: HiddenUses,
  canTest: CanTest,
  taker?: ResultTaker,
): readonly TableRead[] {
  const seesAllCtes = countCteReferences(query) === hidden.cteReferences
  const reader = new Reader({ seesAllCtes, canTest, taker })
  reader.read({ query, parent: undefined, inherited: [] })
  return reader.reads
}

function countCteReferences(query: Query): number {
  const own = query.rangeTable.filter((entry) => entry.kind === 'cte').length
  return subqueriesOf(query).reduce((sum, inner) => sum + countCteReferences(inner), own)
}

/** How often a table is read, as far as the tree has typed nodes. */
export function countReads(query: Query, relid: number): number {
  const own = query.rangeTable.filter(
    (entry) => entry.kind === 'relation' && entry.relkind !== 'v' && entry.relid === relid,
  ).length
  return subqueriesOf(query).reduce((sum, inner) => sum + countReads(inner, relid), own)
}

/** A query with those around it. */
export interface Level {
  readonly query: Query
  readonly parent: Level | undefined
  /** Conditions on its rows beside its WHERE. */
  readonly inherited: readonly Expr[]
}

/** What is true of the rows of each item of a query's FROM, as a query inside of it sees them. */
function factsAround({ query, inherited }: Level): readonly Expr[] {
  return [...itemConditions(query, inherited).values()]
    .flat()
    .map((fact) => replaceVars(fact, (variable) => ({ ...variable, levelsUp: 1 })))
}

interface ReaderOptions {
  readonly seesAllCtes: boolean
  readonly canTest: CanTest
  readonly taker: ResultTaker | undefined
}

class Reader {
  readonly reads: TableRead[] = []
  readonly #seesAllCtes: boolean
  readonly #canTest: CanTest
  readonly #taker: ResultTaker | undefined
  /** The conditions of each reference. */
  readonly #references = new Map<CommonTableExpr, (readonly Expr[])[]>()

  constructor({ seesAllCtes, canTest, taker }: ReaderOptions) {
    this.#seesAllCtes = seesAllCtes
    this.#canTest = canTest
    this.#taker = taker
  }

  read(level: Level): void {
    const { query } = level
    const left = this.#taker?.takesPart(level)
    if (left === undefined) this.#readItems(level)
    for (const inner of left ?? exprsOfQuery(query).flatMap(queriesIn))
      this.#readInner(level, inner, [])
    // A common table expression is referred to by what stands behind it. What nothing refers to is not evaluated.
    for (const cte of [...query.ctes].reverse()) {
      if (this.#seesAllCtes && !this.#references.has(cte)) continue
      this.#readInner(level, cte.query, this.#handedToCte(level, cte))
    }
  }

  #readItems(level: Level): void {
    const { query, inherited } = level
    const conditions = itemConditions(query, inherited)
    for (const [index, entry] of query.rangeTable.entries()) {
      const rtindex = index + 1
      const own = (conditions.get(rtindex) ?? []).map(toFirstEntry)
      const handed = query.setOperations === undefined ? own : inherited
      this.#readEntry(level, { entry, rtindex, conditions: handed })
    }
  }

  /** A query inside of another, of whose result only the rows that the conditions are true of matter. */
  #readInner(parent: Level, query: Query, conditions: readonly Expr[]): void {
    if (this.#taker?.takesResult(query, parent, conditions) === true) return
    this.read({ query, parent, inherited: handedDown(query, conditions) })
  }

  #readEntry(level: Level, item: Item): void {
    const { entry, rtindex, conditions } = item
    switch (entry.kind) {
      case 'relation':
        if (entry.relkind === 'v') return
        this.reads.push(this.#readTable(level, { entry, rtindex, conditions }))
        return
      case 'subquery':
        this.#readInner(level, entry.query, conditions)
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

  /** Rows that are locked are those of the table alone that its conditions are true of. */
  #readTable(level: Level, { entry, rtindex, conditions }: Item<'relation'>): TableRead {
    const { query, parent, inherited } = level
    const isLocked = query.rowMarks.some((mark) => mark.rtindex === rtindex)
    const around = parent === undefined ? [] : partnersAround(parent.query)
    const read = {
      self: { entry, rtindex, levelsUp: 0 },
      partners: [...companionsOf(query, rtindex), ...around],
      facts: [
        ...(levelFacts(query, inherited).get(rtindex) ?? []),
        ...(parent === undefined ? [] : factsAround(parent)),
      ],
    }
    const joined = isLocked ? undefined : semijoin(read, this.#canTest)
    const all = joined === undefined ? conditions : [...conditions, joined]
    return { relid: entry.relid, conditions: all, isLocked }
  }

  /** Only where there is a single reference: the others may need other rows. */
  #handedToCte({ query }: Level, cte: CommonTableExpr): readonly Expr[] {
    const [conditions, ...others] = this.#references.get(cte) ?? []
    if (conditions === undefined || others.length > 0) return []
    return query.hasRecursive || !this.#seesAllCtes ? [] : conditions
  }
}

interface Item<K extends RangeTableEntry['kind'] = RangeTableEntry['kind']> {
  readonly entry: Extract<RangeTableEntry, { readonly kind: K }>
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

/**
 * Conditions over a query's result (as entry 1) as conditions of the query itself: those that may as well be tested before it
 * groups, numbers and cuts. Of a set operation they stay what they are, conditions over the result of each part.
 */
export function handedDown(query: Query, conditions: readonly Expr[]): readonly Expr[] {
  if (cuts(query)) return []
  if (query.setOperations !== undefined) return conditions
  const outputs = outputsOf(query)
  return conditions.flatMap((condition) => {
    const columns = outputs.map((target) => target.expr)
    if (!columnsIn(condition).every((column) => isTestable(query, column))) return []
    const inner = substituteColumns(condition, 1, columns)
    return inner === undefined ? [] : [inner]
  })
}

function cuts(query: Query): boolean {
  return (
    query.limitCount !== undefined ||
    query.limitOffset !== undefined ||
    query.hasTargetSrfs ||
    query.hasGroupingSets
  )
}

type Var = Extract<Expr, { readonly kind: 'Var' }>

export function columnsIn(expr: Expr): readonly Var[] {
  return expr.kind === 'Var' ? [expr] : childrenOf(expr).flatMap(columnsIn)
}

/**
 * Whether all rows that a query makes one row of, or numbers together, have the same value in a column, and of the type that is asked for
 * (targetIsInAllPartitionLists of optimizer/path/allpaths.c).
 */
function isTestable(query: Query, column: Var): boolean {
  const target = outputsOf(query)[column.attribute - 1]
  if (target === undefined || typeOf(target.expr) !== column.type) return false
  const isKey = (clauses: Query['groupClause']) =>
    clauses.some((clause) => clause.targetRef === target.sortGroupRef)
  const isGrouped = query.hasAggregates || query.groupClause.length > 0
  if (isGrouped && !isKey(query.groupClause)) return false
  if (query.hasWindowFunctions && !query.partitions.every(isKey)) return false
  return !query.hasDistinctOn || isKey(query.distinctClause)
}
