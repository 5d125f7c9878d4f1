import type { Printer } from './dialect.ts'
import { form } from './dialect-printers.ts'

/** A type of floats, and a number near its greatest: ten times this is too much. */
interface Float {
  readonly type: string
  readonly great: string
}

export const DOUBLE: Float = { type: 'double precision', great: '1e308' }
export const REAL: Float = { type: 'real', great: '3e38' }

/*
 * PostgreSQL:  a * b   22003 where the product of two numbers is too small to be told from 0, NaN / 0 is NaN
 * Spanner:     a * b   0 there, 22012
 */
export function product(a: string, b: string, float: Float): Printer {
  return form(
    `CASE WHEN ${a} * ${b} = 0 AND ${a} <> 0 AND ${b} <> 0 THEN ${outOfRange(`${a} * ${b}`, float)} ELSE ${a} * ${b} END`,
  )
}

/** `a / b` with the same care. */
export function quotient(a: string, b: string, float: Float): Printer {
  const nan = `WHEN ${b} = 0 AND ${a} = 'NaN'::${float.type} THEN ${a}`
  const tooSmall = `WHEN ${a} / ${b} = 0 AND ${a} <> 0 AND abs(${b}) <> 'Infinity'::${float.type}`
  return form(
    `CASE ${nan} ${tooSmall} THEN ${outOfRange(`${a} / ${b}`, float)} ELSE ${a} / ${b} END`,
  )
}

/**
 * Fails with 22003 for any number; it holds the number so that nobody computes it beforehand. That takes all operands: PostgreSQL computes
 * what has constants and parameters alone while it plans, in branches that are never taken, too.
 */
function outOfRange(number: string, { type, great }: Float): string {
  return `(${number} * '0'::${type} + '${great}'::${type}) * '10'::${type}`
}

/*
 * PostgreSQL:  round(2.5) is 2, as are 2.5::integer and rint(2.5) of C: halves go to the even number
 * Spanner:     round(2.5) is 3
 */
export function halfEven(a: string): string {
  return `CASE WHEN abs(${a} - trunc(${a})) = 0.5::float8 THEN round(${a} / 2::float8) * 2::float8 ELSE round(${a}) END`
}

/*
 * PostgreSQL:  a::real of a number too small for real: 22003
 * Spanner:     a::real                                 0
 */
export const toReal: Printer = form(
  `CASE WHEN $1::real = 0 AND $1 <> 0 THEN (${outOfRange('$1', DOUBLE)})::real ELSE $1::real END`,
)
