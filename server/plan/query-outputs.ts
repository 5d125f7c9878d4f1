import type { Expr, Query, TargetEntry } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { typeOf, typmodOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import type { OutputColumn } from './plan.ts'

/** The columns that come out of a query, in their order: those that only sort or group stay inside. */
export function outputsOf(query: Query): readonly TargetEntry[] {
  return query.targetList.filter((target) => !target.junk).sort((a, b) => a.resno - b.resno)
}

/** A column of what Spanner sends. */
export function outputColumn(expr: Expr): OutputColumn {
  return { typeOid: typeOf(expr), typmod: typmodOf(expr) }
}

/**
 * A column that goes to the client.
 *
 * @throws NotPushable for char without a length: Spanner stores it without its blanks, and nobody knows how many to put back.
 */
export function resultColumn(expr: Expr): OutputColumn {
  const column = outputColumn(expr)
  if (column.typeOid === OID.bpchar && column.typmod < 0 && expr.kind !== 'Const')
    throw new NotPushable('a result of type char without its length', {
      hint: 'Cast it to text.',
    })
  return column
}
