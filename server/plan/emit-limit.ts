import { isRowIndependent } from './computed-expressions.ts'
import type { Emission } from './emission.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import type { RowCountClause } from './plan.ts'
import type { Scope } from './scope.ts'

const NO_LIMIT = '9223372036854775807'

/*
 * PostgreSQL:  OFFSET 20                       LIMIT $1 + 1
 * Spanner:     LIMIT 9223372036854775807 OFFSET 20      LIMIT $1      computed by the companion
 *
 * A parameter that is NULL, which Spanner refuses, or negative, is dealt with where it is bound (session/row-counts.ts).
 */
export function emitLimit(emission: Emission, scope: Scope): string {
  const limit = emitCount(emission, scope, 'LIMIT')
  const offset = emitCount(emission, scope, 'OFFSET')
  if (limit === undefined && offset === undefined) return ''
  return ` LIMIT ${limit ?? NO_LIMIT}${offset === undefined ? '' : ` OFFSET ${offset}`}`
}

/** A literal or a parameter, which is all that Spanner takes; undefined where there is no bound. */
function emitCount(emission: Emission, scope: Scope, clause: RowCountClause): string | undefined {
  const { limitCount, limitOffset } = scope.query
  const expr = clause === 'LIMIT' ? limitCount : limitOffset
  if (expr === undefined || (expr.kind === 'Const' && expr.isNull)) return undefined
  if (!isRowIndependent(expr)) throw new NotPushable('LIMIT or OFFSET by a subquery')
  const { params, computed } = emission
  const mark = params.mark()
  const sql = emission.expression(expr, { scope, isOnce: true })
  if (/^\d+$/.test(sql)) return sql
  if (/^\$\d+$/.test(sql)) return params.countingRows(sql, clause, mark)
  params.reset(mark)
  return params.countingRows(params.computed(computed.add(expr), typeOf(expr)), clause, mark)
}
