import type { Expr, FromNode, Query, RangeTableEntry } from '../sql/query-tree.ts'
import { isEquality, itemsOf } from './item-conditions.ts'
import { selectOne } from './load-query.ts'
import { freeVars, replaceVars } from './substitute.ts'

/*
 * PostgreSQL:  SELECT rank() OVER (..) FROM book b JOIN author a ON a.id = b.author_id WHERE a.active
 * load:        SELECT .. FROM book t1 WHERE EXISTS (SELECT 1 FROM author t2 WHERE t2.id = t1.author_id AND t2.active)
 *
 * A row of one table has no part in the result where no row of the tables that it is joined with matches it. Spanner is asked that
 * with the load, in the same snapshot, so that no keys travel.
 */

type Relation = Extract<RangeTableEntry, { readonly kind: 'relation' }>

/** A table that a row has to match: an item of the same FROM, or of the FROM of the query around (`levelsUp` is 1). */
export interface Partner {
  readonly entry: Relation
  readonly rtindex: number
  readonly levelsUp: number
}

/** Whether Spanner can say what rows a condition is true of; the entries are its range table. */
export type CanTest = (entries: readonly Relation[], condition: Expr) => boolean

/** The rows of one table as a joined row holds them. */
export interface JoinedRead {
  readonly self: Partner
  /** Tables that have a row of their own in each joined row that `facts` are true of. */
  readonly partners: readonly Partner[]
  readonly facts: readonly Expr[]
}

/** Partners past these are left out: every load asks for its own. */
const MAX_PARTNERS = 4

/** What the tables that it is joined with demand of a row, over the table as entry 1; undefined where that is nothing that Spanner can test. */
export function semijoin(read: JoinedRead, canTest: CanTest): Expr | undefined {
  const { self } = read
  const all = [self, ...read.partners]
  const facts = read.facts.filter((fact) => {
    const named = namedIn(fact, all)
    return (
      named?.some((item) => item !== self) === true &&
      canTest(
        named.map(({ entry }) => entry),
        overItems(fact, named),
      )
    )
  })
  const partners = reachable(self, facts, read.partners)
  const known = facts.filter((fact) => namedIn(fact, [self, ...partners]) !== undefined)
  const where = known.map((fact) => insideOfExists(fact, self, partners))
  return partners.length === 0 ? undefined : exists(partners, where)
}

/** The items whose columns an expression names; undefined where it names another's. */
function namedIn(fact: Expr, items: readonly Partner[]): readonly Partner[] | undefined {
  const named = new Set<Partner>()
  for (const variable of freeVars(fact)) {
    const item = items.find((candidate) => isColumnOf(variable, candidate))
    if (item === undefined) return undefined
    named.add(item)
  }
  return [...named]
}

type Var = Extract<Expr, { readonly kind: 'Var' }>

function isColumnOf(variable: Var, { rtindex, levelsUp }: Partner): boolean {
  return variable.rtindex === rtindex && variable.levelsUp === levelsUp
}

/** Those that equality links with the table, directly or by others, the nearest first: other conditions would be tested pair by pair. */
function reachable(
  self: Partner,
  facts: readonly Expr[],
  partners: readonly Partner[],
): readonly Partner[] {
  const found = [self]
  const links = facts.filter(isEquality)
  for (const item of found) {
    for (const fact of links) {
      const named = namedIn(fact, [self, ...partners]) ?? []
      if (!named.includes(item)) continue
      found.push(...named.filter((other) => !found.includes(other)))
    }
  }
  return found.slice(1, 1 + MAX_PARTNERS)
}

/** With each item as the entry of that number. */
function overItems(fact: Expr, items: readonly Partner[]): Expr {
  return replaceVars(fact, (variable) => ({
    ...variable,
    rtindex: 1 + items.findIndex((item) => isColumnOf(variable, item)),
    levelsUp: 0,
  }))
}

function insideOfExists(fact: Expr, self: Partner, partners: readonly Partner[]): Expr {
  return replaceVars(fact, (variable) =>
    isColumnOf(variable, self)
      ? { ...variable, rtindex: 1, levelsUp: 1 }
      : {
          ...variable,
          rtindex: 1 + partners.findIndex((partner) => isColumnOf(variable, partner)),
          levelsUp: 0,
        },
  )
}

function exists(partners: readonly Partner[], where: readonly Expr[]): Expr {
  const [first, ...others] = where
  return {
    kind: 'SubLink',
    linkType: 'exists',
    id: 0,
    test: undefined,
    operatorNames: [],
    query: selectOne(
      partners.map(({ entry }) => entry),
      others.length === 0 ? first : { kind: 'BoolExpr', op: 'and', args: where, location: -1 },
    ),
    location: -1,
  }
}

/**
 * The tables among the items of FROM that surely have a row where an item has one: not those that an outer join may have left out.
 */
export function companionsOf(query: Query, rtindex: number): readonly Partner[] {
  return query.from.every((node) => !itemsOf(node).has(rtindex))
    ? []
    : tablesIn(query, new Set(query.from.flatMap((node) => companions(node, rtindex))))
}

/** The tables of FROM that have a row in every joined row, as a query inside of it sees them. */
export function partnersAround(query: Query): readonly Partner[] {
  const certain = new Set(query.from.flatMap(certainItems))
  return tablesIn(query, certain).map((partner) => ({ ...partner, levelsUp: 1 }))
}

function tablesIn(query: Query, items: ReadonlySet<number>): readonly Partner[] {
  return [...items].flatMap((rtindex) => {
    const entry = query.rangeTable[rtindex - 1]
    return entry?.kind === 'relation' && entry.relkind !== 'v'
      ? [{ entry, rtindex, levelsUp: 0 }]
      : []
  })
}

/** Items that have a row in every row of a part of FROM. */
function certainItems(node: FromNode): readonly number[] {
  switch (node.kind) {
    case 'RangeTableRef':
      return [node.rtindex]
    case 'FromExpr':
      return node.from.flatMap(certainItems)
    case 'JoinExpr': {
      const { left, right, joinType } = node
      return [
        ...(joinType === 'inner' || joinType === 'left' ? certainItems(left) : []),
        ...(joinType === 'inner' || joinType === 'right' ? certainItems(right) : []),
      ]
    }
  }
}

/** Items that have a row in every row of a part of FROM in which `rtindex` has one. */
function companions(node: FromNode, rtindex: number): readonly number[] {
  if (!itemsOf(node).has(rtindex)) return certainItems(node)
  switch (node.kind) {
    case 'RangeTableRef':
      return []
    case 'FromExpr':
      return node.from.flatMap((item) => companions(item, rtindex))
    case 'JoinExpr': {
      const { left, right, joinType } = node
      const isLeft = itemsOf(left).has(rtindex)
      const [own, other] = isLeft ? [left, right] : [right, left]
      const isMatched = joinType === 'inner' || joinType === (isLeft ? 'right' : 'left')
      return [...companions(own, rtindex), ...(isMatched ? certainItems(other) : [])]
    }
  }
}
