import type { Capabilities } from '../backend/capabilities.ts'
import type { Expr } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import { typeOf } from './expression-type.ts'
import { operand } from './operand.ts'

/*
 * The official emulator's process dies of SQL that production runs: of NULL in comparisons of floats and in some functions, and
 * of numeric as a sort or group key. A backend whose capability `safeNumericKeysAndNullFloats` is off gets these forms instead,
 * which mean the same.
 */

/** Whether a value of the type kills the emulator in a comparison where it is NULL. */
export function isFloat(typeOid: number): boolean {
  return typeOid === OID.float4 || typeOid === OID.float8
}

/** `CASE WHEN x IS NULL THEN NULL ELSE call END`: the call never sees a NULL in these arguments. */
export function guardNulls(call: string, args: readonly string[]): string {
  if (args.length === 0) return call
  const different = [...new Set(args)]
  return `CASE WHEN ${different.map((arg) => `${operand(arg)} IS NULL`).join(' OR ')} THEN NULL ELSE ${call} END`
}

/** now() and transaction_timestamp(). */
const TRANSACTION_START = new Set([1299, 2647])

/** Whether an argument can be NULL at all. */
export function canBeNull(expr: Expr): boolean {
  if (expr.kind === 'Const') return expr.isNull
  if (expr.kind === 'CoalesceExpr') return expr.args.every(canBeNull)
  if (expr.kind === 'RelabelType') return canBeNull(expr.arg)
  if (expr.kind === 'SQLValueFunction') return false
  if (expr.kind !== 'FuncExpr') return true
  if (TRANSACTION_START.has(expr.function)) return false
  if (isCast(expr.format)) return expr.args.some(canBeNull)
  return true
}

/** CoercionForm: an explicit or an implicit cast; the functions behind both are strict and give a value for each value. */
function isCast(format: number): boolean {
  return format === 1 || format === 2
}

/** The arguments of a comparison that kill the emulator where they are NULL, as SQL. */
export function floatsToGuard(
  capabilities: Capabilities,
  exprs: readonly Expr[],
  args: readonly string[],
): readonly string[] {
  if (capabilities.safeNumericKeysAndNullFloats) return []
  return args.filter((_arg, i) => {
    const expr = exprs[i]
    return expr !== undefined && isFloat(typeOf(expr)) && canBeNull(expr)
  })
}

/**
 * Sort keys that order as the one given does. Floats: NULLs apart, then the values. Numerics: by the nearest double, then by
 * what is left of the number behind it.
 */
export function safeSortKeys(sql: string, typeOid: number): readonly string[] {
  const value = operand(sql)
  // A cast of NULL is NULL; the emulator dies of asking a cast from text to numeric.
  const isNull = `CASE WHEN ${value.replace(/(::\w+)+$/, '')} IS NULL THEN 1 ELSE 0 END`
  if (isFloat(typeOid)) return [isNull, `COALESCE(${value}, 0)`]
  const near = `${value}::float8`
  const rest = `(${value} - ${near}::numeric)::float8`
  return [isNull, `COALESCE(${near}, 0)`, `COALESCE(${rest}, 0)`]
}

/** A text that is equal where the numbers are: without the zeros at the end of the fraction. */
export function numericKeyText(sql: string): string {
  const text = `${operand(sql)}::text`
  return `CASE WHEN ${text} LIKE '%.%' THEN rtrim(rtrim(${text}, '0'), '.') ELSE ${text} END`
}
