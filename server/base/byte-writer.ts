/** Up to so many bytes, a loop is faster than Buffer.copy, which makes a view first (Node 20: 85 ns for 20 bytes, a loop 20 ns). */
const SHORT_SLICE_BYTES = 32

const TWO_TO_32 = 2 ** 32

/**
 * A growing buffer for outgoing messages. Integers are big-endian, as everything on PostgreSQL's wire.
 * `take` hands the bytes over and starts afresh; a buffer once handed over is never written again.
 */
export class ByteWriter {
  #buffer: Buffer
  #length = 0
  readonly #initialSizeBytes: number

  constructor(initialSizeBytes = 8192) {
    this.#initialSizeBytes = initialSizeBytes
    this.#buffer = Buffer.allocUnsafe(initialSizeBytes)
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#length
  }

  int8(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value & 0xff
  }

  int16(value: number): void {
    this.#reserve(2)
    this.#buffer.writeInt16BE(value, this.#length)
    this.#length += 2
  }

  uint16(value: number): void {
    this.#reserve(2)
    this.#buffer.writeUInt16BE(value, this.#length)
    this.#length += 2
  }

  int32(value: number): void {
    this.#reserve(4)
    this.#buffer.writeInt32BE(value, this.#length)
    this.#length += 4
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#buffer.writeUInt32BE(value, this.#length)
    this.#length += 4
  }

  int64(value: bigint): void {
    this.#reserve(8)
    this.#buffer.writeBigInt64BE(value, this.#length)
    this.#length += 8
  }

  /** A bigint's eight bytes from an integer that a number holds exactly: no bigint is made. */
  safeInt64(value: number): void {
    const high = Math.floor(value / TWO_TO_32)
    this.int32(high)
    this.uint32(value - high * TWO_TO_32)
  }

  float32(value: number): void {
    this.#reserve(4)
    this.#buffer.writeFloatBE(value, this.#length)
    this.#length += 4
  }

  float64(value: number): void {
    this.#reserve(8)
    this.#buffer.writeDoubleBE(value, this.#length)
    this.#length += 8
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** The bytes of `source` from `start` up to `end`, without a view object in between. */
  slice(source: Buffer, start: number, end: number): void {
    const sizeBytes = end - start
    this.#reserve(sizeBytes)
    if (sizeBytes > SHORT_SLICE_BYTES) source.copy(this.#buffer, this.#length, start, end)
    else this.#copyShort(source, start, end)
    this.#length += sizeBytes
  }

  /** UTF-8 text without a terminator; returns the number of bytes written. */
  text(value: string): number {
    const sizeBytes = Buffer.byteLength(value)
    this.#reserve(sizeBytes)
    this.#buffer.write(value, this.#length)
    this.#length += sizeBytes
    return sizeBytes
  }

  /** UTF-8 text and the zero byte that ends PostgreSQL's String. */
  cstring(value: string): void {
    this.text(value)
    this.int8(0)
  }

  /** Overwrites four bytes at `offset` (of the bytes since the last `take`), for lengths that are known afterwards. */
  setInt32(offset: number, value: number): void {
    this.#buffer.writeInt32BE(value, offset)
  }

  /** A copy of the bytes from `offset` on. */
  copyFrom(offset: number): Buffer {
    return Buffer.from(this.#buffer.subarray(offset, this.#length))
  }

  /** Forgets everything after `length`. */
  truncate(length: number): void {
    this.#length = length
  }

  /** The bytes written so far; the writer is empty afterwards. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length)
    const unused = this.#buffer.length - this.#length
    // What is left of a large buffer serves the next messages: views of one allocation never overlap.
    this.#buffer =
      unused >= this.#initialSizeBytes / 4
        ? this.#buffer.subarray(this.#length)
        : Buffer.allocUnsafe(this.#initialSizeBytes)
    this.#length = 0
    return taken
  }

  #copyShort(source: Buffer, start: number, end: number): void {
    const target = this.#buffer
    let to = this.#length
    for (let from = start; from < end; from++) target[to++] = source[from] ?? 0
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#length + sizeBytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}
