/*
 * Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), as much of it as the served messages need. Requests are
 * read field by field; answers are written straight into one growing buffer, so that a row of a result never becomes objects.
 */

/** The wire types of proto3. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/** Bytes from a client that are no message. */
export class MalformedMessage extends Error {
  constructor(what: string) {
    super(`malformed protobuf message: ${what}`)
    this.name = 'MalformedMessage'
  }
}

/** Reads the fields of one message; never past its end. */
export class ProtoReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get hasMore(): boolean {
    return this.#offset < this.#bytes.length
  }

  /** Tag of the next field: its number shifted by three, and its wire type. */
  tag(): number {
    return this.uint()
  }

  /** An unsigned varint; exact up to 2^53, which is beyond every length, enum and count. */
  uint(): number {
    let value = 0
    let factor = 1
    for (let size = 0; size < 10; size++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
    throw new MalformedMessage('varint of more than ten bytes')
  }

  /** A varint as the signed 64-bit integer that proto3's int64 and int32 make of it. */
  int64(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw new MalformedMessage('varint of more than ten bytes')
  }

  bool(): boolean {
    return this.uint() !== 0
  }

  double(): number {
    const at = this.#take(8)
    return this.#bytes.readDoubleLE(at)
  }

  /** A view of a length-delimited field. */
  bytes(): Buffer {
    const sizeBytes = this.uint()
    const at = this.#take(sizeBytes)
    return this.#bytes.subarray(at, at + sizeBytes)
  }

  string(): string {
    return this.bytes().toString('utf8')
  }

  /** A length-delimited field as a message of its own. */
  message(): ProtoReader {
    return new ProtoReader(this.bytes())
  }

  /** Steps over the value of a field that nobody asked for. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WIRE.varint:
        this.uint()
        return
      case WIRE.fixed64:
        this.#take(8)
        return
      case WIRE.bytes:
        this.bytes()
        return
      case WIRE.fixed32:
        this.#take(4)
        return
      default:
        throw new MalformedMessage(`wire type ${tag & 7}`)
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset]
    if (byte === undefined) throw new MalformedMessage('truncated')
    this.#offset++
    return byte
  }

  #take(sizeBytes: number): number {
    const at = this.#offset
    if (at + sizeBytes > this.#bytes.length) throw new MalformedMessage('truncated')
    this.#offset = at + sizeBytes
    return at
  }
}

/** Bytes that a varint takes. */
export function varintSizeBytes(value: number): number {
  let sizeBytes = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) sizeBytes++
  return sizeBytes
}

/** Writes fields one after the other. proto3's default values are left out by the methods that are named after a field's type. */
export class ProtoWriter {
  #buffer: Buffer
  #length = 0

  constructor(initialSizeBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialSizeBytes)
  }

  get length(): number {
    return this.#length
  }

  string(field: number, value: string): this {
    if (value === '') return this
    const sizeBytes = Buffer.byteLength(value)
    this.header(field, sizeBytes)
    this.#reserve(sizeBytes)
    this.#buffer.write(value, this.#length)
    this.#length += sizeBytes
    return this
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value)
  }

  /** A message field; an empty one is present all the same. */
  message(field: number, value: Uint8Array): this {
    this.header(field, value.length)
    this.raw(value)
    return this
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
    this.varint((field << 3) | WIRE.varint)
    this.varint(value)
    return this
  }

  /** int64 of a oneof or not, 0 included. */
  int64(field: number, value: bigint): this {
    this.varint((field << 3) | WIRE.varint)
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80)
    this.byte(Number(rest))
    return this
  }

  /** Tag and length of a length-delimited field whose bytes follow. */
  header(field: number, sizeBytes: number): void {
    this.varint((field << 3) | WIRE.bytes)
    this.varint(sizeBytes)
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  varint(value: number): void {
    this.#reserve(10)
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80
    }
    this.#buffer[this.#length++] = rest
  }

  double(value: number): void {
    this.#reserve(8)
    this.#buffer.writeDoubleLE(value, this.#length)
    this.#length += 8
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** Copies `source[start..end)`. */
  slice(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start)
    source.copy(this.#buffer, this.#length, start, end)
    this.#length += end - start
  }

  /** UTF-8 text without tag or length; the caller knows its size. */
  text(value: string, sizeBytes: number): void {
    this.#reserve(sizeBytes)
    this.#buffer.write(value, this.#length)
    this.#length += sizeBytes
  }

  /** What was written; the writer starts afresh with a buffer of its own. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length)
    this.#buffer = Buffer.allocUnsafe(256)
    this.#length = 0
    return taken
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#length + sizeBytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}
