import { ByteWriter } from '../base/byte-writer.ts'
import { quoteArrayElement } from './array-text.ts'
import type { OutputCodec, PayloadWriter } from './payload.ts'
import { ListScanner, malformedValue, VALUE_KIND, ValueScanner } from './value.ts'

const COMMA = 0x2c
const NULL_TEXT = Buffer.from('NULL')

/** Arrays of one dimension, from list_value: array_out and array_send over the codec of the elements. */
export function arrayOutput(elementOid: number, element: OutputCodec): OutputCodec {
  return {
    text: arrayTextWriter(element.text),
    binary: arrayBinaryWriter(elementOid, element.binary),
  }
}

function arrayTextWriter(elementText: PayloadWriter): PayloadWriter {
  const list = new ListScanner()
  const item = new ValueScanner()
  const scratch = new ByteWriter(1024)
  return (out, value, bytes) => {
    openList(list, value, bytes)
    out.int8(0x7b)
    for (let isFirst = true; list.next(); isFirst = false) {
      if (!isFirst) out.int8(COMMA)
      if (item.scan(bytes, list.start, list.end) === VALUE_KIND.null) {
        out.slice(NULL_TEXT, 0, NULL_TEXT.length)
        continue
      }
      scratch.truncate(0)
      elementText(scratch, item, bytes)
      writeElement(out, scratch.take())
    }
    out.int8(0x7d)
  }
}

function writeElement(out: ByteWriter, text: Buffer): void {
  if (isPlain(text)) out.slice(text, 0, text.length)
  else out.text(quoteArrayElement(text.toString()))
}

/** Digits, letters and the like, and not the word NULL: never quoted. */
function isPlain(text: Buffer): boolean {
  if (text.length === 0 || text.length === NULL_TEXT.length) return false
  for (const byte of text) {
    const isLetter = (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a)
    // From `-` to `:` there are digits, the point, the slash and the colon.
    if (!isLetter && (byte < 0x2d || byte > 0x3a)) return false
  }
  return true
}

/** array_send: dimensions, whether there are NULLs, element type, length and lower bound, elements. */
function arrayBinaryWriter(elementOid: number, elementBinary: PayloadWriter): PayloadWriter {
  const list = new ListScanner()
  const item = new ValueScanner()
  return (out, value, bytes) => {
    openList(list, value, bytes)
    const header = out.length
    out.int32(0)
    out.int32(0)
    out.uint32(elementOid)
    let count = 0
    for (; list.next(); count++) {
      if (count === 0) {
        out.int32(0)
        out.int32(1)
      }
      const length = out.length
      if (item.scan(bytes, list.start, list.end) === VALUE_KIND.null) {
        out.setInt32(header + 4, 1)
        out.int32(-1)
        continue
      }
      out.int32(0)
      elementBinary(out, item, bytes)
      out.setInt32(length, out.length - length - 4)
    }
    if (count === 0) return
    out.setInt32(header, 1)
    out.setInt32(header + 12, count)
  }
}

function openList(list: ListScanner, value: ValueScanner, bytes: Buffer): void {
  if (value.kind !== VALUE_KIND.list) throw malformedValue('no list for an array')
  list.reset(bytes, value.start, value.end)
}
