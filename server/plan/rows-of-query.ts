import { findOperatorName } from '../sql/builtin-catalog.ts'
import type { Const, Expr, Query, RangeTableEntry } from '../sql/query-tree.ts'
import { parseArrayText } from '../types/array-text.ts'
import { datumToText } from '../types/datum.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import { isVolatile } from './computed-expressions.ts'
import { int4Const } from './integer-const.ts'
import { outputsOf } from './query-outputs.ts'
import { substituteColumns } from './substitute.ts'

/*
 * Clients write lists of rows in several ways, of which Spanner has only the first:
 *
 *   VALUES (1, 'a'), (2, 'b')
 *   SELECT x, y FROM (VALUES (1, 'a', 0), (2, 'b', 1)) AS v (x, y, n) ORDER BY n
 *   SELECT * FROM unnest('{1,2}'::int[], '{a,b}'::text[])
 *
 * Where a query is such a list, its rows are known before it runs, and in the order that the client gave them.
 */

export type Rows = readonly (readonly Expr[])[]

const UNNEST = 2331

/**
 * The rows of a query that reads nothing but a list; undefined for every other. A volatile cell may be named twice and is
 * evaluated once: such a list stays where it is.
 */
export function rowsOfQuery(query: Query): Rows | undefined {
  const [item, another] = query.from
  if (item?.kind !== 'RangeTableRef' || another !== undefined || !isPlain(query)) return undefined
  const base = rowsOfEntry(query.rangeTable[item.rtindex - 1])
  if (base === undefined || base.some((cells) => cells.some(isVolatile))) return undefined
  const rows: (readonly Expr[])[] = []
  for (const cells of sorted(query, item.rtindex, base) ?? []) {
    const row = outputsOf(query).map((target) =>
      substituteColumns(target.expr, item.rtindex, cells),
    )
    if (row.includes(undefined)) return undefined
    rows.push(row.filter((cell) => cell !== undefined))
  }
  return rows.length === base.length ? rows : undefined
}

/** As {@link rowsOfQuery} for an item of FROM. */
export function rowsOfEntry(entry: RangeTableEntry | undefined): Rows | undefined {
  switch (entry?.kind) {
    case 'values':
      return entry.lateral ? undefined : entry.rows
    case 'subquery':
      return entry.lateral ? undefined : rowsOfQuery(entry.query)
    case 'function':
      return rowsOfUnnest(entry)
    default:
      return undefined
  }
}

function isPlain(query: Query): boolean {
  return (
    query.command === 'select' &&
    query.where === undefined &&
    query.groupClause.length === 0 &&
    !query.hasGroupingSets &&
    !query.hasAggregates &&
    query.having === undefined &&
    query.distinctClause.length === 0 &&
    !query.hasWindowFunctions &&
    !query.hasTargetSrfs &&
    query.setOperations === undefined &&
    query.limitCount === undefined &&
    query.limitOffset === undefined &&
    query.rowMarks.length === 0 &&
    query.ctes.length === 0
  )
}

/** The rows as ORDER BY has them, where it sorts by constant integers; undefined where only the execution knows. */
function sorted(query: Query, rtindex: number, rows: Rows): Rows | undefined {
  if (query.sortClause.length === 0) return rows
  const keyed: { readonly row: readonly Expr[]; readonly key: readonly bigint[] }[] = []
  for (const row of rows) {
    const key = query.sortClause.map((clause) => {
      const target = query.targetList.find(
        (candidate) => candidate.sortGroupRef === clause.targetRef,
      )
      const expr = target === undefined ? undefined : substituteColumns(target.expr, rtindex, row)
      return expr?.kind === 'Const' ? integerOf(expr) : undefined
    })
    if (key.includes(undefined)) return undefined
    keyed.push({ row, key: key.filter((part) => part !== undefined) })
  }
  const signs = query.sortClause.map((clause) => signOf(findOperatorName(clause.sortOperator)))
  if (signs.includes(0)) return undefined
  keyed.sort((a, b) => compare(a.key, b.key, signs))
  return keyed.map(({ row }) => row)
}

function signOf(operator: string | undefined): number {
  return operator === '<' ? 1 : operator === '>' ? -1 : 0
}

function compare(a: readonly bigint[], b: readonly bigint[], signs: readonly number[]): number {
  for (const [i, sign] of signs.entries()) {
    const left = a[i] ?? 0n
    const right = b[i] ?? 0n
    if (left !== right) return left < right ? -sign : sign
  }
  return 0
}

function integerOf(constant: Const): bigint | undefined {
  const isInteger =
    constant.type === OID.int2 || constant.type === OID.int4 || constant.type === OID.int8
  if (!isInteger || constant.isNull) return undefined
  const text = datumToText(constant.type, constant.bytes, constant.lengthBytes, constant.byValue)
  return text === undefined ? undefined : BigInt(text)
}

/** unnest of constant arrays side by side; the shorter ones are filled with NULLs. */
function rowsOfUnnest(
  entry: Extract<RangeTableEntry, { readonly kind: 'function' }>,
): Rows | undefined {
  if (entry.withOrdinality) return undefined
  const columns = entry.functions.map(columnOfUnnest)
  const counts = columns.map((column) => column?.count ?? -1)
  if (counts.includes(-1)) return undefined
  return Array.from({ length: Math.max(...counts) }, (_row, i) =>
    columns.flatMap((column) => (column === undefined ? [] : [column.cell(i)])),
  )
}

interface UnnestedColumn {
  readonly count: number
  readonly cell: (index: number) => Expr
}

function columnOfUnnest(call: Expr): UnnestedColumn | undefined {
  const array = call.kind === 'FuncExpr' && call.function === UNNEST ? call.args[0] : undefined
  const constant = array?.kind === 'ArrayCoerceExpr' ? array.arg : array
  if (array === undefined || constant?.kind !== 'Const' || constant.isNull) return undefined
  const text = datumToText(constant.type, constant.bytes, constant.lengthBytes, constant.byValue)
  const parsed = text === undefined ? undefined : parseArrayText(text)
  const containerType = 'type' in array ? array.type : 0
  const elementType = findPgType(containerType)?.elementOid
  if (parsed?.kind !== 'elements' || elementType === undefined) return undefined
  const count = parsed.elements.length
  return {
    count,
    cell: (index) => (index < count ? elementAt(array, elementType, index) : nullOf(elementType)),
  }
}

/** `(array)[index]`, which is printed as the element itself (emit-subscript.ts). */
function elementAt(array: Expr, elementType: number, index: number): Expr {
  const containerType = 'type' in array ? array.type : 0
  return {
    kind: 'SubscriptingRef',
    containerType,
    elementType,
    type: elementType,
    upper: [int4Const(index + 1)],
    lower: [],
    arg: array,
    assignment: false,
  }
}

function nullOf(type: number): Const {
  return { ...int4Const(0), type, isNull: true, bytes: Buffer.alloc(0) }
}
