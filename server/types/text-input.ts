import { PgError } from '../base/pg-error.ts'
import { SQL_STATE, type SqlState } from '../base/sql-state.ts'
import { parseArrayText } from './array-text.ts'
import { BeyondSpanner } from './beyond-spanner.ts'
import { isBlankFrom, skipBlanks, trimBlanks, trimSpacesEnd } from './blanks.ts'
import { dateInput, timeInput, timestampInput, timestamptzInput } from './datetime-input.ts'
import { parseFloat4, parseFloat8 } from './float-input.ts'
import type { FormatSettings } from './format-settings.ts'
import { normaliseJsonb } from './jsonb-text.ts'
import { findPgType, OID } from './pg-type.ts'
import type { EncodedValue } from './spanner-type.ts'
import type { TypeForm } from './type-form.ts'
import { findTypeForm } from './type-forms.ts'
import { CITEXT, isEnumOid } from './user-type.ts'
import { encodeBool, encodeList, encodeNull, encodeNumber, encodeString } from './value.ts'

/**
 * From PostgreSQL's text to Spanner's value. Undefined: this is not plainly canonical, PostgreSQL is to be asked. What is
 * plainly wrong throws PgError with PostgreSQL's words; what PostgreSQL can hold and Spanner cannot, 22003 or 22008.
 */
export type TextInput = (text: string, settings: FormatSettings) => EncodedValue | undefined

/** The input function of a type, arrays included; undefined where the type has no storage in Spanner. */
export function findTextInput(typeOid: number): TextInput | undefined {
  const elementOid = findPgType(typeOid)?.elementOid
  if (elementOid === undefined) return scalarInput(typeOid)
  const element = scalarInput(elementOid)
  return element === undefined ? undefined : arrayInput(element)
}

function scalarInput(typeOid: number): TextInput | undefined {
  if (isEnumOid(typeOid)) return enumInput
  const form = findTypeForm(typeOid)
  return form === undefined ? INPUTS.get(typeOid) : formInput(form)
}

function formInput({ store }: TypeForm): TextInput {
  return (text) => {
    const stored = store(text)
    return stored === undefined ? undefined : encodeString(stored)
  }
}

/** Which labels there are, PostgreSQL knows. */
const enumInput: TextInput = () => undefined

function invalidSyntax(type: string, text: string): PgError {
  const message = `invalid input syntax for type ${type}: "${text}"`
  return new PgError(SQL_STATE.invalidTextRepresentation, message)
}

function cannotStore(code: SqlState, what: string): PgError {
  return new BeyondSpanner(code, `${what} cannot be stored in Spanner`)
}

const INTEGER = /^([+-]?)0*(\d*)/
/** More digits than any of the three has. */
const MAX_INTEGER_DIGITS = 20

/** pg_strtoint16, 32 and 64 (src/backend/utils/adt/numutils.c): overflow is found before what follows the digits. */
function integerInput(type: string, bits: number): TextInput {
  return (text) => {
    const start = skipBlanks(text, 0)
    const [prefix = '', sign = '', digits = ''] = INTEGER.exec(text.slice(start)) ?? []
    if (prefix === sign) throw invalidSyntax(type, text)
    const isLong = digits.length > MAX_INTEGER_DIGITS
    const integer = isLong ? 0n : BigInt(`${sign === '-' ? '-' : ''}${digits || '0'}`)
    if (isLong || BigInt.asIntN(bits, integer) !== integer) {
      const message = `value "${text}" is out of range for type ${type}`
      throw new PgError(SQL_STATE.numericValueOutOfRange, message)
    }
    if (!isBlankFrom(text, start + prefix.length)) throw invalidSyntax(type, text)
    return encodeString(integer.toString())
  }
}

const oidInput: TextInput = (text) => {
  if (!/^\d{1,10}$/.test(text)) return undefined
  const oid = Number(text)
  return oid <= 4294967295 ? encodeString(String(oid)) : undefined
}

const TRUE_WORDS = /^(?:t|tr|tru|true|y|ye|yes|on|1)$/i
const FALSE_WORDS = /^(?:f|fa|fal|fals|false|n|no|of|off|0)$/i

/** boolin: any beginning of the words that says enough. */
const boolInput: TextInput = (text) => {
  const word = trimBlanks(text)
  if (TRUE_WORDS.test(word)) return encodeBool(true)
  if (FALSE_WORDS.test(word)) return encodeBool(false)
  throw invalidSyntax('boolean', text)
}

/** Spanner's limits and PostgreSQL's: digits before and after the point. */
const NUMERIC_MAX_WHOLE_DIGITS = 131072
const NUMERIC_MAX_FRACTION_DIGITS = 16383

