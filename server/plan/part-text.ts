import { emitPostgresName, quoteIdentifier } from '../schema/postgres-text.ts'
import {
  type Edit,
  exprExtent,
  extentOf,
  isSameTree,
  locationsIn,
  parseAlone,
  wordAt,
} from '../sql/edit-statement.ts'
import type { Query, TargetEntry } from '../sql/query-tree.ts'
import { type RawBody, type RawNode, rawNodeName, stringOf } from '../sql/raw-node.ts'
import type { StatementTokens } from '../sql/statement-tokens.ts'
import type { Load } from './plan.ts'
import { outputsOf } from './query-outputs.ts'
import { keysOf, type PartColumn } from './query-parts.ts'
import { freeVars } from './substitute.ts'

type Select = RawBody<'SelectStmt'>

/** A grouped query in the text, and its groups. */
export interface PartText {
  readonly source: StatementTokens
  readonly select: Select
  readonly query: Query
  readonly columns: readonly PartColumn[]
  readonly load: Load
}

/*
 * PostgreSQL:  SELECT g, rank() OVER (ORDER BY count(*)) FROM t WHERE .. GROUP BY g ORDER BY count(*)
 * run:         SELECT r.c1 AS g, rank() OVER (ORDER BY r.c2) FROM pg_spanwire.result AS r ORDER BY r.c2
 */

/** The edits that let a query read its groups; undefined where it is not clear which text means them. */
export function editsOfPart(text: PartText): readonly Edit[] | undefined {
  const { select, source } = text
  const targets = (select.targetList ?? []).flatMap((node) =>
    'ResTarget' in node ? [node.ResTarget] : [],
  )
  const from = findFrom(source, targets)
  if (from === undefined || targets.length !== outputsOf(text.query).length) return undefined
  const finder = new ColumnFinder(text, targets)
  const pieces = finder.pieces()
  if (pieces === undefined) return undefined
  const columns = pieces.map(({ node, column }) => columnEdit(text, node, column))
  const reading = fromEdit(text, from)
  if (columns.includes(undefined) || reading === undefined) return undefined
  const names = targets.flatMap((target, i) => nameEdit(text, { targets, target, i, from }))
  return [...columns.filter((edit) => edit !== undefined), reading, ...names]
}

/** The token FROM of a query. */
function findFrom(
  source: StatementTokens,
  targets: readonly RawBody<'ResTarget'>[],
): number | undefined {
  let at = source.indexAt(targets.at(-1)?.location ?? 0)
  for (;;) {
    at = source.find('from', at)
    if (at < 0) return undefined
    if (wordAt(source, at - 1) !== 'distinct') return at
    at += 1
  }
}

const BEHIND_GROUPS = new Set([
  ...['window', 'order', 'limit', 'offset', 'fetch', 'for', 'union', 'intersect', 'except', ')'],
])

function fromEdit(text: PartText, from: number): Edit | undefined {
  const { source, select, load } = text
  let depth = 0
  let last = source.tokens.length - 1
  for (let i = from + 1; i < source.tokens.length; i++) {
    const word = wordAt(source, i)
    if (depth === 0 && BEHIND_GROUPS.has(word) && wordAt(source, i - 1) !== '.') {
      last = i - 1
      break
    }
    if (word === '(' || word === '[') depth++
    if (word === ')' || word === ']') depth--
  }
  const sql = `FROM ${emitPostgresName(load.table)} AS ${aliasOf(load)}`
  const parsed = selectOf(`SELECT ${sql}`)
  if (parsed === undefined) return undefined
  const { whereClause: _where, groupClause: _group, havingClause: _having, ...kept } = select
  const replacement = { ...kept, fromClause: parsed.fromClause }
  return { target: select, ...extentOf(source, from, last), sql, replacement }
}

function aliasOf({ table }: Load): string {
  return quoteIdentifier(table.name)
}

function selectOf(sql: string): Select | undefined {
  const [parsed] = parseAlone(sql)
  return parsed !== undefined && 'SelectStmt' in parsed ? parsed.SelectStmt : undefined
}

function columnEdit(text: PartText, node: RawNode, column: number): Edit | undefined {
  const extent = exprExtent(text.source, node)
  const sql = `${aliasOf(text.load)}.c${column}`
  const [parsed] = selectOf(`SELECT ${sql}`)?.targetList ?? []
  const replacement =
    parsed !== undefined && 'ResTarget' in parsed ? parsed.ResTarget.val : undefined
  if (extent === undefined || replacement === undefined) return undefined
  return { target: node, ...extent, sql, replacement }
}

interface NamedTarget {
  readonly targets: readonly RawBody<'ResTarget'>[]
  readonly target: RawBody<'ResTarget'>
  readonly i: number
  readonly from: number
}

/** A column is called after what was written. */
function nameEdit(text: PartText, { targets, target, i, from }: NamedTarget): readonly Edit[] {
  const name = outputsOf(text.query)[i]?.name
  if (target.name !== undefined || name === undefined) return []
  const next = targets[i + 1]
  const behind = next === undefined ? from : text.source.indexAt(next.location ?? 0) - 1
  const { endByte } = extentOf(text.source, behind - 1, behind - 1)
  const sql = ` AS ${quoteIdentifier(name)}`
  return [{ target, startByte: endByte, endByte, sql, replacement: { ...target, name } }]
}

interface Piece {
  readonly node: RawNode
  /** From 1. */
  readonly column: number
}

/** Finds what means the columns of the groups, by where it was written, or because the same was. */
class ColumnFinder {
  readonly #text: PartText
  readonly #targets: readonly RawBody<'ResTarget'>[]
  readonly #known: Piece[] = []
  readonly #found: Piece[] = []
  readonly #mergesColumns: boolean

  constructor(text: PartText, targets: readonly RawBody<'ResTarget'>[]) {
    this.#text = text
    this.#targets = targets
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
    const { targetList, sortClause, distinctClause, windowClause } = select
    this.#noteLocated([targetList, sortClause, distinctClause, windowClause])
    const isDone =
      this.#take(targetList, false) &&
      this.#take(windowClause, false) &&
      this.#takeNamed(sortClause) &&
      this.#takeNamed(distinctClause)
    return isDone ? this.#found : undefined
  }

  /** A key that is computed: the entry of the select list, or what GROUP BY says. */
  #nodeOfKey(key: TargetEntry): RawNode | undefined {
    if (!key.junk) return this.#targets[key.resno - 1]?.val
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
    if (!isInside && 'ColumnRef' in node) return false
    return Object.entries(value).every(([name, field]) =>
      this.#take(field, isInside || name === 'SelectStmt'),
    )
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
