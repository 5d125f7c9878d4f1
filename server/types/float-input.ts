import { ratioOf } from './float-text.ts'

const DECIMAL = /^[+-]?(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?$/

/**
 * float8in for plain decimals and the canonical names of the other three. Undefined where PostgreSQL is to be asked: other
 * spellings, and numbers that a double cannot hold.
 */
export function parseFloat8(text: string): number | undefined {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text)
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const value = Number(text)
  return fits(value, match) ? value : undefined
}

/** float4in, rounded once: the nearest float4 of the decimal, not of the double in between. */
export function parseFloat4(text: string): number | undefined {
  const double = parseFloat8(text)
  if (double === undefined || !Number.isFinite(double)) return double
  const match = DECIMAL.exec(text)
  const single = Math.fround(double)
  if (match === null || !fits(single, match)) return undefined
  return isMidpoint(double, single) ? roundExactly(match, double) : single
}

/** Neither too large nor, where a digit is not 0, too small. */
function fits(value: number, match: RegExpExecArray): boolean {
  const mantissa = `${match[1] ?? ''}${match[2] ?? ''}${match[3] ?? ''}`
  return Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(mantissa))
}

/** Whether a double lies halfway between two float4. */
function isMidpoint(double: number, single: number): boolean {
  const mirrored = double + (double - single)
  return double !== single && Math.fround(mirrored) === mirrored
}

/** `double` is halfway between two float4, but the decimal that it stands for may lie above or below it. */
function roundExactly(match: RegExpExecArray, double: number): number {
  const even = Math.fround(double)
  const odd = double + (double - even)
  const fraction = match[2] ?? match[3] ?? ''
  const digits = BigInt(`${match[1] ?? ''}${fraction}`)
  const order = compareWithRatio(digits, Number(match[4] ?? '0') - fraction.length, double)
  if (order === 0) return even
  const isEvenLarger = Math.abs(even) > Math.abs(odd)
  return order > 0 === isEvenLarger ? even : odd
}

/** The sign of |digits * 10^scale| - |value|, exactly. */
function compareWithRatio(digits: bigint, scale: number, value: number): number {
  const { numerator, denominator } = ratioOf(Math.abs(value))
  const left = digits * denominator * 10n ** BigInt(Math.max(scale, 0))
  const right = numerator * 10n ** BigInt(Math.max(-scale, 0))
  return left === right ? 0 : left > right ? 1 : -1
}
