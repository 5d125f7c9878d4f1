import type { Expr } from '../sql/query-tree.ts'
import { isRowIndependent } from './computed-expressions.ts'
import type { Emission, EmitContext, Place } from './emission.ts'
import { ruleOf } from './emit-call.ts'
import { someExpr } from './expression-tree.ts'
import { asLengthCoercion } from './length-coercion.ts'
import { conjunct, operand } from './operand.ts'

type BoolExpr = Extract<Expr, { readonly kind: 'BoolExpr' }>

/*
 * PostgreSQL:  b <> 0 AND a / b > 1          looks at the second condition where the first one holds
 * Spanner:     b <> 0 AND CASE WHEN b <> 0 THEN a / b > 1 ELSE false END
 *
 * Spanner evaluates conditions in any order. Those that fail for some values (division, casts of texts) wait for the others;
 * the others stay as they are, so that keys are still found by them. Overflow of + - * is not waited for.
 */

/** AND, OR, NOT. */
export function emitBool(emission: Emission, expr: BoolExpr, place: Place): string {
  if (expr.op === 'not') {
    const [arg] = expr.args.map((each) => emission.expression(each, place))
    return `NOT ${operand(arg ?? '')}`
  }
  const { op } = expr
  const joins = op === 'and' ? ' AND ' : ' OR '
  const print = (arg: Expr) => conjunct(emission.expression(arg, place))
  const failing = expr.args.filter((arg) => canFail(emission.context, arg))
  const safe = expr.args.filter((arg) => !failing.includes(arg)).map(print)
  if (failing.length === 0) return safe.join(joins)
  const isFilter = place.isFilter === true
  const guarded = failing.map(print).reduceRight((rest, each) => {
    // Of two that may fail, the second waits for the first where NULL and false are one.
    return isFilter ? wait([each], rest, op, true) : `${conjunct(each)}${joins}${rest}`
  })
  if (safe.length === 0) return guarded
  return [...safe, wait(safe, guarded, op, isFilter)].join(joins)
}

/** A condition that is not looked at where those before it have decided. */
function wait(
  before: readonly string[],
  condition: string,
  op: 'and' | 'or',
  isFilter: boolean,
): string {
  if (op === 'or') return `CASE WHEN ${before.join(' OR ')} THEN true ELSE ${condition} END`
  const all = before.join(' AND ')
  return isFilter
    ? `CASE WHEN ${all} THEN ${condition} ELSE false END`
    : `CASE WHEN (${all}) IS FALSE THEN false ELSE ${condition} END`
}

/** Whether an expression has a part that fails for some rows. */
export function canFail(context: EmitContext, expr: Expr): boolean {
  return someExpr(
    expr,
    (part) =>
      (ruleOf(context.dialect, part)?.canFail === true || isRounding(part)) &&
      !isRowIndependent(part),
  )
}

/** A cast to numeric(p, s), which too many digits fail. */
function isRounding(expr: Expr): boolean {
  return expr.kind === 'FuncExpr' && asLengthCoercion(expr)?.to === 'numeric'
}
