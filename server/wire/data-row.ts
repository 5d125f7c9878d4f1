import { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { beginDataRow, endDataRow } from './backend-messages.ts'

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

/** The messages, one after the other, apart: views into them. */
export function splitDataRows(messages: Buffer): readonly Buffer[] {
  const rows: Buffer[] = []
  for (let start = 0; start < messages.length; ) {
    const end = start + 1 + messages.readInt32BE(start + 1)
    rows.push(messages.subarray(start, end))
    start = end
  }
  return rows
}

/** One whole DataRow message of these cells: the opposite of {@link splitDataRow}. */
export function joinDataRow(cells: readonly (Buffer | null)[]): Buffer {
  const out = new ByteWriter(64)
  const start = beginDataRow(out, cells.length)
  for (const cell of cells) {
    out.int32(cell === null ? -1 : cell.length)
    if (cell !== null) out.bytes(cell)
  }
  endDataRow(out, start)
  return out.take()
}
