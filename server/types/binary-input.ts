import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { civilFromDays, POSTGRES_EPOCH_DAYS } from './calendar.ts'
import { encodeDate, encodeInstant } from './datetime-input.ts'
import { instantOfPostgresMicros, timeText } from './datetime-text.ts'
import { DEFAULT_FORMAT_SETTINGS } from './format-settings.ts'
import { binaryNumericText } from './numeric-binary.ts'
import { findPgType, OID } from './pg-type.ts'
import { invalidBinary, mustBeSized } from './received-bytes.ts'
import type { EncodedValue } from './spanner-type.ts'
import { encodeBytes, findTextInput, unsupportedArray } from './text-input.ts'
import { findTypeForm } from './type-forms.ts'
import { CITEXT, isEnumOid } from './user-type.ts'
import { mustBeText } from './utf8.ts'
import { encodeBool, encodeList, encodeNull, encodeNumber, encodeString } from './value.ts'

/**
 * A type's receive function, to Spanner's value. Undefined: PostgreSQL is to be asked. `where` ends the message about bytes
 * that are left over, as PostgreSQL's does.
 */
export type BinaryInput = (bytes: Buffer, leftOver: string) => EncodedValue | undefined

/** The receive function of a type, arrays included; undefined where the type has no storage in Spanner. */
export function findBinaryInput(typeOid: number): BinaryInput | undefined {
  const elementOid = findPgType(typeOid)?.elementOid
  if (elementOid === undefined) return scalarInput(typeOid)
  const element = scalarInput(elementOid)
  return element === undefined ? undefined : arrayInput(elementOid, element)
}

function scalarInput(typeOid: number): BinaryInput | undefined {
  if (isEnumOid(typeOid)) return enumInput
  const form = findTypeForm(typeOid)
  if (form === undefined) return INPUTS.get(typeOid)
  return (bytes, leftOver) => encodeString(form.receive(bytes, leftOver))
}

/** enum_recv, of a label that there is: what clients send, PostgreSQL reads first. */
const enumInput: BinaryInput = (bytes) => encodeString(mustBeText(bytes))

function fixedInput(sizeBytes: number, read: (bytes: Buffer) => EncodedValue): BinaryInput {
  return (bytes, leftOver) => {
    mustBeSized(bytes, sizeBytes, leftOver)
    return read(bytes)
  }
}

/** pq_getmsgbyte has words of its own. */
const boolInput: BinaryInput = (bytes, leftOver) => {
  if (bytes.length === 0) throw new PgError(SQL_STATE.protocolViolation, 'no data left in message')
  mustBeSized(bytes, 1, leftOver)
  return encodeBool(bytes[0] !== 0)
}

/** Types whose binary form is their text. */
function textualInput(typeOid: number): BinaryInput {
  const input = findTextInput(typeOid)
  return (bytes) => input?.(mustBeText(bytes), DEFAULT_FORMAT_SETTINGS)
}

const JSONB_VERSION = 1

const jsonbText = textualInput(OID.jsonb)

/** jsonb_recv. */
const jsonbInput: BinaryInput = (bytes, leftOver) => {
  if (bytes.length === 0) mustBeSized(bytes, 1, leftOver)
  const version = bytes[0]
  if (version !== JSONB_VERSION) {
    throw new PgError(SQL_STATE.internalError, `unsupported jsonb version number ${version}`)
  }
  return jsonbText(bytes.subarray(1), leftOver)
}

function uuidText(bytes: Buffer): string {
  const digits = bytes.toString('hex')
  const borders = [0, 8, 12, 16, 20, 32]
  return borders
    .slice(1)
    .map((end, i) => digits.slice(borders[i], end))
    .join('-')
}

const MIN_POSTGRES_DAYS = -2451545
const END_POSTGRES_DAYS = 2145031949
const INT32_MAX = 2147483647

/** date_recv; infinity is the largest or smallest integer. */
function receiveDate(bytes: Buffer): EncodedValue {
  const days = bytes.readInt32BE(0)
  const isInfinite = days === INT32_MAX || days === -INT32_MAX - 1
  if (!isInfinite && (days < MIN_POSTGRES_DAYS || days >= END_POSTGRES_DAYS)) {
    throw new PgError(SQL_STATE.datetimeFieldOverflow, 'date out of range')
  }
  return encodeDate(civilFromDays(days + POSTGRES_EPOCH_DAYS), nameOfInfinity(isInfinite, days))
}

function nameOfInfinity(isInfinite: boolean, value: number | bigint): string | undefined {
  if (!isInfinite) return undefined
  return value > 0 ? 'infinity' : '-infinity'
}

const INT64_MAX = 9223372036854775807n

function receiveTimestamp(bytes: Buffer): EncodedValue {
  const micros = bytes.readBigInt64BE(0)
  const isInfinite = micros === INT64_MAX || micros === -INT64_MAX - 1n
  return encodeInstant(instantOfPostgresMicros(micros), nameOfInfinity(isInfinite, micros))
}

const MICROS_PER_DAY = 86_400_000_000n

function receiveTime(bytes: Buffer): EncodedValue {
  const micros = bytes.readBigInt64BE(0)
  if (micros < 0n || micros > MICROS_PER_DAY) {
    throw new PgError(SQL_STATE.datetimeFieldOverflow, 'time out of range')
  }
  return encodeString(timeText(micros))
}

const numericInput: BinaryInput = (bytes, leftOver) => {
  const text = binaryNumericText(bytes, leftOver)
  return findTextInput(OID.numeric)?.(text, DEFAULT_FORMAT_SETTINGS)
}

function integerText(integer: number | bigint): EncodedValue {
  return encodeString(String(integer))
}

