import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { EncodedValue } from './spanner-type.ts'

/*
 * google.protobuf.Value by hand (google/protobuf/struct.proto). A Value is a message with one of six fields:
 *
 *   null_value 1 (varint)   number_value 2 (64 bits)   string_value 3 (bytes)
 *   bool_value 4 (varint)   struct_value 5 (bytes)     list_value 6 (bytes: ListValue, values = 1 repeated)
 *
 * Writers make whole messages. The reader is a cursor that is moved from value to value and allocates nothing: the rows
 * of a result pass through it on their way to the client.
 */

const TAG_NULL = 0x08
const TAG_NUMBER = 0x11
const TAG_STRING = 0x1a
const TAG_BOOL = 0x20
const TAG_STRUCT = 0x2a
const TAG_LIST = 0x32
/** ListValue.values. */
const TAG_ELEMENT = 0x0a

/** Which of the six fields a Value holds: their numbers in struct.proto. */
export const VALUE_KIND = { null: 1, number: 2, string: 3, bool: 4, struct: 5, list: 6 } as const

export type ValueKind = (typeof VALUE_KIND)[keyof typeof VALUE_KIND]

const NULL_VALUE: EncodedValue = Buffer.from([TAG_NULL, 0])
const TRUE_VALUE: EncodedValue = Buffer.from([TAG_BOOL, 1])
const FALSE_VALUE: EncodedValue = Buffer.from([TAG_BOOL, 0])

/** SQL NULL. The buffer is shared: it is not to be written to. */
export function encodeNull(): EncodedValue {
  return NULL_VALUE
}

/** bool_value. The buffer is shared: it is not to be written to. */
export function encodeBool(value: boolean): EncodedValue {
  return value ? TRUE_VALUE : FALSE_VALUE
}

/** string_value of a text (UTF-8), or of bytes that are UTF-8 already. */
export function encodeString(value: string | Uint8Array): EncodedValue {
  const sizeBytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length
  const encoded = Buffer.allocUnsafe(1 + varintSizeBytes(sizeBytes) + sizeBytes)
  const at = writeHeader(encoded, TAG_STRING, sizeBytes)
  if (typeof value === 'string') encoded.write(value, at)
  else encoded.set(value, at)
  return encoded
}

/** number_value; the three that JSON has no number for are string_value, as Spanner writes and reads them. */
export function encodeNumber(value: number): EncodedValue {
  if (!Number.isFinite(value)) return encodeString(String(value))
  const encoded = Buffer.allocUnsafe(9)
  encoded[0] = TAG_NUMBER
  encoded.writeDoubleLE(value, 1)
  return encoded
}

/** list_value of encoded elements. */
export function encodeList(elements: readonly EncodedValue[]): EncodedValue {
  let listSizeBytes = 0
  for (const element of elements) {
    listSizeBytes += 1 + varintSizeBytes(element.length) + element.length
  }
  const encoded = Buffer.allocUnsafe(1 + varintSizeBytes(listSizeBytes) + listSizeBytes)
  let at = writeHeader(encoded, TAG_LIST, listSizeBytes)
  for (const element of elements) {
    at += writeHeader(encoded.subarray(at), TAG_ELEMENT, element.length)
    encoded.set(element, at)
    at += element.length
  }
  return encoded
}

function varintSizeBytes(value: number): number {
  let sizeBytes = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) sizeBytes++
  return sizeBytes
}

function writeHeader(target: Uint8Array, tag: number, sizeBytes: number): number {
  target[0] = tag
  let at = 1
  let rest = sizeBytes
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[at++] = (rest % 0x80) | 0x80
  target[at++] = rest
  return at
}

/** A value that is no google.protobuf.Value, or not the one that its type asks for: XX001. */
export function malformedValue(what: string): PgError {
  return new PgError(SQL_STATE.dataCorrupted, `invalid value received from Spanner: ${what}`)
}

/** Varints and unknown fields inside one message; never reads past its end. */
class ProtoCursor {
  protected bytes: Buffer = NULL_VALUE
  protected position = 0
  protected limit = 0

  protected open(bytes: Buffer, start: number, end: number): void {
    if (start < 0 || end < start || end > bytes.length) throw malformedValue('bounds')
    this.bytes = bytes
    this.position = start
    this.limit = end
  }

