/** The digits of a numeric in PostgreSQL's form: groups of four decimal digits (src/backend/utils/adt/numeric.c). */
export interface NumericGroups {
  readonly isNegative: boolean
  /** The first group counts 10000^weight. */
  readonly weight: number
  /** Decimal digits after the point to show. */
  readonly displayScale: number
  /** 0 to 9999 each, the most significant first. */
  readonly groups: readonly number[]
}

/** NUMERIC_MAX_DISPLAY_SCALE of binary and in-memory forms: 14 bits. */
export const NUMERIC_MAX_DISPLAY_SCALE = 0x3fff

const DIGITS_PER_GROUP = 4
const MINUS = 0x2d
const ZERO = 0x30

/** numeric_out: the digits before the point without leading zeros, and exactly `displayScale` after it. */
export function numericText(value: NumericGroups): string {
  const { weight, displayScale, groups } = value
  let whole = ''
  for (let i = 0; i <= weight; i++) whole += groupText(groups[i])
  whole = whole.replace(/^0+(?=\d)/, '') || '0'
  let fraction = ''
  for (let i = weight + 1; fraction.length < displayScale; i++) {
    fraction += groupText(groups[i])
  }
  const digits = displayScale > 0 ? `${whole}.${fraction.slice(0, displayScale)}` : whole
  return value.isNegative && /[1-9]/.test(digits) ? `-${digits}` : digits
}

function groupText(group: number | undefined): string {
  return String(group ?? 0).padStart(DIGITS_PER_GROUP, '0')
}

/** A plain decimal such as `-123.4500`; anything else is undefined. */
export function parseNumericText(text: string): NumericGroups | undefined {
  const isNegative = text.charCodeAt(0) === MINUS
  const point = text.indexOf('.')
  const wholeEnd = point < 0 ? text.length : point
  let start = isNegative ? 1 : 0
  if (start === wholeEnd || point === text.length - 1) return undefined
  while (start < wholeEnd && text.charCodeAt(start) === ZERO) start++
  const wholeGroups = Math.ceil((wholeEnd - start) / DIGITS_PER_GROUP)
  const groups: number[] = []
  const firstStart = wholeEnd - wholeGroups * DIGITS_PER_GROUP
  for (let at = firstStart; at < wholeEnd; at += DIGITS_PER_GROUP) {
    groups.push(groupAt(text, Math.max(at, start), at + DIGITS_PER_GROUP))
  }
  for (let at = wholeEnd + 1; at < text.length; at += DIGITS_PER_GROUP) {
    groups.push(groupAt(text, at, at + DIGITS_PER_GROUP))
  }
  if (groups.includes(Number.NaN)) return undefined
  const displayScale = Math.max(0, text.length - wholeEnd - 1)
  return stripGroups(isNegative, wholeGroups - 1, displayScale, groups)
}

/** The digits from `start` up to `end`, with zeros where the text has ended; NaN where one is no digit. */
function groupAt(text: string, start: number, end: number): number {
  let group = 0
  for (let at = start; at < end; at++) {
    const digit = at < text.length ? text.charCodeAt(at) - ZERO : 0
    if (digit < 0 || digit > 9) return Number.NaN
    group = group * 10 + digit
  }
  return group
}

/** strip_var: no zero groups at either end; zero itself has no group, weight 0 and no sign. */
function stripGroups(
  isNegative: boolean,
  weight: number,
  displayScale: number,
  groups: readonly number[],
): NumericGroups {
  const first = groups.findIndex((group) => group !== 0)
  if (first < 0) return { isNegative: false, weight: 0, displayScale, groups: [] }
  const last = groups.findLastIndex((group) => group !== 0)
  return { isNegative, weight: weight - first, displayScale, groups: groups.slice(first, last + 1) }
}

/**
 * A decimal text at another scale: padded with zeros, or rounded half away from zero as numeric(p, s) does. A negative
 * scale rounds left of the point. Anything that is no plain decimal (NaN) comes back as it is.
 */
export function rescaleNumericText(text: string, scale: number): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (match === null) return text
  const [, sign = '', whole = '', fraction = ''] = match
  if (scale >= fraction.length) {
    return scale === fraction.length ? text : `${sign}${whole}.${fraction.padEnd(scale, '0')}`
  }
  const digits = whole + fraction
  const kept = whole.length + scale
  const roundsUp = kept >= 0 && (digits[kept] ?? '0') >= '5'
  const rounded = (
    BigInt(digits.slice(0, Math.max(kept, 0)) || '0') + (roundsUp ? 1n : 0n)
  ).toString()
  const shown =
    scale > 0 ? placePoint(rounded, scale) : rounded + '0'.repeat(rounded === '0' ? 0 : -scale)
  return /[1-9]/.test(shown) ? sign + shown : shown
}

function placePoint(digits: string, scale: number): string {
  const padded = digits.padStart(scale + 1, '0')
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

/** The scale of numeric(p, s), or undefined for a bare numeric (numeric_typmod_scale: 11 bits, signed). */
export function scaleOfTypmod(typmod: number): number | undefined {
  if (typmod < 4) return undefined
  return (((typmod - 4) & 0x7ff) ^ 1024) - 1024
}
