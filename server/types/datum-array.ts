import { arrayText } from './array-text.ts'
import type { PgType } from './pg-type.ts'
import { readVarlena } from './varlena.ts'

/*
 * ArrayType as it lies in memory (src/include/utils/array.h), counted from the start of its varlena header: length, number of
 * dimensions, offset of the data (0: no NULLs), element type, for each dimension its length, for each its lower bound, the
 * bitmap of elements that are not NULL, and the elements, each aligned as its type asks.
 */

const FIXED_BYTES = 16
const MAX_ALIGN = 8

/** Text of one element from its bytes. */
export type ElementText = (bytes: Buffer) => string | undefined

/** array_out of an array of at most one dimension with lower bound 1; undefined for others, or where it is malformed. */
export function arrayDatumText(
  bytes: Buffer,
  type: PgType,
  elementText: ElementText,
): string | undefined {
  if (bytes.length < FIXED_BYTES || (bytes[0] ?? 0) % 4 !== 0) return undefined
  const dimensions = bytes.readInt32LE(4)
  if (dimensions === 0) return '{}'
  if (dimensions !== 1 || bytes.length < FIXED_BYTES + 8) return undefined
  const count = bytes.readInt32LE(FIXED_BYTES)
  if (bytes.readUInt32LE(12) !== type.oid || bytes.readInt32LE(FIXED_BYTES + 4) !== 1) {
    return undefined
  }
  return elementsText({ bytes, count, type, elementText })
}

interface ArrayDatum {
  readonly bytes: Buffer
  readonly count: number
  readonly type: PgType
  readonly elementText: ElementText
}

function elementsText({ bytes, count, type, elementText }: ArrayDatum): string | undefined {
  const dataOffset = bytes.readInt32LE(8)
  const bitmap = FIXED_BYTES + 8
  if (count < 0 || count > bytes.length * 8) return undefined
  const elements: (string | undefined)[] = []
  let at = dataOffset === 0 ? align(bitmap, MAX_ALIGN) : dataOffset
  for (let i = 0; i < count; i++) {
    if (dataOffset !== 0 && !isBitSet(bytes, bitmap, i)) {
      elements.push(undefined)
      continue
    }
    const start = align(at, type.alignBytes)
    const end = endOfElement(bytes, start, type.sizeBytes)
    const text = end === undefined ? undefined : elementText(bytes.subarray(start, end))
    if (end === undefined || text === undefined) return undefined
    elements.push(text)
    at = end
  }
  return arrayText(elements)
}

function align(offset: number, alignBytes: number): number {
  return Math.ceil(offset / alignBytes) * alignBytes
}

function isBitSet(bytes: Buffer, bitmap: number, index: number): boolean {
  return (((bytes[bitmap + (index >> 3)] ?? 0) >> (index & 7)) & 1) === 1
}

function endOfElement(bytes: Buffer, start: number, sizeBytes: number): number | undefined {
  if (sizeBytes === -1) return readVarlena(bytes, start)?.end
  if (sizeBytes < 0 || start + sizeBytes > bytes.length) return undefined
  return start + sizeBytes
}
