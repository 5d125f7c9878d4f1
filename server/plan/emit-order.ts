import { findOperatorName } from '../sql/builtin-catalog.ts'
import type { Expr, SortGroupClause } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import type { Emission } from './emission.ts'
import { plainOperator } from './emit-call.ts'
import { isFloat, safeSortKeys } from './emulator-guards.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'

/** What one sort clause sorts by: the expression, and the SQL of its value (an output column's number included). */
export interface SortValue {
  readonly expr: Expr
  readonly sql: string
}

/** The keys of one ORDER BY item, with direction; several where the backend needs the value taken apart. */
export function emitSortKey(
  emission: Emission,
  clause: SortGroupClause,
  value: SortValue,
): readonly string[] {
  const direction = directionOf(emission, clause, value.expr)
  if (!mustTakeApart(emission, value.expr)) {
    return [`${value.sql}${direction.isDescending ? ' DESC' : ''}${nullsOf(clause, direction)}`]
  }
  const [isNull, ...rest] = safeSortKeys(value.sql, typeOf(value.expr))
  const suffix = direction.isDescending ? ' DESC' : ''
  return [`${isNull}${clause.nullsFirst ? ' DESC' : ''}`, ...rest.map((key) => `${key}${suffix}`)]
}

/** Whether the backend dies of values of this type as a sort key. */
export function mustTakeApart(emission: Emission, expr: Expr): boolean {
  const type = typeOf(expr)
  const isDeadly = type === OID.numeric || isFloat(type)
  return isDeadly && !emission.context.capabilities.safeNumericKeysAndNullFloats
}

interface Direction {
  readonly isDescending: boolean
}

/** The order must be the one that Spanner has for the type, which is so where its `<` is PostgreSQL's. */
function directionOf(emission: Emission, clause: SortGroupClause, expr: Expr): Direction {
  const name = findOperatorName(clause.sortOperator)
  const operator = plainOperator(emission.context, clause.sortOperator)
  if (operator !== undefined && operator === name && (name === '<' || name === '>')) {
    return { isDescending: name === '>' }
  }
  throw new NotPushable('a sort order that Spanner does not have', {
    location: 'location' in expr ? expr.location : undefined,
  })
}

/** Both have NULLs last in ascending order and first in descending order. */
function nullsOf(clause: SortGroupClause, direction: Direction): string {
  if (clause.nullsFirst === direction.isDescending) return ''
  return clause.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST'
}

/** Refuses a key of GROUP BY or DISTINCT whose equality is not Spanner's own. */
export function refuseForeignEquality(
  emission: Emission,
  clause: SortGroupClause,
  expr: Expr,
): void {
  if (plainOperator(emission.context, clause.equalityOperator) === '=') return
  throw new NotPushable('grouping by values that Spanner cannot compare', {
    location: 'location' in expr ? expr.location : undefined,
  })
}
