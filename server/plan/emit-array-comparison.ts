import type { Expr } from '../sql/query-tree.ts'
import { findPgType, OID } from '../types/pg-type.ts'
import type { Emission, Place } from './emission.ts'
import { emitOperation, type Operation, plainOperator, refuseOperator } from './emit-call.ts'
import { elementsOf } from './emit-cast.ts'
import { floatsToGuard, guardNulls } from './emulator-guards.ts'
import { typeOf } from './expression-type.ts'
import { MAX_IN_VALUES, tooManyInValues } from './limits.ts'
import { conjunct, operand } from './operand.ts'

type ArrayComparison = Extract<Expr, { readonly kind: 'ScalarArrayOpExpr' }>

/*
 * PostgreSQL:  a = ANY (ARRAY[1, 2])  which is also  a IN (1, 2)        a <> ALL (ARRAY[1, 2])  or  a NOT IN (1, 2)
 * Spanner:     a IN (1, 2)                                             a NOT IN (1, 2)
 *
 * PostgreSQL:  a = ANY ($1)        a > ALL ($1)          Spanner has both; of ANY it has no operator but `=`
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
  return isInList(emission, comparison, scalar)
    ? inList(emission, comparison, elements, inner)
    : expanded(emission, comparison, elements, inner)
}

/** Whether IN says the same. The emulator has no IN for numeric. */
function isInList(emission: Emission, comparison: ArrayComparison, scalar: Expr): boolean {
  const { capabilities } = emission.context
  if (typeOf(scalar) === OID.numeric && !capabilities.safeNumericKeysAndNullFloats) return false
  const operator = plainOperator(emission.context, comparison.operator)
  return operator === (comparison.useOr ? '=' : '<>')
}

function inList(
  emission: Emission,
  comparison: ArrayComparison,
  elements: readonly string[],
  place: Place,
): string {
  const scalars = comparison.args.slice(0, 1)
  const left = scalars.map((scalar) => operand(emission.expression(scalar, place)))
  const sql = `${left.join('')} ${comparison.useOr ? 'IN' : 'NOT IN'} (${elements.join(', ')})`
  return guardNulls(sql, floatsToGuard(emission.context.capabilities, scalars, left))
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

/*
 * PostgreSQL:  a <> ALL (NULL::bigint[])       NULL
 * Spanner:     true, and false of = ANY: which is as good as NULL where only the truth of a condition counts
 */

/** An array that only the execution knows. */
function withArray(emission: Emission, comparison: ArrayComparison, place: Place): string {
  const operator = plainOperator(emission.context, comparison.operator)
  const isPossible = operator !== undefined && (comparison.useOr ? operator === '=' : true)
  if (!isPossible) throw refuseOperator(comparison)
  const [left, array] = comparison.args.map((arg) => operand(emission.expression(arg, place)))
  const sql = `${left} ${operator} ${comparison.useOr ? 'ANY' : 'ALL'} (${array})`
  const guards = floatsToGuard(emission.context.capabilities, comparison.args, [left ?? ''])
  const isTold = comparison.useOr && place.isFilter === true
  return guardNulls(sql, isTold ? guards : [...guards, array ?? ''])
}
