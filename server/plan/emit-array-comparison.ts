import type { Expr } from '../sql/query-tree.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import { isRowIndependent, isVolatile } from './computed-expressions.ts'
import type { Emission, Place } from './emission.ts'
import { emitOperation, type Operation, plainOperator, refuseOperator } from './emit-call.ts'
import { elementsOf } from './emit-cast.ts'
import { canBeNull, floatsToGuard, guardNulls, isFloat } from './emulator-guards.ts'
import { someExpr } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import { MAX_IN_VALUES, tooManyInValues } from './limits.ts'
import { conjunct, operand } from './operand.ts'

type ArrayComparison = Extract<Expr, { readonly kind: 'ScalarArrayOpExpr' }>

/*
 * PostgreSQL:  a = ANY (ARRAY[1, 2])  which is also  a IN (1, 2)        a <> ALL (ARRAY[1, 2])  or  a NOT IN (1, 2)
 * Spanner:     a IN (1, 2)                                             a NOT IN (1, 2)
 *
 * PostgreSQL:  a = ANY ($1)        a <> ALL ($1)
 * Spanner:     the same, where the array is a parameter or a column and holds no floats; no other operator but `= ALL`, which is NULL there
 *              wherever an element is
 * PostgreSQL:  a LIKE ANY (ARRAY['x%', 'y%'])            Spanner:  a LIKE 'x%' OR a LIKE 'y%'
 */

/** A comparison with each element of an array. */
export function emitArrayComparison(
  emission: Emission,
  comparison: ArrayComparison,
  place: Place,
): string {
  const [scalar, array] = comparison.args
  if (scalar === undefined || array === undefined) throw refuseOperator(comparison)
  const inner = { ...place, noticesRange: false }
  const elements = elementsOf(emission, array, inner)
  if (elements === undefined) return withArray(emission, comparison, inner)
  if (elements.length > MAX_IN_VALUES) throw tooManyInValues(elements.length)
  if (elements.length === 0) return comparison.useOr ? 'false' : 'true'
  return isInList(emission, comparison, elements)
    ? inList(emission, comparison, elements, inner)
    : expanded(emission, comparison, elements, inner)
}

/** Whether IN says the same. The emulator has no IN for numeric, and dies of NULL in one of floats. */
function isInList(
  emission: Emission,
  comparison: ArrayComparison,
  elements: readonly string[],
): boolean {
  const { capabilities } = emission.context
  const [scalar] = comparison.args
  const type = scalar === undefined ? 0 : typeOf(scalar)
  if (!capabilities.safeNumericKeysAndNullFloats) {
    if (type === OID.numeric || (isFloat(type) && holdsNull(comparison, elements))) return false
  }
  const operator = plainOperator(emission.context, comparison.operator)
  return operator === (comparison.useOr ? '=' : '<>')
}

/** Whether an element can be NULL. */
function holdsNull({ args }: ArrayComparison, elements: readonly string[]): boolean {
  const [, array] = args
  return array?.kind === 'ArrayExpr'
    ? array.elements.some(canBeNull)
    : elements.some((element) => element.includes('NULL'))
}

function inList(
  emission: Emission,
  comparison: ArrayComparison,
  elements: readonly string[],
  place: Place,
): string {
  const scalars = comparison.args.slice(0, 1)
  const left = scalars.map((scalar) => asText(operand(emission.expression(scalar, place))))
  const sql = `${left.join('')} ${comparison.useOr ? 'IN' : 'NOT IN'} (${elements.join(', ')})`
  return guardNulls(sql, floatsToGuard(emission.context.capabilities, scalars, left))
}

/** The emulator has no IN for a varchar(n) beside texts. */
function asText(sql: string): string {
  return /::character varying\(\d+\)$/.test(sql) ? `${sql}::text` : sql
}

/** One comparison an element, joined by OR or AND. */
function expanded(
  emission: Emission,
  comparison: ArrayComparison,
  elements: readonly string[],
  place: Place,
): string {
  const [scalar, array] = comparison.args
  if (scalar === undefined || array === undefined) throw refuseOperator(comparison)
  const type = findPgType(typeOf(array))?.elementOid ?? 0
  const element: Expr = { kind: 'CaseTestExpr', type, typmod: -1 }
  const operation: Operation = { ...comparison, args: [scalar, element] }
  return elements
    .map((caseTest) => conjunct(emitOperation(emission, operation, { ...place, caseTest })))
    .join(comparison.useOr ? ' OR ' : ' AND ')
}

/** An array that only the execution knows. */
function withArray(emission: Emission, comparison: ArrayComparison, place: Place): string {
  const [scalar, array] = comparison.args
  if (scalar === undefined || array === undefined) throw refuseOperator(comparison)
  const link = asSubLink(comparison, scalar, array)
  if (link !== undefined) return emission.expression(link, place)
  const sql = operand(arraySql(emission, array, place))
  return isPlainArray(emission, comparison, array, sql)
    ? withPlainArray(emission, comparison, sql, place)
    : withUnnested(emission, comparison, sql, place)
}

