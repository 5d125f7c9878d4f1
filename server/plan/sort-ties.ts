import { quotePhysical } from '../schema/logical-schema.ts'
import type { Expr } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import type { Emission, SelectOptions } from './emission.ts'
import { declaredKeys } from './emit-grouping.ts'
import { mustFindTable } from './emit-var.ts'
import { isFloat, safeSortKeys } from './emulator-guards.ts'
import { isSameExpr } from './expression-tree.ts'
import { typeOf } from './expression-type.ts'
import { itemsOf } from './item-conditions.ts'
import { NotPushable } from './not-pushable.ts'
import { outputsOf } from './query-outputs.ts'
import type { Scope } from './scope.ts'
import { keyOf } from './unique-keys.ts'

/*
 * PostgreSQL:  SELECT kind, price FROM t ORDER BY kind
 * Spanner:     the same; the emulator tells rows that ORDER BY leaves equal by their columns, and dies of a numeric among them:
 *              .. ORDER BY 1, t1."id"
 */

/**
 * Sort keys that tell any two rows apart, where the backend dies of rows that are equal; none elsewhere.
 *
 * @throws NotPushable where the rows have no such keys.
 */
export function tieBreakersOf(
  emission: Emission,
  scope: Scope,
  options: SelectOptions,
): readonly string[] {
  const { query } = scope
  if (emission.context.capabilities.safeNumericKeysAndNullFloats) return []
  const types = [
    ...outputsOf(query).map(({ expr }) => typeOf(expr)),
    ...(options.columnTypes ?? []),
  ]
  if (!types.includes(OID.numeric)) return []
  if (query.setOperations !== undefined)
    throw new NotPushable('ORDER BY of a set operation with numbers with a fraction')
  if (query.groupClause.length > 0) return keysOfGroups(emission, scope)
  if (query.hasAggregates) return []
  return query.from.flatMap((node) =>
    [...itemsOf(node)].flatMap((item) => keysOfItem(emission, scope, item)),
  )
}

function keysOfGroups(emission: Emission, scope: Scope): readonly string[] {
  return declaredKeys(emission, scope.query).flatMap((key) => {
    if (isSortedBy(scope, (expr) => isSameExpr(expr, key))) return []
    const sql = emission.expression(key, { scope })
    return isFloat(typeOf(key)) ? safeSortKeys(sql, typeOf(key)) : [sql]
  })
}

function keysOfItem(emission: Emission, scope: Scope, item: number): readonly string[] {
  const entry = scope.entry(item)
  const key = entry.kind === 'relation' ? keyOf(mustFindTable(emission, entry)) : []
  if (key.length === 0)
    throw new NotPushable('ORDER BY that leaves rows with numbers with a fraction equal')
  return key
    .filter(({ attribute }) => !isSortedBy(scope, (expr) => isColumn(expr, item, attribute)))
    .map(({ physical }) => `${scope.alias(item)}.${quotePhysical(physical.name)}`)
}

function isColumn(expr: Expr, item: number, attribute: number): boolean {
  return (
    expr.kind === 'Var' &&
    expr.levelsUp === 0 &&
    expr.rtindex === item &&
    expr.attribute === attribute
  )
}

/** Whether ORDER BY has such an expression already. */
function isSortedBy({ query }: Scope, isMeant: (expr: Expr) => boolean): boolean {
  return query.targetList.some(
    (target) =>
      isMeant(target.expr) &&
      query.sortClause.some((clause) => clause.targetRef === target.sortGroupRef),
  )
}
