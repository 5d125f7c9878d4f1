import { isSameTree, locationsIn } from '../sql/edit-statement.ts'
import type { Expr, Query, TargetEntry } from '../sql/query-tree.ts'
import { type RawBody, type RawNode, rawNodeName, stringOf } from '../sql/raw-node.ts'
import type { StatementTokens } from '../sql/statement-tokens.ts'
import type { Load } from './plan.ts'
import { outputsOf } from './query-outputs.ts'
import { keysOf, type PartColumn } from './query-parts.ts'
import { freeVars } from './substitute.ts'

/** A grouped query in the text, and its groups. */
export interface PartText {
  readonly source: StatementTokens
  readonly select: RawBody<'SelectStmt'>
  readonly query: Query
  readonly columns: readonly PartColumn[]
  readonly load: Load
}

/** An entry of the select list, and what analysis has made of it: of a star, columns that are all placed where it stands. */
export interface SelectEntry {
  readonly node: RawNode
  readonly target: RawBody<'ResTarget'>
  readonly outputs: readonly TargetEntry[]
}

/** undefined where it is not clear what a star stands for. */
export function entriesOf({ select, query }: PartText): readonly SelectEntry[] | undefined {
  const left = [...outputsOf(query)]
  const entries = (select.targetList ?? []).flatMap((node): readonly SelectEntry[] => {
    if (!('ResTarget' in node)) return []
    const target = node.ResTarget
    const { val } = target
    if (val === undefined || !isStar(val)) return [{ node, target, outputs: left.splice(0, 1) }]
    const count = left.findIndex(({ expr }) => !isPlacedAt(expr, locationsIn(val)[0] ?? 0))
    return [{ node, target, outputs: left.splice(0, count < 0 ? left.length : count) }]
  })
  const isWhole = left.length === 0 && entries.every(({ outputs }) => outputs.length > 0)
  return isWhole ? entries : undefined
}

function isPlacedAt(expr: Expr, location: number): boolean {
  return expr.kind === 'Var' && expr.location === location
}

/** Whether an entry is `*` or `t.*`. */
export function isStarEntry({ target: { val } }: SelectEntry): boolean {
  return val !== undefined && isStar(val)
}

/** The column of the load that an output is, from 1; undefined where it is none. */
export function columnOf({ columns }: PartText, { expr }: TargetEntry): number | undefined {
  const index = columns.findIndex(({ occurrences }) => occurrences.includes(expr))
  return index < 0 ? undefined : index + 1
}

/** A part of the text that means a column of the load. */
export interface Piece {
  readonly node: RawNode
  /** From 1. */
  readonly column: number
}

/** Finds what means the columns of the groups, by where it was written, or because the same was. */
export class ColumnFinder {
  readonly #text: PartText
  readonly #entries: readonly SelectEntry[]
  readonly #stars: readonly TargetEntry[]
  readonly #known: Piece[] = []
  readonly #found: Piece[] = []
  readonly #mergesColumns: boolean

  constructor(text: PartText, entries: readonly SelectEntry[]) {
    this.#text = text
    this.#entries = entries
    this.#stars = entries.filter(isStarEntry).flatMap(({ outputs }) => outputs)
    this.#mergesColumns = (text.select.fromClause ?? []).some(mergesColumns)
  }

  /** undefined where something is left that may mean a column of the rows. */
  pieces(): readonly Piece[] | undefined {
    const { select, query, columns } = this.#text
    for (const key of keysOf(query)) {
      const column = columns.findIndex(({ targetRef }) => targetRef === key.sortGroupRef) + 1
      if (column === 0 || key.expr.kind === 'Var') continue
      const node = this.#nodeOfKey(key)
      if (node === undefined) return undefined
      this.#known.push({ node, column })
    }
    const { sortClause, distinctClause, windowClause } = select
    const targetList = this.#entries.filter((entry) => !isStarEntry(entry)).map(({ node }) => node)
    this.#noteLocated([targetList, sortClause, distinctClause, windowClause])
    this.#noteSorted(sortClause ?? [])
    const isDone =
      this.#take(targetList, false) &&
      this.#take(windowClause, false) &&
      this.#takeNamed(sortClause) &&
      this.#takeNamed(distinctClause)
    return isDone ? this.#found : undefined
  }

