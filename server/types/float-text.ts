/*
 * float8out and float4out (src/backend/utils/adt/float.c, src/common/d2s.c, f2s.c).
 *
 * PostgreSQL prints the shortest digits that read back as the same number, as JavaScript does, with two differences. It
 * takes no digits that lie exactly on the border between two numbers (JavaScript does where rounding to even would bring
 * them back), and it changes to an exponent earlier. Digits on the border exist only among large numbers: see
 * `exactShortest`. JavaScript has no shortest digits of a float4, so those are searched for.
 */

/** Decimal digits without leading or trailing zeros: the number is d.ddd * 10^exponent. */
interface Digits {
  readonly digits: string
  readonly exponent: number
}

/** From here on neighbouring integers are more than one apart, and a border can be a short decimal. */
const FLOAT8_EXACT_FROM = 2 ** 53
/** d * 10^k = (2m + 1) * 2^e needs 5^k to divide a number of 54 bits, so k <= 23, and d has 17 digits at most. */
const FLOAT8_EXACT_TO = 1e41
const FLOAT4_SMALLEST_NORMAL = 2 ** -126

/** float8out. `extraFloatDigits` is the setting: 1 and above print the shortest digits, others round to 15 + it digits. */
export function float8Text(value: number, extraFloatDigits: number): string {
  if (!Number.isFinite(value) || value === 0) return specialText(value)
  const magnitude = Math.abs(value)
  if (extraFloatDigits <= 0) return roundedText(value, Math.max(15 + extraFloatDigits, 1))
  // Between these JavaScript prints what PostgreSQL prints.
  if (magnitude >= 1e-4 && magnitude < 1e15) return String(value)
  const digits =
    magnitude >= FLOAT8_EXACT_FROM && magnitude < FLOAT8_EXACT_TO
      ? exactShortest(magnitude, FLOAT8)
      : digitsOf(magnitude.toExponential())
  return withSign(value, layOut(digits, 15))
}

/** float4out; `value` is a float4 widened to a double (anything else is rounded to float4 first). */
export function float4Text(value: number, extraFloatDigits: number): string {
  const single = Math.fround(value)
  if (!Number.isFinite(single) || single === 0) return specialText(single)
  if (extraFloatDigits <= 0) return roundedText(single, Math.max(6 + extraFloatDigits, 1))
  return withSign(single, layOut(float4Digits(Math.abs(single)), 6))
}

function specialText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function withSign(value: number, text: string): string {
  return value < 0 ? `-${text}` : text
}

/** Reads JavaScript's d.ddde+x. */
function digitsOf(exponential: string): Digits {
  const [mantissa = '', exponent = ''] = exponential.split('e')
  return { digits: stripZeros(mantissa.replace('.', '')), exponent: Number(exponent) }
}

function stripZeros(digits: string): string {
  return digits.replace(/0+$/, '')
}

