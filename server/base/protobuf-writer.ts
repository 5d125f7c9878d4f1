import { WIRE } from './protobuf-reader.ts'

const NOTHING = Buffer.alloc(0)
const MIN_SIZE_BYTES = 256

/** The tag of a field: its number and wire type in one varint. */
export function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType
}

/** Bytes that the varint of a non-negative integer below 2^53 takes. */
export function varintSizeBytes(value: number): number {
  let sizeBytes = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) sizeBytes++
  return sizeBytes
}

/**
 * Writes a message front to back; embedded messages are built first and given as bytes. Methods that are named after a field's type leave
 * out proto3's default values.
 */
export class ProtoWriter {
  #buffer: Buffer
  #length = 0

  constructor(initialSizeBytes = MIN_SIZE_BYTES) {
    this.#buffer = Buffer.allocUnsafe(initialSizeBytes)
  }

  get length(): number {
    return this.#length
  }

  string(field: number, value: string): this {
    if (value === '') return this
    const sizeBytes = Buffer.byteLength(value)
    return this.header(field, sizeBytes).text(value, sizeBytes)
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value)
  }

  /** A message, or an element of a repeated field; an empty one is present all the same. */
  message(field: number, value: Uint8Array): this {
    return this.header(field, value.length).raw(value)
  }

  bool(field: number, value: boolean): this {
    return value ? this.uint(field, 1) : this
  }

  /** Enums, counts and other integers from 0 up to 2^53. */
  uint(field: number, value: number): this {
    return value === 0 ? this : this.presentUint(field, value)
  }

  /** As `uint`, but written even where it is 0: members of a oneof. */
  presentUint(field: number, value: number): this {
    return this.varint(tagOf(field, WIRE.varint)).varint(value)
  }

  /** int64 of a oneof or not, 0 included. */
  int64(field: number, value: bigint): this {
    this.varint(tagOf(field, WIRE.varint))
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80)
    return this.byte(Number(rest))
  }

  /** Tag and length of a length-delimited field whose bytes follow. */
  header(field: number, sizeBytes: number): this {
    return this.varint(tagOf(field, WIRE.bytes)).varint(sizeBytes)
  }

  byte(value: number): this {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
    return this
  }

  /** A non-negative integer below 2^53, without a tag. */
  varint(value: number): this {
    this.#reserve(10)
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80
    }
    this.#buffer[this.#length++] = rest
    return this
  }

  double(value: number): this {
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
    return this
  }

  /** Bytes that are encoded already, without a tag. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** Copies `source[start..end)`. */
  slice(source: Buffer, start: number, end: number): this {
    this.#reserve(end - start)
    source.copy(this.#buffer, this.#length, start, end)
    this.#length += end - start
    return this
  }

  /** UTF-8 text without tag or length; the caller knows its size. */
  text(value: string, sizeBytes: number): this {
    this.#reserve(sizeBytes)
    this.#buffer.write(value, this.#length)
    this.#length += sizeBytes
    return this
  }

  /** What was written; the writer starts afresh with a buffer of its own. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length)
    this.#buffer = NOTHING
    this.#length = 0
    return taken
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#length + sizeBytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2, MIN_SIZE_BYTES))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}
