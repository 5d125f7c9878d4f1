/**
 * Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), just as much of it as the hot messages need: they
 * are read and written in place over Buffers, so that a cell never becomes a JavaScript object. Messages off the hot path go
 * through protos.ts instead.
 */

/** The wire types that occur in google.spanner.v1. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** The tag of a field: its number and wire type in one varint. */
export function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType
}

/** Bytes that are not a well-formed message. */
export class MalformedMessage extends Error {
  constructor(what: string) {
    super(`malformed protobuf message: ${what}`)
    this.name = 'MalformedMessage'
  }
}

/** Reads the fields of one message that lies at `[start, end)` of a buffer; never past its end. */
export class ProtoReader {
  readonly buffer: Buffer
  #offset: number
  readonly #end: number

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.buffer = buffer
    this.#offset = start
    this.#end = end
  }

  get offset(): number {
    return this.#offset
  }

  get hasMore(): boolean {
    return this.#offset < this.#end
  }

  /** An unsigned varint below 2^53, as tags, lengths, enums and counts are. */
  uint(): number {
    // Most tags and lengths take one byte.
    const first = this.#offset < this.#end ? this.buffer[this.#offset] : undefined
    if (first !== undefined && first < 0x80) {
      this.#offset++
      return first
    }
    let result = 0
    let scale = 1
    for (let size = 0; size < 10; size++) {
      const byte = this.#byte()
      result += (byte & 0x7f) * scale
      if (byte < 0x80) return result
      scale *= 128
    }
    throw new MalformedMessage('varint of more than ten bytes')
  }

  /** A varint as the signed 64-bit integer that proto3's int64 makes of it. */
  int64(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, result)
    }
    throw new MalformedMessage('varint of more than ten bytes')
  }

  /** Reads the length of a length-delimited field, skips its content and returns where that began; it ends at {@link offset}. */
  range(): number {
    const sizeBytes = this.uint()
    const start = this.#offset
    if (sizeBytes > this.#end - start) throw new MalformedMessage('field beyond the end')
    this.#offset = start + sizeBytes
    return start
  }

  /** A view of a length-delimited field. */
  bytes(): Buffer {
    const start = this.range()
    return this.buffer.subarray(start, this.#offset)
  }

  text(): string {
    const start = this.range()
    return this.buffer.toString('utf8', start, this.#offset)
  }

  /** A reader over an embedded message. */
  message(): ProtoReader {
    const start = this.range()
    return new ProtoReader(this.buffer, start, this.#offset)
  }

  /** Passes over the value of a field that nobody asked for. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WIRE.varint:
        this.int64()
        return
      case WIRE.fixed64:
        this.#advance(8)
        return
      case WIRE.bytes:
        this.range()
        return
      case WIRE.fixed32:
        this.#advance(4)
        return
      default:
        throw new MalformedMessage(`wire type ${tag & 7}`)
    }
  }

  #byte(): number {
    const byte = this.#offset < this.#end ? this.buffer[this.#offset] : undefined
    if (byte === undefined) throw new MalformedMessage('cut off')
    this.#offset++
    return byte
  }

  #advance(sizeBytes: number): void {
    if (sizeBytes > this.#end - this.#offset) throw new MalformedMessage('cut off')
    this.#offset += sizeBytes
  }
}

/** How many bytes a varint of `value` takes; `value` is a non-negative integer below 2^53. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes a message front to back. Embedded messages are built first and given as bytes. */
export class ProtoWriter {
  #buffer: Buffer
  #length = 0

  constructor(initialSizeBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialSizeBytes)
  }

  /** A non-negative integer, without a tag. */
  varint(value: number): this {
    this.#reserve(10)
    let rest = value
    while (rest >= 128) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#length++] = rest
    return this
  }

  /** An integer field; proto3 leaves out zero. */
  uintField(field: number, value: number): this {
    if (value === 0) return this
    return this.varint(tagOf(field, WIRE.varint)).varint(value)
  }

  boolField(field: number, value: boolean): this {
    return this.uintField(field, value ? 1 : 0)
  }

  /** A string field; proto3 leaves out the empty string. */
  textField(field: number, value: string): this {
    if (value === '') return this
    const sizeBytes = Buffer.byteLength(value)
    this.varint(tagOf(field, WIRE.bytes)).varint(sizeBytes)
    this.#reserve(sizeBytes)
    this.#buffer.write(value, this.#length)
    this.#length += sizeBytes
    return this
  }

  /** A bytes field or an embedded message: written even where it is empty, as presence means something there. */
  bytesField(field: number, value: Uint8Array): this {
    this.varint(tagOf(field, WIRE.bytes)).varint(value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** Bytes that are encoded already, without a tag. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#length + sizeBytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}