/** Only what numeric_out prints: zero has no sign, nothing has leading zeros or an exponent. */
const numericInput: TextInput = (text) => {
  if (text === 'NaN') return encodeString(text)
  if (text === 'Infinity' || text === '-Infinity') {
    throw cannotStore(SQL_STATE.numericValueOutOfRange, 'an infinite numeric')
  }
  const match = /^-?(0|[1-9]\d*)(?:\.(\d+))?$/.exec(text)
  if (match === null || /^-[0.]*$/.test(text)) return undefined
  const [, whole = '', fraction = ''] = match
  const fits =
    whole.length <= NUMERIC_MAX_WHOLE_DIGITS && fraction.length <= NUMERIC_MAX_FRACTION_DIGITS
  return fits ? encodeString(text) : undefined
}

const textInput: TextInput = (text) => encodeString(text)

/** char(n) is stored without its trailing blanks. */
const bpcharInput: TextInput = (text) => encodeString(trimSpacesEnd(text))

const MAX_NAME_BYTES = 63

const nameInput: TextInput = (text) =>
  Buffer.byteLength(text) <= MAX_NAME_BYTES ? encodeString(text) : undefined

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const uuidInput: TextInput = (text) =>
  UUID.test(text) ? encodeString(text.toLowerCase()) : undefined

const jsonInput: TextInput = (text) => {
  try {
    JSON.parse(text)
    return encodeString(text)
  } catch (error) {
    // PostgreSQL says what is wrong with it.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const jsonbInput: TextInput = (text) => {
  const normal = normaliseJsonb(text)
  return normal === undefined ? undefined : encodeString(normal)
}

/** byteain: hexadecimal without blanks in it, or escapes. */
const byteaInput: TextInput = (text) => {
  if (text.startsWith('\\x')) {
    if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text.slice(2))) return undefined
    return encodeBytes(Buffer.from(text.slice(2), 'hex'))
  }
  const bytes = Buffer.from(text)
  return text.includes('\\') ? unescapeBytes(bytes) : encodeBytes(bytes)
}

const BACKSLASH = 0x5c

/** A backslash stands before another one, or before three octal digits of one byte. */
function unescapeBytes(escaped: Buffer): EncodedValue | undefined {
  const bytes = Buffer.allocUnsafe(escaped.length)
  let length = 0
  for (let at = 0; at < escaped.length; at++) {
    const byte = escaped[at] ?? 0
    if (byte !== BACKSLASH) {
      bytes[length++] = byte
    } else if (escaped[at + 1] === BACKSLASH) {
      bytes[length++] = BACKSLASH
      at++
    } else {
      const octal = escaped.toString('latin1', at + 1, at + 4)
      if (!/^[0-3][0-7]{2}$/.test(octal)) return undefined
      bytes[length++] = Number.parseInt(octal, 8)
      at += 3
    }
  }
  return encodeBytes(bytes.subarray(0, length))
}

/** BYTES are base64 on the wire. */
export function encodeBytes(bytes: Buffer): EncodedValue {
  return encodeString(bytes.toString('base64'))
}

function floatInput(parse: (text: string) => number | undefined): TextInput {
  return (text) => {
    const value = parse(text)
    return value === undefined ? undefined : encodeNumber(value)
  }
}

/** What Spanner has no arrays for: 0A000. */
export function unsupportedArray(): PgError {
  return new BeyondSpanner(
    SQL_STATE.featureNotSupported,
    'arrays with more than one dimension or a lower bound other than 1 are not supported',
  )
}

function arrayInput(element: TextInput): TextInput {
  return (text, settings) => {
    const parsed = parseArrayText(text)
    if (parsed.kind === 'unsupported') throw unsupportedArray()
    if (parsed.kind === 'unknown') return undefined
    const encoded: EncodedValue[] = []
    for (const each of parsed.elements) {
      const value = each === null ? encodeNull() : element(each, settings)
      if (value === undefined) return undefined
      encoded.push(value)
    }
    return encodeList(encoded)
  }
}

const INPUTS: ReadonlyMap<number, TextInput> = new Map<number, TextInput>([
  [OID.bool, boolInput],
  [OID.int2, integerInput('smallint', 16)],
  [OID.int4, integerInput('integer', 32)],
  [OID.int8, integerInput('bigint', 64)],
  [OID.oid, oidInput],
  [OID.float4, floatInput(parseFloat4)],
  [OID.float8, floatInput(parseFloat8)],
  [OID.numeric, numericInput],
  [OID.text, textInput],
  [CITEXT, textInput],
  [OID.varchar, textInput],
  [OID.unknown, textInput],
  [OID.cstring, textInput],
  [OID.bpchar, bpcharInput],
  [OID.name, nameInput],
  [OID.json, jsonInput],
  [OID.jsonb, jsonbInput],
  [OID.uuid, uuidInput],
  [OID.bytea, byteaInput],
  [OID.date, dateInput],
  [OID.time, timeInput],
  [OID.timestamp, timestampInput],
  [OID.timestamptz, timestamptzInput],
])
