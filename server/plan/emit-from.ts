import { quotePhysical } from '../schema/logical-schema.ts'
import { findBuiltinFunction } from '../sql/builtin-catalog.ts'
import type { Expr, FromNode, Query, RangeTableEntry } from '../sql/query-tree.ts'
import { findPgType } from '../types/pg-type.ts'
import { isRowIndependent, isVolatile } from './computed-expressions.ts'
import type { Emission } from './emission.ts'
import { applyRule, isAvailable } from './emit-call.ts'
import { emitCteReference } from './emit-cte.ts'
import { emitUnnests } from './emit-unnest.ts'
import { emitValueRows } from './emit-values.ts'
import { mustFindTable } from './emit-var.ts'
import { typeOf } from './expression-type.ts'
import { isCorrelatedSideways } from './lateral.ts'
import { NotPushable } from './not-pushable.ts'
import { type Rows, rowsOfQuery } from './rows-of-query.ts'
import type { Scope } from './scope.ts'

type EntryOf<K extends RangeTableEntry['kind']> = Extract<RangeTableEntry, { readonly kind: K }>

/** The items of FROM, with ` FROM ` before them; empty where there are none. */
export function emitFrom(emission: Emission, scope: Scope, from: readonly FromNode[]): string {
  if (from.length === 0) return ''
  return ` FROM ${from.map((node) => emitFromNode(emission, scope, node)).join(', ')}`
}

/*
 * PostgreSQL:  SELECT 1 WHERE a
 * Spanner:     SELECT 1 FROM (SELECT 1 AS c1) AS t1 WHERE a        refuses WHERE without FROM
 */

/** FROM and WHERE of a level. */
export function emitFilteredFrom(emission: Emission, scope: Scope): string {
  const { from, where } = scope.query
  const items = emitFrom(emission, scope, from)
  if (where === undefined) return items
  const source = items === '' ? ` FROM (SELECT 1 AS c1) AS ${emission.newAlias()}` : items
  return `${source} WHERE ${emission.expression(where, { scope, isFilter: true })}`
}

const JOIN_WORDS = {
  inner: 'JOIN',
  left: 'LEFT JOIN',
  right: 'RIGHT JOIN',
  full: 'FULL JOIN',
} as const

function emitFromNode(emission: Emission, scope: Scope, node: FromNode): string {
  switch (node.kind) {
    case 'RangeTableRef':
      return emitEntry(emission, scope, node.rtindex)
    case 'JoinExpr':
      return emitJoin(emission, scope, node)
    case 'FromExpr':
      throw new NotPushable('a list inside a join')
  }
}

/*
 * PostgreSQL:  a JOIN b USING (id)             the tree has the condition, and the merged column as an expression
 * Spanner:     "a" AS t1 JOIN "b" AS t2 ON t1."id" = t2."id"
 */
function emitJoin(
  emission: Emission,
  scope: Scope,
  join: Extract<FromNode, { readonly kind: 'JoinExpr' }>,
): string {
  const left = emitFromNode(emission, scope, join.left)
  const right = emitFromNode(emission, scope, join.right)
  const rightItem = join.right.kind === 'JoinExpr' ? `(${right})` : right
  if (join.quals === undefined && join.joinType === 'inner')
    return `${left} CROSS JOIN ${rightItem}`
  const condition =
    join.quals === undefined ? 'true' : emission.expression(join.quals, { scope, isFilter: true })
  return `${left} ${JOIN_WORDS[join.joinType]} ${rightItem} ON ${condition}`
}

function emitEntry(emission: Emission, scope: Scope, rtindex: number): string {
  const entry = scope.entry(rtindex)
  const alias = scope.alias(rtindex)
  switch (entry.kind) {
    case 'relation':
      return `${emitTable(emission, entry)} AS ${alias}`
    case 'subquery':
      return `(${emitSubquery(emission, scope, entry)}) AS ${alias}`
    case 'values':
      return `(${emitValueRows(emission, scope, valuesOf(entry))}) AS ${alias}`
    case 'function':
      return emitFunctionItem(emission, scope, { entry, alias })
    case 'cte':
      return emitCteReference(emission, scope, { entry, alias })
    case 'join':
    case 'result':
    case 'unsupported':
      throw new NotPushable(
        `a FROM item of kind ${entry.kind === 'unsupported' ? entry.tag : entry.kind}`,
      )
  }
}

function emitTable(emission: Emission, entry: EntryOf<'relation'>): string {
  if (entry.hasTableSample) throw new NotPushable('TABLESAMPLE')
  return quotePhysical(mustFindTable(emission, entry).physicalName)
}

/** A derived table; a LATERAL one only where it does not look at its neighbours after all. */
function emitSubquery(emission: Emission, scope: Scope, entry: EntryOf<'subquery'>): string {
  if (entry.lateral && isCorrelatedSideways(entry.query)) {
    throw new NotPushable('a LATERAL subquery', {
      hint: 'Use a scalar subquery in the select list, or a join with a grouped subquery.',
    })
  }
  const rows = isValuesOnly(entry.query) ? rowsOfQuery(entry.query) : undefined
  if (rows !== undefined) return emitValueRows(emission, scope, rows)
  return emission.select(entry.query, { parent: scope, namesColumns: true }).sql
}

