import { typedLiteral } from '../sql/dialect-printers.ts'
import type { Expr } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { keepsOrder } from '../types/storage.ts'
import type { Emission, Place } from './emission.ts'
import { canFail } from './emit-bool.ts'
import { emitOperation, plainOperator } from './emit-call.ts'
import { floatsToGuard } from './emulator-guards.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import { operand } from './operand.ts'

type ExprOf<K extends Expr['kind']> = Extract<Expr, { readonly kind: K }>

/*
 * PostgreSQL:  CASE a WHEN 1 THEN 'x' END     the tree compares a with 1, by the operator that it chose
 * Spanner:     CASE WHEN a = 1 THEN 'x' END
 */
export function emitCase(emission: Emission, expr: ExprOf<'CaseExpr'>, place: Place): string {
  const inner = { ...place, noticesRange: false }
  const conditionPlace =
    expr.arg === undefined
      ? inner
      : { ...inner, caseTest: operand(emission.expression(expr.arg, inner)) }
  const whens = expr.whens.map((when) => {
    const condition = emission.expression(when.condition, conditionPlace)
    return ` WHEN ${condition} THEN ${emission.expression(when.result, place)}`
  })
  const otherwise =
    expr.defaultResult === undefined || isNull(expr.defaultResult)
      ? ''
      : ` ELSE ${emission.expression(expr.defaultResult, place)}`
  return `CASE${whens.join('')}${otherwise} END`
}

function isNull(expr: Expr): boolean {
  return expr.kind === 'Const' && expr.isNull
}

/** COALESCE: an argument that is taken is the value, so that its range is noticed where that of the whole is. */
export function emitCoalesce(
  emission: Emission,
  expr: ExprOf<'CoalesceExpr'>,
  place: Place,
): string {
  return `COALESCE(${expr.args.map((arg) => emission.expression(arg, place)).join(', ')})`
}

/** GREATEST and LEAST, which pass over NULLs in both. */
export function emitMinMax(emission: Emission, expr: ExprOf<'MinMaxExpr'>, place: Place): string {
  if (!keepsOrder(expr.type)) {
    throw new NotPushable(`${expr.op.toUpperCase()} of values that Spanner cannot order`)
  }
  const inner = { ...place, noticesRange: false }
  const args = expr.args.map((arg) => emission.expression(arg, inner))
  const isSafe = emission.context.capabilities.safeNumericKeysAndNullFloats
  if (!isSafe && expr.type === OID.numeric) return extremeOfNumerics(expr.op, args)
  return `${expr.op.toUpperCase()}(${args.join(', ')})`
}

const MOST_NUMERICS = 4

/*
 * PostgreSQL:  GREATEST(a, b)      of numerics
 * Emulator:    CASE WHEN a IS NULL THEN b WHEN b IS NULL OR a >= b THEN a ELSE b END
 */
function extremeOfNumerics(op: 'greatest' | 'least', args: readonly string[]): string {
  if (args.length > MOST_NUMERICS) throw new NotPushable(`${op.toUpperCase()} of many numerics`)
  const isFirst = op === 'greatest' ? '>=' : '<='
  return args.reduce((left, right) => {
    const [a, b] = [operand(left), operand(right)]
    return `CASE WHEN ${a} IS NULL THEN ${b} WHEN ${b} IS NULL OR ${a} ${isFirst} ${b} THEN ${a} ELSE ${b} END`
  })
}

/** Spanner's NULLIF does not take NaN for NaN, the emulator's takes no numerics at all. */
const NOT_BY_NULLIF = new Set<number>([OID.float4, OID.float8, OID.numeric])

/** NULLIF, by the equality that PostgreSQL chose. */
export function emitNullIf(emission: Emission, expr: ExprOf<'NullIfExpr'>, place: Place): string {
  const [left, right] = expr.args
  if (left === undefined || right === undefined) throw new NotPushable('NULLIF of one argument')
  const inner = { ...place, noticesRange: false }
  const isPlain = plainOperator(emission.context, expr.operator) === '='
  if (isPlain && typeOf(left) === typeOf(right) && !NOT_BY_NULLIF.has(typeOf(left))) {
    return `NULLIF(${emission.expression(left, inner)}, ${emission.expression(right, inner)})`
  }
  const value = emission.expression(left, inner)
  return `CASE WHEN ${emitOperation(emission, expr, inner)} THEN NULL ELSE ${value} END`
}

