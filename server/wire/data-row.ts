import { ByteReader } from '../base/byte-reader.ts'

/** The cells of one whole DataRow message (type byte and length included); views into it, null is SQL NULL. */
export function splitDataRow(message: Buffer): readonly (Buffer | null)[] {
  const reader = new ByteReader(message, 5)
  const count = reader.int16()
  reader.ensureCount(count, 4)
  const cells: (Buffer | null)[] = []
  for (let cell = 0; cell < count; cell++) {
    const sizeBytes = reader.int32()
    cells.push(sizeBytes < 0 ? null : reader.bytes(sizeBytes))
  }
  reader.end()
  return cells
}
