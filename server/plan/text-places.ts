import type { Expr, FromNode, Query, SetOperationNode } from '../sql/query-tree.ts'
import type { RawBody, RawNode } from '../sql/raw-node.ts'
import { childrenOf, exprsOfQuery } from './expression-tree.ts'

/** Where the client wrote a query, or the name of the view that it is. */
export type TextPlace =
  | { readonly kind: 'select'; readonly select: RawBody<'SelectStmt'> }
  | {
      readonly kind: 'view'
      readonly item: Extract<RawNode, { RangeVar: unknown }>
      readonly columnNames: readonly string[]
    }

/**
 * The queries inside of a statement that have a place of their own in its text, itself included: analysis keeps the order of FROM, the names of
 * WITH and the places of subqueries. What is inside of views has none.
 */
export function textPlaces(query: Query, node: RawNode): ReadonlyMap<Query, TextPlace> {
  const places = new Map<Query, TextPlace>()
  if ('SelectStmt' in node) note(places, query, node.SelectStmt)
  return places
}

type Places = Map<Query, TextPlace>

function note(places: Places, query: Query, select: RawBody<'SelectStmt'>): void {
  places.set(query, { kind: 'select', select })
  for (const node of select.withClause?.ctes ?? []) {
    if (!('CommonTableExpr' in node)) continue
    const { ctename, ctequery } = node.CommonTableExpr
    const cte = query.ctes.find(({ name }) => name === ctename)
    if (cte !== undefined) noteNode(places, cte.query, ctequery)
  }
  if (query.setOperations !== undefined) {
    noteParts(places, query, select)
    return
  }
  noteItems(places, query, query.from, select.fromClause ?? [])
  noteSubqueries(places, query, select)
}

function noteNode(places: Places, query: Query, node: RawNode | undefined): void {
  if (node !== undefined && 'SelectStmt' in node) note(places, query, node.SelectStmt)
}

function noteParts(
  places: Places,
  { rangeTable, setOperations }: Query,
  select: RawBody<'SelectStmt'>,
): void {
  const visit = (part: SetOperationNode | undefined, raw: RawBody<'SelectStmt'> | undefined) => {
    if (part === undefined || raw === undefined) return
    if (part.kind === 'SetOperation') {
      visit(part.left, raw.larg)
      visit(part.right, raw.rarg)
      return
    }
    const entry = rangeTable[part.rtindex - 1]
    if (entry?.kind === 'subquery') note(places, entry.query, raw)
  }
  visit(setOperations, select)
}

function noteItems(
  places: Places,
  query: Query,
  nodes: readonly FromNode[],
  items: readonly RawNode[],
): void {
  if (nodes.length !== items.length) return
  for (const [i, item] of items.entries()) noteItem(places, query, nodes[i], item)
}

function noteItem(
  places: Places,
  query: Query,
  node: FromNode | undefined,
  item: RawNode | undefined,
): void {
  if (node === undefined || item === undefined) return
  if (node.kind === 'JoinExpr' && 'JoinExpr' in item) {
    noteItem(places, query, node.left, item.JoinExpr.larg)
    noteItem(places, query, node.right, item.JoinExpr.rarg)
  }
  if (node.kind !== 'RangeTableRef') return
  const entry = query.rangeTable[node.rtindex - 1]
  if (entry?.kind !== 'subquery') return
  if ('RangeSubselect' in item) noteNode(places, entry.query, item.RangeSubselect.subquery)
  if ('RangeVar' in item) {
    const { columnNames } = entry
    places.set(entry.query, { kind: 'view', item, columnNames })
  }
}

/** Subqueries in expressions, by where they begin. */
function noteSubqueries(places: Places, query: Query, select: RawBody<'SelectStmt'>): void {
  const raw = new Map<number, RawNode | undefined>()
  rawSubLinks(select, (link) => raw.set(link.location ?? 0, link.subselect))
  for (const link of exprsOfQuery(query).flatMap(subLinksIn))
    noteNode(places, link.query, raw.get(link.location))
}

type SubLink = Extract<Expr, { readonly kind: 'SubLink' }>

function subLinksIn(expr: Expr): readonly SubLink[] {
  const below = childrenOf(expr).flatMap(subLinksIn)
  return expr.kind === 'SubLink' ? [expr, ...below] : below
}

/** Those of one level. */
function rawSubLinks(value: unknown, visit: (link: RawBody<'SubLink'>) => void): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, child] of Object.entries(value)) {
    if (LEVELS.has(name)) continue
    if (name !== 'SubLink') {
      rawSubLinks(child, visit)
      continue
    }
    const link = child as RawBody<'SubLink'>
    visit(link)
    rawSubLinks(link.testexpr, visit)
  }
}

/** What holds other levels. */
const LEVELS = new Set(['SelectStmt', 'withClause'])
