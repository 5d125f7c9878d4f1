/*
 * Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), just as much of it as the messages need: they are read in place over
 * Buffers and written straight into one (protobuf-writer.ts), so that a cell never becomes a JavaScript object.
 */

/** The wire types of proto3. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

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

  /** The tag of the next field: its number shifted by three, and its wire type. */
  tag(): number {
    return this.uint()
  }

  /** An unsigned varint; exact below 2^53, as tags, lengths, enums and counts are. */
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

  /** A varint as the signed 64-bit integer that proto3's int64 and int32 make of it. */
  int64(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, result)
    }
    throw new MalformedMessage('varint of more than ten bytes')
  }

  bool(): boolean {
    return this.uint() !== 0
  }

  double(): number {
    const start = this.#offset
    this.#advance(8)
    return this.buffer.readDoubleLE(start)
  }

  /** Reads the length of a length-delimited field, passes over its content and returns where that began; it ends at {@link offset}. */
  range(): number {
    const sizeBytes = this.uint()
    const start = this.#offset
    this.#advance(sizeBytes)
    return start
  }

  /** A view of a length-delimited field. */
  bytes(): Buffer {
    const start = this.range()
    return this.buffer.subarray(start, this.#offset)
  }

  string(): string {
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
        this.uint()
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
