import { Bug } from '../base/pg-error.ts'
import { civilFromDays, POSTGRES_EPOCH_DAYS } from './calendar.ts'
import {
  dateText,
  instantOfPostgresMicros,
  timestampText,
  timestamptzText,
  timeText,
} from './datetime-text.ts'
import { arrayDatumText } from './datum-array.ts'
import { jsonbDatumText } from './datum-jsonb.ts'
import { numericDatumText } from './datum-numeric.ts'
import { float4Text, float8Text } from './float-text.ts'
import { DEFAULT_FORMAT_SETTINGS, parseDateStyle } from './format-settings.ts'
import { findPgType, OID } from './pg-type.ts'
import type { EncodedValue } from './spanner-type.ts'
import { findTextInput } from './text-input.ts'
import { mustTimeZone } from './time-zone.ts'
import { findTypeForm } from './type-forms.ts'
import { CITEXT, isEnumArrayOid, isEnumOid } from './user-type.ts'
import { encodeString } from './value.ts'
import { readVarlena } from './varlena.ts'

/*
 * The constants of a query tree are Datums: the bytes that PostgreSQL holds in memory, little-endian on every platform that we
 * ship. By-value types come as the eight bytes of a Datum, of which the type's own length counts; the others as the bytes that
 * the pointer leads to. Canonical text is what the output function prints under DateStyle ISO, IntervalStyle postgres,
 * TimeZone UTC, bytea_output hex and extra_float_digits 1.
 */

/**
 * The canonical text of a Datum that is not NULL, or undefined where the type is not one of those below, or the bytes are not
 * a value of it. OIDs of objects (regclass, regtype ...) come as their numbers. Arguments are those of Const in
 * sql/query-tree.ts: `lengthBytes` is pg_type.typlen. An enum's Datum is the OID of its label: its constants must have been given their
 * text (sql/enum-constants.ts).
 */
export function datumToText(
  typeOid: number,
  bytes: Buffer,
  lengthBytes: number,
  byValue: boolean,
): string | undefined {
  if (isEnumOid(typeOid) || isEnumArrayOid(typeOid)) {
    return lengthBytes === CSTRING_LENGTH ? zeroTerminated(bytes) : undefined
  }
  const elementOid = findPgType(typeOid)?.elementOid
  const element = elementOid === undefined ? undefined : findPgType(elementOid)
  if (element !== undefined) {
    return arrayDatumText(bytes, element, (each) => scalarText(element.oid, each))
  }
  if (byValue && (bytes.length !== 8 || lengthBytes > 8)) return undefined
  return scalarText(typeOid, lengthBytes > 0 ? bytes.subarray(0, lengthBytes) : bytes)
}

/**
 * The value for Spanner of a canonical text (of `datumToText`, or of PostgreSQL's own output under ISO; timestamptz with
 * its offset). Undefined where the type has no storage in Spanner. Throws PgError 22003 or 22008 for values that Spanner cannot
 * hold.
 */
export function encodeText(typeOid: number, canonicalText: string): EncodedValue | undefined {
  // What PostgreSQL printed is valid, and Spanner normalises as PostgreSQL does.
  if (typeOid === OID.jsonb || typeOid === OID.json) return encodeString(canonicalText)
  const input = findTextInput(typeOid)
  if (input === undefined) return undefined
  const value = input(canonicalText, DEFAULT_FORMAT_SETTINGS)
  if (value === undefined) throw new Bug(`text of type ${typeOid} is not canonical`)
  return value
}

/** pg_type.typlen of cstring. */
export const CSTRING_LENGTH = -2

/** Text of the bytes of one value: of a by-value type exactly its length, of a varlena with its header. */
type DatumText = (bytes: Buffer) => string | undefined

function scalarText(typeOid: number, bytes: Buffer): string | undefined {
  const print = DATUM_TEXTS.get(typeOid) ?? findTypeForm(typeOid)?.datumText
  return print?.(bytes)
}

function sized(sizeBytes: number, print: (bytes: Buffer) => string | undefined): DatumText {
  return (bytes) => (bytes.length === sizeBytes ? print(bytes) : undefined)
}

function varlena(print: (data: Buffer) => string | undefined): DatumText {
  return (bytes) => {
    const content = readVarlena(bytes, 0)
    return content === undefined ? undefined : print(content.data)
  }
}

const text = varlena((data) => data.toString('utf8'))
const objectId = sized(4, (bytes) => String(bytes.readUInt32LE(0)))

/** Text that ends with a zero byte. */
function zeroTerminated(bytes: Buffer): string {
  const zero = bytes.indexOf(0)
  return bytes.toString('utf8', 0, zero < 0 ? bytes.length : zero)
}

const ISO = parseDateStyle(DEFAULT_FORMAT_SETTINGS.dateStyle)
const INT32_MAX = 2147483647
const INT64_MAX = 9223372036854775807n

function dateDatumText(bytes: Buffer): string {
  const days = bytes.readInt32LE(0)
  if (days === INT32_MAX) return 'infinity'
  if (days === -INT32_MAX - 1) return '-infinity'
  return dateText(civilFromDays(days + POSTGRES_EPOCH_DAYS), ISO)
}

function instantDatumText(hasZone: boolean): DatumText {
  return sized(8, (bytes) => {
    const micros = bytes.readBigInt64LE(0)
    if (micros === INT64_MAX) return 'infinity'
    if (micros === -INT64_MAX - 1n) return '-infinity'
    const instant = instantOfPostgresMicros(micros)
    return hasZone
      ? timestamptzText(instant, ISO, mustTimeZone('UTC'))
      : timestampText(instant, ISO)
  })
}

function uuidDatumText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const DATUM_TEXTS: ReadonlyMap<number, DatumText> = new Map<number, DatumText>([
  [OID.bool, sized(1, (bytes) => (bytes[0] === 0 ? 'f' : 't'))],
  [OID.int2, sized(2, (bytes) => String(bytes.readInt16LE(0)))],
  [OID.int4, sized(4, (bytes) => String(bytes.readInt32LE(0)))],
  [OID.int8, sized(8, (bytes) => String(bytes.readBigInt64LE(0)))],
  [OID.oid, objectId],
  [OID.xid, objectId],
  [OID.regproc, objectId],
  [OID.regprocedure, objectId],
  [OID.regclass, objectId],
  [OID.regtype, objectId],
  [OID.regnamespace, objectId],
  [OID.regrole, objectId],
  [OID.float4, sized(4, (bytes) => float4Text(bytes.readFloatLE(0), 1))],
  [OID.float8, sized(8, (bytes) => float8Text(bytes.readDoubleLE(0), 1))],
  [OID.numeric, varlena(numericDatumText)],
  [OID.text, text],
  [CITEXT, text],
  [OID.varchar, text],
  [OID.bpchar, text],
  [OID.json, text],
  [OID.jsonb, varlena(jsonbDatumText)],
  [OID.bytea, varlena((data) => `\\x${data.toString('hex')}`)],
  [OID.name, zeroTerminated],
  [OID.unknown, zeroTerminated],
  [OID.cstring, zeroTerminated],
  [OID.uuid, sized(16, uuidDatumText)],
  [OID.date, sized(4, dateDatumText)],
  [OID.time, sized(8, (bytes) => timeText(bytes.readBigInt64LE(0)))],
  [OID.timestamp, instantDatumText(false)],
  [OID.timestamptz, instantDatumText(true)],
])