/** Fixed notation for exponents from -4 to below `exponentFrom`, else d.ddde+xx with two digits of exponent at least. */
function layOut({ digits, exponent }: Digits, exponentFrom: number): string {
  if (exponent < -4 || exponent >= exponentFrom) {
    const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits
    const sign = exponent < 0 ? '-' : '+'
    return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0')
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

/** C's %.*g. */
function roundedText(value: number, precision: number): string {
  const magnitude = Math.abs(value)
  return withSign(value, layOut(roundedDigits(magnitude, precision), precision))
}

/** Rounded half to even, as C does; toExponential rounds half up, which differs for exact halves alone. */
function roundedDigits(magnitude: number, precision: number): Digits {
  const rounded = digitsOf(magnitude.toExponential(precision - 1))
  const longer = magnitude.toExponential(precision)
  const [mantissa = '', exponent = ''] = longer.split('e')
  if (!mantissa.endsWith('5')) return rounded
  const cut = mantissa.replace('.', '')
  const scale = Number(exponent) - precision
  if (!isEqualRatio(BigInt(cut), scale, ratioOf(magnitude))) return rounded
  const kept = BigInt(cut.slice(0, -1))
  const even = kept % 2n === 0n ? kept : kept + 1n
  return digitsOfInteger(even, scale + 1)
}

function float4Digits(magnitude: number): Digits {
  if (magnitude >= FLOAT4_SMALLEST_NORMAL && magnitude < 2 ** 20) {
    const found = searchFloat4(magnitude)
    if (found !== undefined) return found
  }
  return exactShortest(magnitude, FLOAT4)
}

/**
 * The nearest decimals of 6 to 9 digits, as doubles, until one rounds to the number. Six digits are never ambiguous in a
 * float4, so shorter ones need no search. Powers of two (the space below them is half as wide) and exact halves are left to
 * the exact way, and so are numbers from 2^20 on, where a border may be a short decimal.
 */
function searchFloat4(magnitude: number): Digits | undefined {
  const maxPrecision = Number.isInteger(Math.log2(magnitude)) ? 6 : 9
  for (let precision = 6; precision <= maxPrecision; precision++) {
    const text = magnitude.toExponential(precision - 1)
    if (Math.fround(Number(text)) !== magnitude) continue
    if (precision === 6) return digitsOf(text)
    const longer = magnitude.toExponential(precision)
    return longer.includes('5e') && Number(longer) === magnitude ? undefined : digitsOf(text)
  }
  return undefined
}

interface FloatFormat {
  readonly mantissaBits: number
  /** The exponent of the last bit of the smallest numbers. */
  readonly smallestExponent: number
  readonly maxDigits: number
}

const FLOAT8: FloatFormat = { mantissaBits: 53, smallestExponent: -1074, maxDigits: 17 }
const FLOAT4: FloatFormat = { mantissaBits: 24, smallestExponent: -149, maxDigits: 9 }

/** A fraction. */
export interface Ratio {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** mantissa * 2^exponent with an integer mantissa of all its bits. */
function split(magnitude: number, format: FloatFormat): { mantissa: bigint; exponent: number } {
  const bits = new BigUint64Array(new Float64Array([magnitude]).buffer)[0] ?? 0n
  const biased = Number(bits >> 52n)
  const fraction = bits & 0xfffffffffffffn
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n)
  const doubleExponent = Math.max(biased, 1) - 1075
  // A float4 widened to a double has zeros at the end of its mantissa.
  const binaryDigits = mantissa.toString(2).length
  const surplus = Math.max(
    binaryDigits - format.mantissaBits,
    format.smallestExponent - doubleExponent,
  )
  return { mantissa: mantissa >> BigInt(surplus), exponent: doubleExponent + surplus }
}

/** A positive double as a fraction of integers: exact. */
export function ratioOf(magnitude: number): Ratio {
  const { mantissa, exponent } = split(magnitude, FLOAT8)
  return exponent >= 0
    ? { numerator: mantissa << BigInt(exponent), denominator: 1n }
    : { numerator: mantissa, denominator: 1n << BigInt(-exponent) }
}

function isEqualRatio(digits: bigint, scale: number, ratio: Ratio): boolean {
  return scale >= 0
    ? digits * 10n ** BigInt(scale) * ratio.denominator === ratio.numerator
    : digits * ratio.denominator === ratio.numerator * 10n ** BigInt(-scale)
}

function digitsOfInteger(value: bigint, scale: number): Digits {
  const text = value.toString()
  return { digits: stripZeros(text), exponent: text.length - 1 + scale }
}

/**
 * The shortest decimal strictly between the borders of `magnitude`, of those the nearest, of two equally near the even
 * one: exact, in integers. All numbers are counted in quarters of the last bit, so that borders are integers too.
 */
function exactShortest(magnitude: number, format: FloatFormat): Digits {
  const { mantissa, exponent } = split(magnitude, format)
  const isPowerOfTwo =
    mantissa === 1n << BigInt(format.mantissaBits - 1) && exponent > format.smallestExponent
  const value = mantissa * 4n
  const low = isPowerOfTwo ? value - 1n : value - 2n
  const high = value + 2n
  const leading = Number(magnitude.toExponential(format.maxDigits).split('e')[1])
  for (let precision = 1; precision < format.maxDigits; precision++) {
    const scale = leading - precision + 1
    // candidate * 10^scale against quarters * 2^(exponent - 2), both brought to integers.
    const unit = factor(10n, scale) * factor(2n, 2 - exponent)
    const per = factor(10n, -scale) * factor(2n, exponent - 2)
    const floor = (value * per) / unit
    const fits = [floor, floor + 1n].filter(
      (candidate) => candidate * unit > low * per && candidate * unit < high * per,
    )
    const nearest = pickNearest(fits, unit, value * per)
    if (nearest !== undefined) return digitsOfInteger(nearest, scale)
  }
  return digitsOf(magnitude.toExponential(format.maxDigits - 1))
}

function factor(base: bigint, power: number): bigint {
  return power > 0 ? base ** BigInt(power) : 1n
}

function pickNearest(fits: readonly bigint[], unit: bigint, target: bigint): bigint | undefined {
  const [first, second] = fits
  if (first === undefined || second === undefined) return first
  const below = target - first * unit
  const above = second * unit - target
  if (below === above) return first % 2n === 0n ? first : second
  return below < above ? first : second
}
