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

/**
 * Refuses (0A000) a sequence whose values Spanner's bit-reversed sequences cannot imitate: descending, cyclic, or with bounds
 * of its own.
 */
export function checkSequence(declared: DeclaredSequence): void {
  const what = `sequence "${declared.name}"`
  if (declared.cycle) {
    throw unsupported(`${what}: CYCLE is not supported`, 'Leave CYCLE out.')
  }
  if (BigInt(declared.increment) <= 0n) {
    throw unsupported(
      `${what}: a negative INCREMENT is not supported`,
      'Use an ascending sequence.',
    )
  }
  if (MAX_OF_WIDTH[declared.max] === undefined || BigInt(declared.min) > BigInt(declared.start)) {
    throw unsupported(
      `${what}: MAXVALUE is not supported`,
      'Use NO MAXVALUE, and AS integer or AS smallint to keep values small.',
    )
  }
  if (BigInt(declared.min) > 1n) {
    throw unsupported(`${what}: MINVALUE is not supported`, 'Use NO MINVALUE with START WITH.')
  }
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
  options: { readonly values: SequenceKind; readonly width: SequenceWidth },
): string {
  const draw = `nextval('${physicalName.replaceAll("'", "''")}')`
  if (options.values === 'bit-reversed') {
    return options.width === 64 ? draw : `(${draw} >> ${options.width === 32 ? 32 : 48})`
  }
  const counter = `spanner.bit_reverse(${draw}, true)`
  if (declared.increment === '1' && BigInt(declared.start) >= 1n) return counter
  return `((${counter} - 1) * ${declared.increment} + ${declared.start})`
}
