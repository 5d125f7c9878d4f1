import { PgError } from '../base/pg-error.ts'
import { quoteIdentifier } from '../schema/postgres-text.ts'
import {
  type Edit,
  editStatement,
  extentOf,
  parseAlone,
  selectExtent,
  wordAt,
} from '../sql/edit-statement.ts'
import type { Expr, Query } from '../sql/query-tree.ts'
import type { RawNode } from '../sql/raw-node.ts'
import { StatementTokens } from '../sql/statement-tokens.ts'
import type { EmitContext } from './emission.ts'
import { emitPushdown } from './emit-pushdown.ts'
import { childrenOf, subqueriesOf } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import { canTest, selectedFrom } from './load-query.ts'
import { NotPushable } from './not-pushable.ts'
import { standalone } from './outer-ctes.ts'
import { editsOfPart } from './part-text.ts'
import type { Load } from './plan.ts'
import { outputsOf } from './query-outputs.ts'
import { groupedPart, topPart } from './query-parts.ts'
import { resultLoad, selectLoaded } from './result-table.ts'
import { columnsIn, handedDown, type Level, type ResultTaker } from './table-reads.ts'
import { type TextPlace, textPlaces } from './text-places.ts'

/*
 * PostgreSQL:  SELECT rank() OVER (ORDER BY s.c) FROM (SELECT g, count(*) AS c FROM t GROUP BY g) s WHERE s.g > 5
 * load:        SELECT g, count(*) FROM t WHERE g > 5 GROUP BY g
 * run:         SELECT rank() OVER (ORDER BY s.c) FROM (SELECT c1 AS g, c2 AS c FROM pg_spanwire.r1) s WHERE s.g > 5
 *
 * A query inside of the statement that makes few rows of many is run by Spanner, where that can: its result is loaded, and stands in
 * its place.
 */

/** The statement over loads of results, and these. */
export interface ResultsTaken {
  readonly text: string
  readonly loads: readonly Load[]
}

/** Past so many characters nothing in a statement is replaced. */
const MAX_CHARACTERS = 50_000

/** Finds the results that can be loaded, while the places are read where tables are. */
export class ResultLoads implements ResultTaker {
  readonly #text: string
  readonly #node: RawNode
  readonly #source: StatementTokens
  readonly #context: EmitContext
  readonly #places: ReadonlyMap<Query, TextPlace>
  readonly #loads: Load[] = []
  readonly #edits: Edit[] = []

  /** undefined where no part of the statement could be replaced. */
  static of(text: string, query: Query, context: EmitContext): ResultLoads | undefined {
    if (text.length > MAX_CHARACTERS) return undefined
    const [node, ...others] = parseAlone(text)
    if (node === undefined || others.length > 0) return undefined
    return new ResultLoads({ text, node, query }, context)
  }

  private constructor(
    { text, node, query }: { readonly text: string; readonly node: RawNode; readonly query: Query },
    context: EmitContext,
  ) {
    this.#text = text
    this.#node = node
    this.#source = new StatementTokens(text)
    this.#context = context
    this.#places = textPlaces(query, node)
  }

  takesResult(query: Query, around: Level, conditions: readonly Expr[]): boolean {
    const place = this.#places.get(query)
    if (place === undefined || !makesFewRows(query) || !hasPlainOutputs(query)) return false
    const alone = this.#alone(query, around)
    const load = alone && this.#load(this.#narrowed(alone, conditions))
    if (load === undefined) return false
    const edit = this.#editOf(place, query, load)
    if (edit === undefined) return false
    this.#edits.push(edit)
    this.#loads.push(load)
    return true
  }