/** What the rows have no part in is a parameter. */
function arraySql(emission: Emission, array: Expr, place: Place): string {
  const isMade = isRowIndependent(array) && !isVolatile(array) && !isParameter(array)
  return isMade
    ? emission.params.computed(emission.computed.add(array), typeOf(array))
    : emission.expression(array, place)
}

function isParameter(array: Expr): boolean {
  return array.kind === 'RelabelType' ? isParameter(array.arg) : array.kind === 'Param'
}

/** `a = ANY (ARRAY(SELECT ..))` is `a = ANY (SELECT ..)`. */
function asSubLink(comparison: ArrayComparison, scalar: Expr, array: Expr): Expr | undefined {
  if (array.kind !== 'SubLink' || array.linkType !== 'array') return undefined
  const type = findPgType(typeOf(array))?.elementOid ?? 0
  const element: Expr = {
    kind: 'Param',
    paramKind: 'sublink',
    number: 1,
    type,
    typmod: -1,
    location: array.location,
  }
  return {
    ...array,
    linkType: comparison.useOr ? 'any' : 'all',
    test: { ...comparison, kind: 'OpExpr', function: 0, type: OID.bool, args: [scalar, element] },
  }
}

/** Whether Spanner has the comparison as it is. */
function isPlainArray(
  { context }: Emission,
  { operator, useOr }: ArrayComparison,
  array: Expr,
  sql: string,
): boolean {
  const symbol = plainOperator(context, operator)
  if (symbol !== (useOr ? '=' : '<>')) return false
  const element = findPgType(typeOf(array))?.elementOid ?? 0
  if (isFloat(element)) return false
  if (element === OID.numeric && !context.capabilities.safeNumericKeysAndNullFloats) return false
  return /^(?:\$\d+|\w+\.(?:\w+|"(?:[^"]|"")+"))(?:::[a-z ]+\[\])?$/.test(sql)
}

/*
 * PostgreSQL:  a <> ALL (NULL::bigint[])       NULL
 * Spanner:     true, and false of = ANY: which is as good as NULL where only the truth of a condition counts
 */
function withPlainArray(
  emission: Emission,
  comparison: ArrayComparison,
  array: string,
  place: Place,
): string {
  const scalars = comparison.args.slice(0, 1)
  const left = scalars.map((scalar) => operand(emission.expression(scalar, place))).join('')
  const sql = `${left} ${comparison.useOr ? '= ANY' : '<> ALL'} (${array})`
  return comparison.useOr && place.isFilter === true ? sql : guardNulls(sql, [array])
}

/*
 * PostgreSQL:  a > ANY (b)
 * Spanner:     CASE WHEN b IS NULL THEN NULL WHEN EXISTS (SELECT 1 FROM unnest(b) AS t2(c1) WHERE a > t2.c1) THEN true
 *                   WHEN EXISTS (.. WHERE (a > t2.c1) IS NULL) THEN NULL ELSE false END
 *
 * As a filter, where NULL is as good as false: EXISTS (.. WHERE a > t2.c1)
 */
function withUnnested(
  emission: Emission,
  comparison: ArrayComparison,
  array: string,
  place: Place,
): string {
  const [scalar, arrayExpr] = comparison.args
  if (scalar === undefined || arrayExpr === undefined || comparison.args.some(holdsAggregate))
    throw refuseOperator(comparison)
  const alias = emission.newAlias()
  const type = findPgType(typeOf(arrayExpr))?.elementOid ?? 0
  const element: Expr = { kind: 'CaseTestExpr', type, typmod: -1 }
  const operation: Operation = { ...comparison, args: [scalar, element] }
  const condition = emitOperation(emission, operation, { ...place, caseTest: `${alias}.c1` })
  return quantified({
    array,
    isAny: comparison.useOr,
    condition,
    exists: (where) => `EXISTS (SELECT 1 FROM unnest(${array}) AS ${alias}(c1) WHERE ${where})`,
    isFilter: place.isFilter === true,
  })
}

/** An aggregate in a subquery would be the subquery's own. */
function holdsAggregate(expr: Expr): boolean {
  return someExpr(expr, (part) => part.kind === 'Aggref')
}

interface Quantified {
  readonly array: string
  readonly isAny: boolean
  readonly condition: string
  readonly exists: (where: string) => string
  readonly isFilter: boolean
}

function quantified({ array, isAny, condition, exists, isFilter }: Quantified): string {
  if (isFilter) {
    return isAny
      ? exists(condition)
      : `${array} IS NOT NULL AND NOT ${exists(`${operand(condition)} IS NOT TRUE`)}`
  }
  const decided = exists(isAny ? condition : `${operand(condition)} IS FALSE`)
  const unknown = exists(`${operand(condition)} IS NULL`)
  return `CASE WHEN ${array} IS NULL THEN NULL WHEN ${decided} THEN ${isAny} WHEN ${unknown} THEN NULL ELSE ${!isAny} END`
}
