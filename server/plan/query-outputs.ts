import type { Expr, Query, TargetEntry } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { findStorage } from '../types/storage.ts'
import { typeOf, typmodOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import type { OutputColumn } from './plan.ts'
import { unstoredType } from './unstored-type.ts'

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
 * @throws NotPushable for char without a length and arrays of it: Spanner stores it without its blanks, and nobody knows how many
 * to put back. For types, too, that nothing is known of to print.
 */
export function resultColumn(expr: Expr): OutputColumn {
  const column = outputColumn(expr)
  if (findStorage(column.typeOid, column.typmod) === undefined)
    throw unstoredType('a result', column.typeOid)
  const isChar = column.typeOid === OID.bpchar || column.typeOid === OID.bpcharArray
  if (isChar && column.typmod < 0 && expr.kind !== 'Const')
    throw new NotPushable('a result of type char without its length', {
      hint: 'Cast it to text.',
    })
  return column
}