  takesPart({ query, parent, inherited }: Level): readonly Query[] | undefined {
    const place = this.#places.get(query)
    if (place?.kind !== 'select') return undefined
    const part = groupedPart(query) ?? (isLoadedByLimit(query, parent) ? undefined : topPart(query))
    if (part === undefined) return undefined
    const alone = this.#alone(part.query, parent)
    if (alone === undefined) return undefined
    const where = inherited.filter((condition) =>
      isPushable(withConditions(alone, [condition]), this.#context),
    )
    const load = this.#load(withConditions(alone, where))
    if (load === undefined) return undefined
    const { columns, rest } = part
    const { select } = place
    const edits = editsOfPart({ source: this.#source, select, query, columns, load })
    if (edits === undefined) return undefined
    this.#edits.push(...edits)
    this.#loads.push(load)
    return rest
  }

  get hasTaken(): boolean {
    return this.#edits.length > 0
  }

  /** undefined where nothing was taken, or the text came out wrong. */
  finish(): ResultsTaken | undefined {
    if (this.#edits.length === 0) return undefined
    const text = editStatement(this.#text, this.#node, this.#edits)
    return text === undefined ? undefined : { text, loads: this.#loads }
  }

  /** undefined where a query has no result without the rows around it, or reads none. */
  #alone(query: Query, around: Level | undefined): Query | undefined {
    const alone = query.rowMarks.length > 0 ? undefined : standalone(query, around)
    return alone === undefined || alone.relids.length === 0 ? undefined : alone
  }

  #load(query: Query): Load | undefined {
    return resultLoad(query, this.#loads.length + 1, this.#context)
  }

  /** With the conditions that Spanner can test: before it groups, or else on the result. */
  #narrowed(query: Query, conditions: readonly Expr[]): Query {
    const inside: Expr[] = []
    const behind: Expr[] = []
    for (const condition of conditions) {
      const [inner] = query.setOperations === undefined ? handedDown(query, [condition]) : []
      if (inner !== undefined && isPushable(withConditions(query, [inner]), this.#context))
        inside.push(inner)
      else if (isOnColumns(query, condition)) behind.push(condition)
    }
    const inner = withConditions(query, inside)
    if (query.sortClause.length > 0 || query.ctes.length > 0) return inner
    const entry = {
      kind: 'subquery',
      query: inner,
      lateral: false,
      columnNames: outputsOf(inner).map(({ name }) => name ?? ''),
    } as const
    const tested = behind.filter((condition) => canTest([entry], condition, this.#context))
    return tested.length === 0 ? inner : selectedFrom(entry, tested)
  }

  #editOf(place: TextPlace, query: Query, load: Load): Edit | undefined {
    if (place.kind === 'view') return this.#editOfView(place, load)
    const extent = selectExtent(this.#source, place.select)
    const sql = selectLoaded(
      load,
      outputsOf(query).map(({ name }) => name ?? '?column?'),
    )
    const [replacement] = parseAlone(sql)
    if (extent === undefined || replacement === undefined || !('SelectStmt' in replacement))
      return undefined
    return { target: place.select, ...extent, sql, replacement: replacement.SelectStmt }
  }

  /** `FROM v` becomes `FROM (SELECT ..) AS v`; a name with ONLY or `*` stays. */
  #editOfView(
    { item, columnNames }: Extract<TextPlace, { readonly kind: 'view' }>,
    load: Load,
  ): Edit | undefined {
    const { schemaname, relname = '', location = 0, alias } = item.RangeVar
    const first = this.#source.indexAt(location)
    if (wordAt(this.#source, first - 1) === 'table') return undefined
    const last = schemaname === undefined ? first : first + 2
    const query = `(${selectLoaded(load, columnNames)})`
    const sql = alias === undefined ? `${query} AS ${quoteIdentifier(relname)}` : query
    const [parsed] = parseAlone(`SELECT FROM ${query} AS ${quoteIdentifier(relname)}`)
    const [subselect] =
      parsed !== undefined && 'SelectStmt' in parsed ? (parsed.SelectStmt.fromClause ?? []) : []
    if (subselect === undefined || !('RangeSubselect' in subselect)) return undefined
    const body = { ...subselect.RangeSubselect, ...(alias === undefined ? {} : { alias }) }
    const extent = extentOf(this.#source, first, last)
    return { target: item, ...extent, sql, replacement: { RangeSubselect: body } }
  }
}

/** A statement over one table, whose own load has the LIMIT. */
function isLoadedByLimit(query: Query, parent: Level | undefined): boolean {
  const [entry, another] = query.rangeTable
  const isAlone = entry?.kind === 'relation' && another === undefined
  return parent === undefined && isAlone && subqueriesOf(query).length === 0
}

/** Whether a query makes one row of several, or leaves some out. */
function makesFewRows(query: Query): boolean {
  if (query.setOperations !== undefined) {
    const parts = partsOf(query)
    return parts.length > 0 && parts.every(makesFewRows)
  }
  return (
    query.hasAggregates ||
    query.groupClause.length > 0 ||
    query.distinctClause.length > 0 ||
    query.limitCount !== undefined
  )
}

/**
 * Whether no column can fail that PostgreSQL might not compute: nobody may ask for it. Columns that are computed of others are left to the statement
 * (query-parts.ts).
 */
function hasPlainOutputs(query: Query): boolean {
  if (query.setOperations !== undefined) return partsOf(query).every(hasPlainOutputs)
  const keys = [...query.groupClause, ...query.distinctClause, ...query.sortClause]
  const isKey = (ref: number) => keys.some(({ targetRef }) => targetRef === ref)
  return outputsOf(query).every(({ expr, sortGroupRef }) => isKey(sortGroupRef) || isPlain(expr))
}

function isPlain(expr: Expr): boolean {
  switch (expr.kind) {
    case 'Var':
    case 'Const':
    case 'Param':
    case 'Aggref':
      return true
    case 'RelabelType':
    case 'CoalesceExpr':
      return childrenOf(expr).every(isPlain)
    default:
      return false
  }
}

function partsOf(query: Query): readonly Query[] {
  return query.rangeTable.flatMap((entry) => (entry.kind === 'subquery' ? [entry.query] : []))
}

function isPushable(query: Query, context: EmitContext): boolean {
  try {
    emitPushdown(query, context)
    return true
  } catch (error) {
    if (error instanceof NotPushable || error instanceof PgError) return false
    throw error
  }
}

function withConditions(query: Query, conditions: readonly Expr[]): Query {
  if (conditions.length === 0) return query
  const args = query.where === undefined ? conditions : [query.where, ...conditions]
  return { ...query, where: { kind: 'BoolExpr', op: 'and', args, location: -1 } }
}

/** Whether the columns that a condition on a result names have the types that it takes them for. */
function isOnColumns(query: Query, condition: Expr): boolean {
  const outputs = outputsOf(query)
  return columnsIn(condition).every(({ attribute, type }) => {
    const output = outputs[attribute - 1]
    return output !== undefined && typeOf(output.expr) === type
  })
}
