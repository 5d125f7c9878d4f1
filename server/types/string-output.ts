import { copyString, mustBeString, type OutputCodec } from './payload.ts'
import { malformedValue } from './value.ts'

const CHAR_BLANK = 0x20
const VARLENA_HEADER_BYTES = 4

/** text, varchar, name, json and the like: both formats are the string itself. */
export function textOutput(typeName: string): OutputCodec {
  const copy = copyString(typeName)
  return { text: copy, binary: copy, isPassThrough: true }
}

/** char(n): stored without trailing blanks, shown with them. The length counts characters, not bytes. */
export function bpcharOutput(typmod: number): OutputCodec {
  if (typmod < VARLENA_HEADER_BYTES) return textOutput('character')
  const length = typmod - VARLENA_HEADER_BYTES
  const blanks = Buffer.alloc(length, CHAR_BLANK)
  const copy: OutputCodec['text'] = (out, value, bytes) => {
    mustBeString(value, 'character')
    out.slice(bytes, value.start, value.end)
    const missing = length - countCharacters(bytes, value.start, value.end)
    if (missing > 0) out.slice(blanks, 0, missing)
  }
  return { text: copy, binary: copy }
}

/** Bytes that begin a UTF-8 character. */
function countCharacters(bytes: Buffer, start: number, end: number): number {
  let count = 0
  for (let i = start; i < end; i++) if (((bytes[i] ?? 0) & 0xc0) !== 0x80) count++
  return count
}

const JSONB_VERSION = 1

/** jsonb: Spanner sends PostgreSQL's own normalised text; jsonb_send puts a version before it. */
export const jsonbOutput: OutputCodec = {
  ...textOutput('jsonb'),
  binary: (out, value, bytes) => {
    mustBeString(value, 'jsonb')
    out.int8(JSONB_VERSION)
    out.slice(bytes, value.start, value.end)
  },
}

/** uuid: stored as canonical text; uuid_send writes 16 bytes. */
export const uuidOutput: OutputCodec = {
  ...textOutput('uuid'),
  binary: (out, value, bytes) => {
    mustBeString(value, 'uuid')
    let digitCount = 0
    let high = 0
    for (let at = value.start; at < value.end; at++) {
      const code = bytes[at] ?? 0
      if (code === HYPHEN) continue
      const digit = hexDigit(code)
      if (digitCount++ % 2 === 0) high = digit
      else out.int8(high * 16 + digit)
    }
    if (digitCount !== UUID_DIGITS) throw malformedValue('uuid')
  },
}

const HYPHEN = 0x2d
const UUID_DIGITS = 32

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = (code | 0x20) - 0x61
  if (letter < 0 || letter > 5) throw malformedValue('uuid')
  return letter + 10
}

/** bytea: base64 from Spanner; byteaout prints hex or escapes, byteasend the bytes. */
export function byteaOutput(style: 'hex' | 'escape'): OutputCodec {
  return {
    text: (out, value) => {
      mustBeString(value, 'bytea')
      const data = Buffer.from(value.ascii(), 'base64')
      out.text(style === 'hex' ? `\\x${data.toString('hex')}` : escapeBytes(data))
    },
    binary: (out, value) => {
      mustBeString(value, 'bytea')
      out.bytes(Buffer.from(value.ascii(), 'base64'))
    },
  }
}

/** byteaout under bytea_output = escape: backslashes doubled, bytes that are no printable ASCII in octal. */
function escapeBytes(data: Buffer): string {
  let text = ''
  for (const byte of data) {
    if (byte === 0x5c) text += '\\\\'
    else if (byte < 0x20 || byte > 0x7e) text += `\\${byte.toString(8).padStart(3, '0')}`
    else text += String.fromCharCode(byte)
  }
  return text
}
