/** The content of a varlena, and where the next thing after it may begin. */
export interface Varlena {
  readonly data: Buffer
  readonly end: number
}

const IS_SHORT = 0x01
const FORMAT_MASK = 0x03
const EXTERNAL = 0x01

/**
 * A varlena at `start` (src/include/varatt.h, little-endian): four bytes of length times four, or one byte of length times two
 * plus one; both count the header. Compressed and external ones, and those that do not fit, are undefined.
 */
export function readVarlena(bytes: Buffer, start: number): Varlena | undefined {
  const first = bytes[start]
  if (first === undefined || first === EXTERNAL) return undefined
  const isShort = (first & IS_SHORT) !== 0
  if (!isShort && ((first & FORMAT_MASK) !== 0 || start + 4 > bytes.length)) return undefined
  const headerBytes = isShort ? 1 : 4
  const sizeBytes = isShort ? first >> 1 : bytes.readUInt32LE(start) >>> 2
  const end = start + sizeBytes
  if (sizeBytes < headerBytes || end > bytes.length) return undefined
  return { data: bytes.subarray(start + headerBytes, end), end }
}