/** `(VALUES ..) AS v (x, y)` comes as a query over the list. */
function isValuesOnly(query: Query): boolean {
  return query.rangeTable.length === 1 && query.rangeTable[0]?.kind === 'values'
}

function valuesOf(entry: EntryOf<'values'>): Rows {
  if (entry.lateral) throw new NotPushable('a LATERAL list of VALUES')
  return entry.rows
}

interface FunctionItem {
  readonly entry: EntryOf<'function'>
  readonly alias: string
}

const UNNEST = 2331

/*
 * PostgreSQL:  unnest(a.list) AS x          unnest($1) WITH ORDINALITY AS x (value, n)
 * Spanner:     unnest(t1."list") AS t2(c1)  unnest($1) WITH ORDINALITY AS t1(c1, c2)
 *
 * PostgreSQL:  string_to_table($1, ',') AS x      what no row has a part in
 * Spanner:     unnest($1) AS t1(c1)              the companion computes the rows, and they are bound as an array
 */
function emitFunctionItem(emission: Emission, scope: Scope, item: FunctionItem): string {
  const [call, another] = item.entry.functions
  if (another !== undefined) return `(${emitUnnests(emission, scope, item.entry)}) AS ${item.alias}`
  if (call === undefined) throw new NotPushable('a function in FROM')
  const sql =
    call.kind === 'FuncExpr' && call.returnsSet
      ? emitSetCall(emission, scope, { call, isLateral: item.entry.lateral })
      : undefined
  if (sql === undefined) return emitScalarItem(emission, scope, { item, call })
  if (!item.entry.withOrdinality) return emitRows(emission, call, { sql, alias: item.alias })
  if (item.entry.lateral) throw new NotPushable('WITH ORDINALITY of a column of another table')
  return `${sql} WITH ORDINALITY AS ${item.alias}(c1, c2)`
}

/*
 * PostgreSQL:  EXISTS (SELECT 1 FROM jsonb_array_elements(a.j) AS e)
 * Spanner:     (SELECT t1.c1 AS c1 FROM jsonb_array_elements(..) AS t1(c1) WHERE t1.c1 IS NOT NULL) AS t2
 *
 * The emulator fails where nobody asks for the function's column. Functions other than unnest give no NULLs.
 */
function emitRows(
  emission: Emission,
  call: Expr,
  { sql, alias }: { readonly sql: string; readonly alias: string },
): string {
  if (call.kind === 'FuncExpr' && (call.function === UNNEST || sql.startsWith('unnest(')))
    return `${sql} AS ${alias}(c1)`
  const inner = emission.newAlias()
  return `(SELECT ${inner}.c1 AS c1 FROM ${sql} AS ${inner}(c1) WHERE ${inner}.c1 IS NOT NULL) AS ${alias}`
}

type FuncExpr = Extract<Expr, { readonly kind: 'FuncExpr' }>

interface SetCall {
  readonly call: FuncExpr
  /** Whether it looks at columns of its neighbours in FROM. */
  readonly isLateral: boolean
}

function emitSetCall(emission: Emission, scope: Scope, { call, isLateral }: SetCall): string {
  const refusal = () =>
    new NotPushable(
      `the function ${findBuiltinFunction(call.function)?.name ?? call.function} in FROM`,
      {
        location: call.location,
      },
    )
  if (call.function === UNNEST) {
    const array = call.args.map((arg) => emission.expression(arg, { scope }))
    return `unnest(${array.join(', ')})`
  }
  const rule = emission.context.dialect.findFunctionRule(call.function)
  // Of the functions of a neighbour's columns Spanner has unnest alone.
  if (rule !== undefined && !isLateral && isAvailable(emission.context, rule)) {
    return applyRule(emission, rule, {
      args: call.args,
      type: call.type,
      place: { scope, noticesRange: true },
      refusal,
    })
  }
  if (!call.args.every(isRowIndependent) || isVolatile(call)) throw refusal()
  const arrayType = findPgType(call.type)?.arrayOid
  if (arrayType === undefined || arrayType === 0) throw refusal()
  const index = emission.computed.addRowsOf(call, arrayType)
  return `unnest(${emission.params.computed(index, arrayType)})`
}

/*
 * PostgreSQL:  lower('X') AS x
 * Spanner:     (SELECT lower('X') AS c1) AS t1
 */
function emitScalarItem(
  emission: Emission,
  scope: Scope,
  { item, call }: { readonly item: FunctionItem; readonly call: Expr },
): string {
  if (
    item.entry.withOrdinality ||
    !isRowIndependent(call) ||
    findPgType(typeOf(call)) === undefined
  ) {
    throw new NotPushable('such a function in FROM', {
      location: 'location' in call ? call.location : undefined,
    })
  }
  return `(SELECT ${emission.expression(call, { scope, isOnce: true })} AS c1) AS ${item.alias}`
}
