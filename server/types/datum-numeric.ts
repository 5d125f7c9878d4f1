import { numericText } from './numeric-value.ts'

/*
 * NumericData as it lies in memory (src/backend/utils/adt/numeric.c): a header of two bytes that is either a special value, or
 * sign, scale and weight at once (short), or sign and scale with the weight in two bytes of its own (long).
 */

const SPECIAL_MASK = 0xf000
const SPECIAL: ReadonlyMap<number, string> = new Map([
  [0xc000, 'NaN'],
  [0xd000, 'Infinity'],
  [0xf000, '-Infinity'],
])

const SHORT_FLAG = 0x8000
const SHORT_SIGN = 0x2000
const SHORT_SCALE_SHIFT = 7
const SHORT_SCALE_MASK = 0x3f
const SHORT_WEIGHT_SIGN = 0x40
const SHORT_WEIGHT_MASK = 0x3f
const LONG_SIGN = 0x4000
const LONG_SCALE_MASK = 0x3fff

/** numeric_out of a numeric without its varlena header; undefined where it is cut short. */
export function numericDatumText(data: Buffer): string | undefined {
  if (data.length < 2) return undefined
  const header = data.readUInt16LE(0)
  const special = (header & 0xc000) === 0xc000 ? SPECIAL.get(header & SPECIAL_MASK) : undefined
  if (special !== undefined) return special
  if ((header & SHORT_FLAG) !== 0) {
    return numericText({
      isNegative: (header & SHORT_SIGN) !== 0,
      displayScale: (header >> SHORT_SCALE_SHIFT) & SHORT_SCALE_MASK,
      weight:
        (header & SHORT_WEIGHT_MASK) - ((header & SHORT_WEIGHT_SIGN) !== 0 ? SHORT_WEIGHT_SIGN : 0),
      groups: readGroups(data, 2),
    })
  }
  if (data.length < 4) return undefined
  return numericText({
    isNegative: (header & LONG_SIGN) !== 0,
    displayScale: header & LONG_SCALE_MASK,
    weight: data.readInt16LE(2),
    groups: readGroups(data, 4),
  })
}

function readGroups(data: Buffer, start: number): number[] {
  const groups: number[] = []
  for (let at = start; at + 2 <= data.length; at += 2) groups.push(data.readInt16LE(at))
  return groups
}
