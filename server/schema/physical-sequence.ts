import type { DeclaredSequence } from './declared-object.ts'
import type { PhysicalSequence, SequenceKind } from './physical-schema.ts'
import { unsupported } from './unsupported.ts'

/** Bits of the integers that a sequence's values must fit, the sign bit included. */
export type SequenceWidth = 16 | 32 | 64

const MAX_OF_WIDTH: Readonly<Record<string, SequenceWidth>> = {
  '32767': 16,
  '2147483647': 32,
  '9223372036854775807': 64,
}

/** Refuses (0A000) a sequence that begins again: Spanner's never give a value twice. */
export function checkSequence(declared: DeclaredSequence): void {
  if (!declared.cycle) return
  throw unsupported(`sequence "${declared.name}": CYCLE is not supported`, 'Leave CYCLE out.')
}

/**
 * Whether values may be spread over the whole range of the sequence's type: it ascends, and has no bounds of its own. All others
 * count.
 */
export function canSpread(declared: DeclaredSequence): boolean {
  const { increment, min, max, start } = declared
  const isUnbounded = MAX_OF_WIDTH[max] !== undefined && BigInt(min) <= BigInt(start)
  return BigInt(increment) > 0n && isUnbounded && BigInt(min) <= 1n
}

/** The narrowest of the sequence's own type and bounds and the columns that it fills. */
export function sequenceWidth(
  declared: DeclaredSequence,
  columnWidths: readonly SequenceWidth[],
): SequenceWidth {
  const own = declared.type === 'bigint' ? 64 : declared.type === 'integer' ? 32 : 16
  const widths: number[] = [own, MAX_OF_WIDTH[declared.max] ?? 64, ...columnWidths]
  const least = Math.min(...widths)
  return least === 16 ? 16 : least === 32 ? 32 : 64
}

/**
 * Where the counter begins. Bit-reversed values are spread over the whole range; ascending ones that step by more than one,
 * or begin below one, are computed from a counter that begins at one.
 */
export function startCounterOf(
  declared: DeclaredSequence,
  values: SequenceKind,
): Pick<PhysicalSequence, 'startCounter'> {
  const start = BigInt(declared.start)
  const isCounter = values === 'bit-reversed' || declared.increment === '1'
  return isCounter && start > 1n ? { startCounter: declared.start } : {}
}

/**
 * Spanner's expression that draws the next value. A BIT_REVERSED_POSITIVE sequence gives 63-bit values, of which the upper
 * half (or quarter) stays unique as long as the counter fits it; spanner.bit_reverse gives the counter itself.
 */
export function nextvalSqlOf(
  physicalName: string,
  declared: DeclaredSequence,
  options: {
    readonly values: SequenceKind
    readonly width: SequenceWidth
    /** What a sequence that counts gave first, where START has changed since. */
    readonly origin?: string | undefined
  },
): string {
  const draw = `nextval('${physicalName.replaceAll("'", "''")}')`
  if (options.values === 'bit-reversed') {
    return options.width === 64 ? draw : `(${draw} >> ${options.width === 32 ? 32 : 48})`
  }
  const counter = `spanner.bit_reverse(${draw}, true)`
  const origin = options.origin ?? declared.start
  const isCounter = declared.increment === '1' && BigInt(origin) >= 1n
  const value = isCounter ? counter : `((${counter} - 1) * ${declared.increment} + ${origin})`
  return canSpread(declared) ? value : withinBounds(value, declared)
}

const INT8_MAX = 9223372036854775807n
const INT8_MIN = -INT8_MAX - 1n

/*
 * MAXVALUE 12:               v - (12) + 9223372036854775807 - 9223372036854775807 + (12)
 * MINVALUE -7, descending:   v - (-7) - 9223372036854775807 - 1 + 1 + 9223372036854775807 + (-7)
 *
 * It is v, and out of bigint's range where v is past the bound: a default has no other way to fail.
 */
function withinBounds(value: string, { increment, min, max }: DeclaredSequence): string {
  if (BigInt(increment) > 0n) {
    if (BigInt(max) === INT8_MAX) return value
    return `(${value} - (${max}) + ${INT8_MAX} - ${INT8_MAX} + (${max}))`
  }
  if (BigInt(min) === INT8_MIN) return value
  return `(${value} - (${min}) - ${INT8_MAX} - 1 + 1 + ${INT8_MAX} + (${min}))`
}
