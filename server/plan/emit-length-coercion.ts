import type { Expr } from '../sql/query-tree.ts'
import { datumToText } from '../types/datum.ts'
import { OID } from '../types/pg-type.ts'
import type { Emission, Place } from './emission.ts'
import type { LengthCoercion } from './length-coercion.ts'
import { NotPushable } from './not-pushable.ts'
import { operand } from './operand.ts'

/** VARHDRSZ: what the modifier of varchar(n) and char(n) is more than n. */
const HEADER_BYTES = 4
/** MAX_TIMESTAMP_PRECISION of datatype/timestamp.h: microseconds, as Spanner keeps them. */
const FULL_PRECISION = 6

/*
 * PostgreSQL:  varchar(x, 34, false)   x assigned to varchar(30)      x::varchar(30)   written by the client
 * Spanner:     x                       the column refuses more        x::character varying(30)   cuts
 *
 * PostgreSQL:  bpchar(x, 9, false)     x assigned to char(5)          x::char(5)
 * Spanner:     rtrim(x, ' ')           stored without its blanks      rtrim(x::character varying(5), ' ')
 *
 * PostgreSQL:  numeric(x, 655366)      x assigned or cast to numeric(10,2)
 * Spanner:     x::numeric(10, 2)       rounds, and fails past ten digits
 *
 * PostgreSQL:  timestamp(x, 6)         Spanner: x
 */
export function emitLengthCoercion(
  emission: Emission,
  coercion: LengthCoercion,
  place: Place,
): string {
  refuseUnfit(coercion)
  const value = () => emission.expression(coercion.arg, { ...place, noticesRange: false })
  switch (coercion.to) {
    case 'varchar':
      return cutTo(value(), coercion)
    case 'char': {
      const arg = textBehind(coercion.arg)
      const text = emission.expression(arg, { ...place, noticesRange: false })
      return withoutBlanks(cutTo(text, coercion), arg)
    }
    case 'numeric':
      if (coercion.typmod < HEADER_BYTES) return value()
      emission.saysLess = true
      return roundTo(value(), coercion.typmod)
    case 'timestamp':
      if (coercion.typmod >= FULL_PRECISION || coercion.typmod < 0) return value()
      throw new NotPushable(`rounding to timestamp(${coercion.typmod})`)
    case 'other':
      throw new NotPushable('a cast to a length or precision that Spanner does not have')
  }
}

/**
 * A constant that does not fit is left to the companion, which cuts blanks that are too many for a varchar(n), or fails with PostgreSQL's
 * words: Spanner's do not tell the type, or the precision. @throws NotPushable
 */
function refuseUnfit(coercion: LengthCoercion): void {
  const text = constantText(coercion.arg)
  if (text === undefined || coercion.typmod < HEADER_BYTES || fits(text, coercion)) return
  throw new NotPushable('a constant that its type cannot hold')
}

function fits(text: string, { to, typmod, isExplicit }: LengthCoercion): boolean {
  if (to === 'char' || to === 'varchar') {
    const kept = to === 'char' ? text.replace(/ +$/, '') : text
    return isExplicit || [...kept].length <= typmod - HEADER_BYTES
  }
  const digits = /^-?(\d+)(?:\.(\d+))?$/.exec(text)
  if (to !== 'numeric' || digits === null) return true
  const { precision, scale } = numericModifier(typmod)
  if (scale < 0) return true
  const [, whole = '', fraction = ''] = digits
  const kept = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
  const rounded = (fraction[scale] ?? '0') >= '5' ? kept + 1n : kept
  return rounded < 10n ** BigInt(precision)
}

/** The text of a constant, also of one that was cast to a text or from an integer. */
function constantText(expr: Expr): string | undefined {
  if (expr.kind === 'RelabelType') return constantText(expr.arg)
  if (expr.kind === 'FuncExpr' && INTEGERS_TO_NUMERIC.has(expr.function)) {
    return expr.args[0] === undefined ? undefined : constantText(expr.args[0])
  }
  if (expr.kind !== 'Const' || expr.isNull) return undefined
  return datumToText(expr.type, expr.bytes, expr.lengthBytes, expr.byValue)
}

/** numeric(bigint), numeric(integer), numeric(smallint). */
const INTEGERS_TO_NUMERIC = new Set([1781, 1740, 1782])

/** A text on its way to char(n) loses its blanks once, at the end of it. */
function textBehind(expr: Expr): Expr {
  return expr.kind === 'RelabelType' ? expr.arg : expr
}

function cutTo(value: string, coercion: LengthCoercion): string {
  if (!coercion.isExplicit || coercion.typmod < HEADER_BYTES) return value
  return `${operand(value)}::character varying(${coercion.typmod - HEADER_BYTES})`
}

/** A value that becomes char(n): constants and parameters of that type have no blanks at their end already. */
export function withoutBlanks(sql: string, expr: Expr): string {
  const isStored = expr.kind === 'Const' || expr.kind === 'Param' || expr.kind === 'Var'
  return isStored && expr.type === OID.bpchar && !sql.includes('::') ? sql : `rtrim(${sql}, ' ')`
}

/** numeric_typmod_precision and numeric_typmod_scale of utils/adt/numeric.c; the scale has eleven bits and a sign. */
function numericModifier(typmod: number): { precision: number; scale: number } {
  const bits = typmod - HEADER_BYTES
  return { precision: (bits >> 16) & 0xffff, scale: ((bits & 0x7ff) ^ 1024) - 1024 }
}

function roundTo(value: string, typmod: number): string {
  const { precision, scale } = numericModifier(typmod)
  if (scale < 0 || scale > precision) {
    throw new NotPushable(`numeric(${precision},${scale}), whose scale is outside its precision`)
  }
  return `${operand(value)}::numeric(${precision},${scale})`
}