/*
 * PostgreSQL:  a IS DISTINCT FROM b
 * Spanner:     the same, where the backend has it; else
 *              CASE WHEN a IS NULL THEN b IS NOT NULL WHEN b IS NULL THEN true ELSE NOT (a = b) END
 */
export function emitDistinct(
  emission: Emission,
  expr: ExprOf<'DistinctExpr'>,
  place: Place,
): string {
  const inner = { ...place, noticesRange: false }
  const equal = emitOperation(emission, expr, inner)
  const [left, right] = expr.args.map((arg) => operand(emission.expression(arg, inner)))
  const isPlain = plainOperator(emission.context, expr.operator) === '='
  if (emission.context.capabilities.distinctFrom && isPlain) {
    return `${left} IS DISTINCT FROM ${right}`
  }
  const [a, b] = [typedLiteral(left ?? ''), typedLiteral(right ?? '')]
  return `CASE WHEN ${a} IS NULL THEN ${b} IS NOT NULL WHEN ${b} IS NULL THEN true ELSE NOT ${operand(equal)} END`
}

/** IS NULL and IS NOT NULL. Spanner wants to know the type even of a literal. */
export function emitNullTest(emission: Emission, expr: ExprOf<'NullTest'>, place: Place): string {
  if (expr.argIsRow) throw new NotPushable('IS NULL of a row', { location: expr.location })
  const sql = emission.expression(expr.arg, { ...place, noticesRange: false })
  return `${operand(typedLiteral(sql))} IS ${expr.isNull ? '' : 'NOT '}NULL`
}

/** IS TRUE, IS NOT FALSE, IS UNKNOWN ... */
export function emitBooleanTest(
  emission: Emission,
  expr: ExprOf<'BooleanTest'>,
  place: Place,
): string {
  const test = expr.test.replace('-', ' ').toUpperCase()
  return `${operand(emission.expression(expr.arg, place))} IS ${test}`
}

/*
 * PostgreSQL:  (a, b) < (1, 2)
 * Spanner:     a < 1 OR (a = 1 AND b < 2)
 *
 * NULLs come out alike: where a decides, b is not looked at; where a = 1 is NULL, so is the whole unless b makes it false. What fails for some
 * values waits for those before it: a < 1 OR CASE WHEN a = 1 THEN b < 2 ELSE a = 1 END
 */
export function emitRowCompare(
  emission: Emission,
  expr: ExprOf<'RowCompareExpr'>,
  place: Place,
): string {
  const strict = STRICT.get(expr.compareType)
  const last = LAST.get(expr.compareType)
  if (strict === undefined || last === undefined) throw new NotPushable('a comparison of rows')
  const inner = { ...place, noticesRange: false }
  const sides = expr.left.map((left, i) => {
    const right = expr.right[i]
    const operator = plainOperator(emission.context, expr.operators[i] ?? 0)
    const isDeadly = floatsToGuard(emission.context.capabilities, [left], ['']).length > 0
    if (right === undefined || operator !== last || isDeadly)
      throw new NotPushable('a comparison of rows of such types')
    return [operand(emission.expression(left, inner)), operand(emission.expression(right, inner))]
  })
  const mustWait = [...expr.left.slice(1), ...expr.right.slice(1)].some((each) =>
    canFail(emission.context, each),
  )
  return sides.reduceRight((rest, [left, right]) => {
    if (rest === '') return `${left} ${last} ${right}`
    const equal = `${left} = ${right}`
    return mustWait
      ? `${left} ${strict} ${right} OR CASE WHEN ${equal} THEN ${rest} ELSE ${equal} END`
      : `${left} ${strict} ${right} OR (${equal} AND ${operand(rest)})`
  }, '')
}

/** RowCompareType of nodes/primnodes.h: 1 <, 2 <=, 4 >=, 5 >. */
const STRICT = new Map([
  [1, '<'],
  [2, '<'],
  [4, '>'],
  [5, '>'],
])
const LAST = new Map([
  [1, '<'],
  [2, '<='],
  [4, '>='],
  [5, '>'],
])