  /** A key that is computed: the entry of the select list, or what GROUP BY says. */
  #nodeOfKey(key: TargetEntry): RawNode | undefined {
    if (!key.junk) return this.#entries.find(({ outputs }) => outputs.includes(key))?.target.val
    const places = freeVars(key.expr).map(({ location }) => location)
    return this.#text.select.groupClause?.find((node) => {
      const locations = locationsIn(node)
      return places.length > 0 && places.every((place) => locations.includes(place))
    })
  }

  /** Columns and aggregates that analysis has placed. */
  #noteLocated(value: unknown): void {
    const places = new Map<string, number>(
      this.#text.columns.flatMap(({ occurrences }, i) =>
        occurrences.flatMap((expr) =>
          (expr.kind === 'Var' || expr.kind === 'Aggref') && expr.location >= 0
            ? [[`${expr.kind} ${expr.location}`, i + 1] as const]
            : [],
        ),
      ),
    )
    eachNode(value, (node) => {
      const kind = 'ColumnRef' in node ? 'Var' : 'FuncCall' in node ? 'Aggref' : undefined
      const [location] = Object.values(node).map((body) => (body as { location?: number }).location)
      const column = places.get(`${kind} ${location ?? 0}`)
      if (column !== undefined) this.#known.push({ node, column })
    })
  }

  /** What a star shows and ORDER BY names: analysis has it once, where the star stands. */
  #noteSorted(items: readonly RawNode[]): void {
    const { query } = this.#text
    if (items.length !== query.sortClause.length) return
    for (const [i, { targetRef }] of query.sortClause.entries()) {
      const key = query.targetList.find(({ sortGroupRef }) => sortGroupRef === targetRef)
      const item = items[i]
      const node = item !== undefined && 'SortBy' in item ? item.SortBy.node : undefined
      const column = key && this.#stars.includes(key) ? columnOf(this.#text, key) : undefined
      if (node !== undefined && column !== undefined) this.#known.push({ node, column })
    }
  }

  /** false where something is left. Inside of subqueries names have meanings of their own, but where analysis says otherwise. */
  #take(value: unknown, isInside: boolean): boolean {
    if (typeof value !== 'object' || value === null) return true
    if (Array.isArray(value)) return value.every((item) => this.#take(item, isInside))
    const node = value as RawNode
    const known = this.#known.find((piece) =>
      isInside ? piece.node === node : this.#means(piece.node, node),
    )
    if (known !== undefined) {
      this.#found.push({ node, column: known.column })
      return !isStar(node)
    }
    if (!isInside && 'ColumnRef' in node) return this.#takeOfStar(node)
    return Object.entries(value).every(([name, field]) =>
      this.#take(field, isInside || name === 'SelectStmt'),
    )
  }

  /** The only column of that name that is shown by a star that could show it. */
  #takeOfStar(node: Extract<RawNode, { ColumnRef: unknown }>): boolean {
    const name = fieldsOf(node.ColumnRef)
    if (name === undefined || this.#mergesColumns) return false
    const around = name.slice(0, -1)
    const [only, another] = this.#entries.filter(isStarEntry).flatMap(({ target, outputs }) => {
      const of = qualifierOf(target.val)
      const isOf = of.length === 0 || around.length === 0 || isSameTree(of, around)
      return isOf ? outputs.filter((output) => output.name === name.at(-1)) : []
    })
    const column = only && another === undefined ? columnOf(this.#text, only) : undefined
    if (column === undefined) return false
    this.#found.push({ node, column })
    return true
  }

  /** Items of ORDER BY and DISTINCT ON: a plain name is that of a column of the result, where there is one. */
  #takeNamed(items: readonly RawNode[] | undefined): boolean {
    return (items ?? []).every((item) => {
      const node = 'SortBy' in item ? item.SortBy.node : item
      if (node === undefined || this.#isOutput(node)) return true
      return this.#isPlaced(node) && this.#take(item, false)
    })
  }

  #isOutput(node: RawNode): boolean {
    if (!('ColumnRef' in node)) return false
    const [name, another] = node.ColumnRef.fields ?? []
    return (
      another === undefined &&
      outputsOf(this.#text.query).some((output) => output.name === stringOf(name))
    )
  }

  /** A name of a column alone is that of one item of FROM only, so that it means the same with that item's name, but for USING. */
  #means(known: RawNode, node: RawNode): boolean {
    return isSameTree(known, node, this.#mergesColumns ? undefined : isSameColumn)
  }

  /** Whether analysis has kept what an item was made to: calls may be aggregates, or hide some. */
  #isPlaced(node: RawNode): boolean {
    let isPlaced = true
    eachNode(node, (part) => {
      if (!('FuncCall' in part || 'SubLink' in part)) return
      const isKnown = this.#known.some((piece) => this.#means(piece.node, part))
      if (!isKnown && !this.#isInTargets(part)) isPlaced = false
    })
    return isPlaced
  }

  #isInTargets(part: RawNode): boolean {
    const locations = locationsIn(this.#text.query.targetList)
    const body = Object.values(part)[0] as { location?: number } | undefined
    return locations.includes(body?.location ?? 0)
  }
}

/** Whether a join has columns of its own. */
function mergesColumns(item: RawNode): boolean {
  if (!('JoinExpr' in item)) return false
  const { larg, rarg, usingClause, isNatural, alias } = item.JoinExpr
  if (usingClause !== undefined || isNatural === true || alias !== undefined) return true
  return [larg, rarg].some((side) => side !== undefined && mergesColumns(side))
}

/** Of the fields of two column references: whether one is the other without what stands before its last point. */
function isSameColumn(a: object, b: object): boolean {
  const [some, others] = [fieldsOf(a), fieldsOf(b)]
  if (some === undefined || others === undefined) return false
  return some.at(-1) === others.at(-1) && Math.min(some.length, others.length) === 1
}

function fieldsOf(body: object): readonly string[] | undefined {
  if (!('fields' in body) || !Array.isArray(body.fields)) return undefined
  const names = body.fields.map((field: RawNode) => stringOf(field))
  return names.includes('') ? undefined : names
}

function isStar(node: RawNode): boolean {
  if (!('ColumnRef' in node)) return false
  const last = node.ColumnRef.fields?.at(-1)
  return last !== undefined && rawNodeName(last) === 'A_Star'
}

/** What stands before the point of `t.*`. */
function qualifierOf(star: RawNode | undefined): readonly string[] {
  if (star === undefined || !('ColumnRef' in star)) return []
  return (star.ColumnRef.fields ?? []).slice(0, -1).map((field) => stringOf(field))
}

/** Every node of a tree, the outer ones first. */
function eachNode(value: unknown, visit: (node: RawNode) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) eachNode(item, visit)
    return
  }
  const [name, ...others] = Object.keys(value)
  if (others.length === 0 && name !== undefined && /^[A-Z]/.test(name)) visit(value as RawNode)
  for (const field of Object.values(value)) eachNode(field, visit)
}
