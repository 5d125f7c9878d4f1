import type { ByteWriter } from '../base/byte-writer.ts'

/** Writes the type byte and room for the length; returns where the length stands. */
export function beginMessage(out: ByteWriter, letter: string): number {
  out.int8(letter.charCodeAt(0))
  const start = out.length
  out.int32(0)
  return start
}

/** Fills in the length of the message that {@link beginMessage} began; the length counts itself. */
export function endMessage(out: ByteWriter, start: number): void {
  out.setInt32(start, out.length - start)
}

/** Writes a message without a body. */
export function writeEmpty(out: ByteWriter, letter: string): void {
  out.int8(letter.charCodeAt(0))
  out.int32(4)
}
