import type { ByteWriter } from '../base/byte-writer.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { float4Text, float8Text } from './float-text.ts'
import { NUMERIC_SIGN } from './numeric-binary.ts'
import {
  type NumericGroups,
  parseNumericText,
  rescaleNumericText,
  scaleOfTypmod,
} from './numeric-value.ts'
import { copyString, mustBeString, type OutputCodec, type PayloadWriter } from './payload.ts'
import { malformedValue, VALUE_KIND, type ValueScanner } from './value.ts'

/** bool: t and f, or one byte. */
export const boolOutput: OutputCodec = {
  text: (out, value) => out.int8(isTrue(value) ? 0x74 : 0x66),
  binary: (out, value) => out.int8(isTrue(value) ? 1 : 0),
}

function isTrue(value: ValueScanner): boolean {
  if (value.kind !== VALUE_KIND.bool) throw malformedValue('no bool for type boolean')
  return value.start === 1
}

interface IntegerRange {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly write: (out: ByteWriter, integer: number) => void
}

/** int2, int4 and oid are INT64 in Spanner: what does not fit is 22003, as PostgreSQL's own arithmetic says it. */
function smallIntegerOutput(range: IntegerRange): OutputCodec {
  const read = (value: ValueScanner, bytes: Buffer): number => {
    mustBeString(value, range.name)
    checkInteger(bytes, value.start, value.end)
    const integer = readInteger(bytes, value.start, value.end)
    if (integer < range.min || integer > range.max) {
      throw new PgError(SQL_STATE.numericValueOutOfRange, `${range.name} out of range`)
    }
    return integer
  }
  return {
    text: (out, value, bytes) => {
      read(value, bytes)
      out.slice(bytes, value.start, value.end)
    },
    binary: (out, value, bytes) => range.write(out, read(value, bytes)),
  }
}

export const int2Output = smallIntegerOutput({
  name: 'smallint',
  min: -32768,
  max: 32767,
  write: (out, integer) => out.int16(integer),
})

export const int4Output = smallIntegerOutput({
  name: 'integer',
  min: -2147483648,
  max: 2147483647,
  write: (out, integer) => out.int32(integer),
})

export const oidOutput = smallIntegerOutput({
  name: 'OID',
  min: 0,
  max: 4294967295,
  write: (out, integer) => out.uint32(integer),
})

export const int8Output: OutputCodec = {
  text: (out, value, bytes) => {
    mustBeString(value, 'bigint')
    checkInteger(bytes, value.start, value.end)
    out.slice(bytes, value.start, value.end)
  },
  binary: (out, value, bytes) => {
    mustBeString(value, 'bigint')
    checkInteger(bytes, value.start, value.end)
    if (value.end - value.start <= MAX_EXACT_LENGTH) {
      out.safeInt64(readInteger(bytes, value.start, value.end))
      return
    }
    const integer = BigInt(value.ascii())
    if (BigInt.asIntN(64, integer) !== integer) throw malformedValue('bigint')
    out.int64(integer)
  },
}

const MINUS = 0x2d
/** Texts of integers that a number holds exactly, whatever their digits. */
const MAX_EXACT_LENGTH = 15

/** A minus sign, if any, and digits. */
function checkInteger(bytes: Buffer, start: number, end: number): void {
  const first = bytes[start] === MINUS ? start + 1 : start
  if (first >= end) throw malformedValue('integer')
  for (let i = first; i < end; i++) {
    const digit = bytes[i] ?? 0
    if (digit < 0x30 || digit > 0x39) throw malformedValue('integer')
  }
}

/** Exact up to 2^53; larger ones only have to stay larger. */
function readInteger(bytes: Buffer, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS
  let integer = 0
  for (let i = isNegative ? start + 1 : start; i < end; i++) {
    integer = integer * 10 + ((bytes[i] ?? 0) - 0x30)
  }
  return isNegative ? 0 - integer : integer
}

/** number_value, or a string_value for the three numbers that JSON lacks. */
function readFloat(value: ValueScanner): number {
  if (value.kind === VALUE_KIND.number) return value.number()
  if (value.kind === VALUE_KIND.string) {
    const text = value.ascii()
    if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text)
  }
  throw malformedValue('no number for a floating-point type')
}

/** float8. */
export function float8Output(extraFloatDigits: number): OutputCodec {
  return {
    text: (out, value) => {
      out.text(float8Text(readFloat(value), extraFloatDigits))
    },
    binary: (out, value) => out.float64(readFloat(value)),
  }
}

/** float4: FLOAT32 arrives widened to a double. */
export function float4Output(extraFloatDigits: number): OutputCodec {
  return {
    text: (out, value) => {
      out.text(float4Text(readFloat(value), extraFloatDigits))
    },
    binary: (out, value) => out.float32(readFloat(value)),
  }
}

/** numeric: Spanner keeps the scale of a value; a declared scale is put back, for Spanner stores a bare numeric. */
export function numericOutput(typmod: number): OutputCodec {
  const scale = scaleOfTypmod(typmod)
  const copy = copyString('numeric')
  return {
    text:
      scale === undefined
        ? copy
        : (out, value) => {
            mustBeString(value, 'numeric')
            out.text(rescaleNumericText(value.ascii(), scale))
          },
    binary: numericBinary(scale),
    isPassThrough: scale === undefined,
  }
}

function numericBinary(scale: number | undefined): PayloadWriter {
  return (out, value) => {
    mustBeString(value, 'numeric')
    const text = value.ascii()
    if (text === 'NaN') {
      writeNumeric(out, { weight: 0, displayScale: 0, groups: [] }, NUMERIC_SIGN.nan)
      return
    }
    const number = parseNumericText(scale === undefined ? text : rescaleNumericText(text, scale))
    if (number === undefined) throw malformedValue('numeric')
    writeNumeric(out, number, number.isNegative ? NUMERIC_SIGN.negative : NUMERIC_SIGN.positive)
  }
}

/** numeric_send. */
function writeNumeric(
  out: ByteWriter,
  value: Omit<NumericGroups, 'isNegative'>,
  sign: number,
): void {
  out.uint16(value.groups.length)
  out.int16(value.weight)
  out.uint16(sign)
  out.uint16(value.displayScale)
  for (const group of value.groups) out.uint16(group)
}
