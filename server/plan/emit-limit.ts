import type { Expr } from '../sql/query-tree.ts'
import { isRowIndependent } from './computed-expressions.ts'
import type { Emission } from './emission.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import type { Scope } from './scope.ts'

const NO_LIMIT = '9223372036854775807'

/*
 * PostgreSQL:  OFFSET 20                       LIMIT $1 + 1
 * Spanner:     LIMIT 9223372036854775807 OFFSET 20      LIMIT $1      computed by the companion
 */
export function emitLimit(emission: Emission, scope: Scope): string {
  const limit = emitCount(emission, scope, scope.query.limitCount)
  const offset = emitCount(emission, scope, scope.query.limitOffset)
  if (limit === undefined && offset === undefined) return ''
  return ` LIMIT ${limit ?? NO_LIMIT}${offset === undefined ? '' : ` OFFSET ${offset}`}`
}

/** A literal or a parameter, which is all that Spanner takes; undefined where there is no bound. */
function emitCount(emission: Emission, scope: Scope, expr: Expr | undefined): string | undefined {
  if (expr === undefined || (expr.kind === 'Const' && expr.isNull)) return undefined
  if (!isRowIndependent(expr)) throw new NotPushable('LIMIT or OFFSET by a subquery')
  const mark = emission.params.mark()
  const sql = emission.expression(expr, { scope, isOnce: true })
  if (/^(\d+|\$\d+)$/.test(sql)) return sql
  emission.params.reset(mark)
  return emission.params.computed(emission.computed.add(expr), typeOf(expr))
}