const INPUTS: ReadonlyMap<number, BinaryInput> = new Map<number, BinaryInput>([
  [OID.bool, boolInput],
  [OID.int2, fixedInput(2, (bytes) => integerText(bytes.readInt16BE(0)))],
  [OID.int4, fixedInput(4, (bytes) => integerText(bytes.readInt32BE(0)))],
  [OID.int8, fixedInput(8, (bytes) => integerText(bytes.readBigInt64BE(0)))],
  [OID.oid, fixedInput(4, (bytes) => integerText(bytes.readUInt32BE(0)))],
  [OID.float4, fixedInput(4, (bytes) => encodeNumber(bytes.readFloatBE(0)))],
  [OID.float8, fixedInput(8, (bytes) => encodeNumber(bytes.readDoubleBE(0)))],
  [OID.numeric, numericInput],
  [OID.text, textualInput(OID.text)],
  [CITEXT, textualInput(CITEXT)],
  [OID.varchar, textualInput(OID.varchar)],
  [OID.unknown, textualInput(OID.unknown)],
  [OID.cstring, textualInput(OID.cstring)],
  [OID.bpchar, textualInput(OID.bpchar)],
  [OID.name, textualInput(OID.name)],
  [OID.json, textualInput(OID.json)],
  [OID.jsonb, jsonbInput],
  [OID.uuid, fixedInput(16, (bytes) => encodeString(uuidText(bytes)))],
  [OID.bytea, encodeBytes],
  [OID.date, fixedInput(4, receiveDate)],
  [OID.time, fixedInput(8, receiveTime)],
  [OID.timestamp, fixedInput(8, receiveTimestamp)],
  [OID.timestamptz, fixedInput(8, receiveTimestamp)],
])

/** MAXDIM and MaxArraySize. */
const MAX_DIMENSIONS = 6
const MAX_ARRAY_ELEMENTS = 134217727
/** FirstGenbkiObjectId: the OIDs below are the same in every PostgreSQL. */
const FIRST_UNSTABLE_OID = 10000
const ARRAY_HEADER_BYTES = 12
const DIMENSION_BYTES = 8

/** array_recv, of one dimension. */
function arrayInput(elementOid: number, element: BinaryInput): BinaryInput {
  return (bytes, leftOver) => {
    const dimensions = readArrayHeader(bytes, elementOid)
    if (dimensions === 0) {
      mustBeSized(bytes, ARRAY_HEADER_BYTES, leftOver)
      return encodeList([])
    }
    if (bytes.length < ARRAY_HEADER_BYTES + DIMENSION_BYTES)
      mustBeSized(bytes, bytes.length + 1, '')
    const count = bytes.readInt32BE(ARRAY_HEADER_BYTES)
    if (dimensions > 1 || bytes.readInt32BE(ARRAY_HEADER_BYTES + 4) !== 1) throw unsupportedArray()
    if (count < 0 || count > MAX_ARRAY_ELEMENTS) {
      throw new PgError(
        SQL_STATE.programLimitExceeded,
        `array size exceeds the maximum allowed (${MAX_ARRAY_ELEMENTS})`,
      )
    }
    const at = ARRAY_HEADER_BYTES + DIMENSION_BYTES
    return readElements({ bytes: bytes.subarray(at), count, element, leftOver })
  }
}

function readArrayHeader(bytes: Buffer, elementOid: number): number {
  if (bytes.length < ARRAY_HEADER_BYTES) mustBeSized(bytes, ARRAY_HEADER_BYTES, '')
  const dimensions = bytes.readInt32BE(0)
  if (dimensions < 0) throw invalidBinary(`invalid number of dimensions: ${dimensions}`)
  if (dimensions > MAX_DIMENSIONS) {
    throw new PgError(
      SQL_STATE.programLimitExceeded,
      `number of array dimensions (${dimensions}) exceeds the maximum allowed (${MAX_DIMENSIONS})`,
    )
  }
  const flags = bytes.readInt32BE(4)
  if (flags !== 0 && flags !== 1) throw invalidBinary('invalid array flags')
  const sentOid = bytes.readUInt32BE(8)
  // Others are taken for what the column needs, as PostgreSQL does: they may come from another database.
  if (sentOid !== elementOid && sentOid < FIRST_UNSTABLE_OID) {
    const sent = `${sentOid} (${findPgType(sentOid)?.name ?? '???'})`
    const expected = `${elementOid} (${findPgType(elementOid)?.name ?? '???'})`
    throw new PgError(
      SQL_STATE.datatypeMismatch,
      `binary data has array element type ${sent} instead of expected ${expected}`,
    )
  }
  return dimensions
}

interface ArrayBody {
  readonly bytes: Buffer
  readonly count: number
  readonly element: BinaryInput
  readonly leftOver: string
}

function readElements({ bytes, count, element, leftOver }: ArrayBody): EncodedValue | undefined {
  const encoded: EncodedValue[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    if (bytes.length - at < 4) mustBeSized(bytes, bytes.length + 1, '')
    const sizeBytes = bytes.readInt32BE(at)
    at += 4
    if (sizeBytes < -1 || sizeBytes > bytes.length - at) {
      throw invalidBinary('insufficient data left in message')
    }
    if (sizeBytes === -1) {
      encoded.push(encodeNull())
      continue
    }
    const body = bytes.subarray(at, at + sizeBytes)
    const value = element(body, `improper binary format in array element ${i + 1}`)
    if (value === undefined) return undefined
    encoded.push(value)
    at += sizeBytes
  }
  mustBeSized(bytes, at, leftOver)
  return encodeList(encoded)
}