  /** Exact up to 2^53, which is beyond every length and tag; larger ones (negative enums) lose their low bits only. */
  protected varint(): number {
    let value = 0
    let factor = 1
    for (let i = 0; i < 10; i++) {
      if (this.position >= this.limit) throw malformedValue('truncated varint')
      const byte = this.bytes[this.position++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
    }
    throw malformedValue('varint too long')
  }

  /** Demands `sizeBytes` bytes, moves past them and says where they begin. */
  protected take(sizeBytes: number): number {
    const start = this.position
    if (sizeBytes > this.limit - start) throw malformedValue('truncated field')
    this.position = start + sizeBytes
    return start
  }

  /** Moves past a field that a newer struct.proto may have. */
  protected skipUnknown(tag: number, knownFields: number): void {
    const field = Math.floor(tag / 8)
    if (field === 0) throw malformedValue('field 0')
    if (field <= knownFields) throw malformedValue(`wire type of field ${field}`)
    switch (tag % 8) {
      case 0:
        this.varint()
        return
      case 1:
        this.take(8)
        return
      case 2:
        this.take(this.varint())
        return
      case 5:
        this.take(4)
        return
      default:
        throw malformedValue(`wire type ${tag % 8}`)
    }
  }
}

/**
 * Reads encoded Values, one after the other, without making objects of them. After `scan`, `start` and `end` bound the
 * payload: the text of a string, the 8 bytes of a number, the ListValue of a list; for a bool `start` is 1 or 0.
 * Every malformed message throws XX001.
 */
export class ValueScanner extends ProtoCursor {
  kind: ValueKind = VALUE_KIND.null
  start = 0
  end = 0

  /** Reads the Value at `bytes[start..end)`. */
  scan(bytes: Buffer, start: number, end: number): ValueKind {
    this.open(bytes, start, end)
    let kind: ValueKind | undefined
    while (this.position < end) kind = this.#field(this.varint()) ?? kind
    // proto3 writers that know the field always write it, null_value too: nothing at all is a value we cannot see.
    if (kind === undefined) throw malformedValue('no kind')
    this.kind = kind
    return kind
  }

  /** The number that was scanned. */
  number(): number {
    return this.bytes.readDoubleLE(this.start)
  }

  /** The bytes of a string_value as text. */
  text(): string {
    return this.bytes.toString('utf8', this.start, this.end)
  }

  /** The bytes of a string_value of ASCII characters; others come out as Latin-1 and fail the caller's own check. */
  ascii(): string {
    return this.bytes.toString('latin1', this.start, this.end)
  }

  #field(tag: number): ValueKind | undefined {
    switch (tag) {
      case TAG_STRING:
        this.#payload(this.varint())
        return VALUE_KIND.string
      case TAG_NULL:
        this.varint()
        this.start = this.end = this.position
        return VALUE_KIND.null
      case TAG_NUMBER:
        this.#payload(8)
        return VALUE_KIND.number
      case TAG_BOOL:
        this.start = this.varint() === 0 ? 0 : 1
        this.end = this.position
        return VALUE_KIND.bool
      case TAG_LIST:
        this.#payload(this.varint())
        return VALUE_KIND.list
      case TAG_STRUCT:
        this.#payload(this.varint())
        return VALUE_KIND.struct
      default:
        this.skipUnknown(tag, VALUE_KIND.list)
        return undefined
    }
  }

  #payload(sizeBytes: number): void {
    this.start = this.take(sizeBytes)
    this.end = this.position
  }
}

/** Walks the elements of a list_value: after `next`, `start` and `end` bound one encoded Value. */
export class ListScanner extends ProtoCursor {
  start = 0
  end = 0

  /** Begins with the ListValue at `bytes[start..end)`, as ValueScanner leaves it. */
  reset(bytes: Buffer, start: number, end: number): void {
    this.open(bytes, start, end)
  }

  /** Moves to the next element; false at the end. */
  next(): boolean {
    while (this.position < this.limit) {
      const tag = this.varint()
      if (tag === TAG_ELEMENT) {
        this.start = this.take(this.varint())
        this.end = this.position
        return true
      }
      this.skipUnknown(tag, 1)
    }
    return false
  }
}
