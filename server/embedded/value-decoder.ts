import { status as GRPC } from '@grpc/grpc-js'
import { ProtoReader } from '../base/protobuf-reader.ts'
import { OID } from '../types/pg-type.ts'
import { GrpcStatus } from './grpc-status.ts'
import { elementOid } from './pg-types.ts'

/** A parameter as Bind takes it: text as it is, bytea as its bytes. */
export type BoundValue = string | Buffer | null

type Decoded =
  | { readonly kind: 'null' }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'list'; readonly elements: readonly Decoded[] }
  | { readonly kind: 'struct' }

function decode(bytes: Buffer): Decoded {
  const reader = new ProtoReader(bytes)
  let decoded: Decoded = { kind: 'null' }
  while (reader.hasMore) {
    const tag = reader.tag()
    switch (tag >>> 3) {
      case 2:
        decoded = { kind: 'number', value: reader.double() }
        break
      case 3:
        decoded = { kind: 'string', value: reader.string() }
        break
      case 4:
        decoded = { kind: 'bool', value: reader.bool() }
        break
      case 5:
        reader.skip(tag)
        decoded = { kind: 'struct' }
        break
      case 6:
        decoded = { kind: 'list', elements: decodeList(reader.message()) }
        break
      default:
        reader.skip(tag)
    }
  }
  return decoded
}

function decodeList(reader: ProtoReader): Decoded[] {
  const elements: Decoded[] = []
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === 1) elements.push(decode(reader.bytes()))
    else reader.skip(tag)
  }
  return elements
}

/** What a Value must be for a type, in Spanner's words. */
const EXPECTED: ReadonlyMap<number, readonly [kind: Decoded['kind'], name: string]> = new Map([
  [OID.bool, ['bool', 'BOOL'] as const],
  [OID.float8, ['number', 'FLOAT64'] as const],
  [OID.float4, ['number', 'FLOAT32'] as const],
])

/** The parameter that a value is for. */
export interface Parameter {
  readonly name: string
  /** OID of its PostgreSQL type. */
  readonly oid: number
  /** Its type was given with the request. */
  readonly isDeclared: boolean
}

/**
 * The bound form of an encoded google.protobuf.Value. Where the two do not fit, throws FAILED_PRECONDITION for a declared type and
 * INVALID_ARGUMENT for an inferred one.
 */
export function decodeParameter(parameter: Parameter, bytes: Buffer): BoundValue {
  const value = decode(bytes)
  if (value.kind === 'null') return null
  const element = elementOid(parameter.oid)
  if (element !== undefined) {
    if (value.kind !== 'list') throw mismatch(parameter, 'ARRAY')
    return arrayText(parameter, value.elements, element)
  }
  return scalar(parameter, value, parameter.oid)
}

function scalar(parameter: Parameter, value: Decoded, oid: number): BoundValue {
  const [kind, typeName] = EXPECTED.get(oid) ?? ['string', typeNames.get(oid) ?? 'STRING']
  if (value.kind === 'bool' && kind === 'bool') return value.value ? 't' : 'f'
  if (kind === 'number') return floatText(parameter, value, oid)
  if (value.kind !== 'string' || kind !== 'string' || !isWellFormed(parameter, value.value, oid))
    throw mismatch(parameter, typeName)
  if (oid === OID.bytea) return decodeBase64(parameter, value.value)
  if (value.value.includes('\0')) {
    throw new GrpcStatus(GRPC.INVALID_ARGUMENT, 'invalid byte sequence for encoding "UTF8": 0x00')
  }
  return value.value
}

/** float8in's text of a number, or of a text that stands for what JSON has no number for. */
function floatText(parameter: Parameter, value: Decoded, oid: number): string {
  if (value.kind === 'string' && /^(NaN|-?Infinity)$/.test(value.value)) return value.value
  const isFloat4 = oid === OID.float4
  if (value.kind !== 'number' || (isFloat4 && isTooLargeForFloat4(value.value)))
    throw mismatch(parameter, isFloat4 ? 'FLOAT32' : 'FLOAT64')
  return numberText(value.value)
}

function isTooLargeForFloat4(value: number): boolean {
  return Number.isFinite(value) && !Number.isFinite(Math.fround(value))
}

function isWellFormed({ isDeclared }: Parameter, text: string, oid: number): boolean {
  if (isDeclared && FORMS.get(oid)?.(text) === false) return false
  if (oid === OID.int8 && /^[-+]?\d{19,}$/.test(text)) {
    const value = BigInt(text.replace('+', ''))
    return value === BigInt.asIntN(64, value)
  }
  return (
    oid !== OID.timestamptz ||
    (RFC_3339.test(text) && (text.startsWith('0000') || isDate(text.slice(0, 10))))
  )
}

/** What values of declared types are written like; of an inferred type PostgreSQL itself says what is wrong. */
const FORMS: ReadonlyMap<number, (text: string) => boolean> = new Map([
  [OID.int8, (text: string) => /^[-+]?\d+$/.test(text)],
  [OID.oid, (text: string) => /^[-+]?\d+$/.test(text)],
  [OID.numeric, (text: string) => /^(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan)$/i.test(text)],
  [OID.date, isDate],
  [OID.jsonb, isJson],
])

function isDate(text: string): boolean {
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text) ?? []
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const date = new Date(`${iso}T00:00:00Z`)
  return year > '0000' && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** google.spanner.v1.TypeCode: what a TIMESTAMP is written like; its time zone must be Z. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?[Zz]$/

/** float8in's text: JavaScript leaves out the sign of a zero. */
function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

const typeNames: ReadonlyMap<number, string> = new Map<number, string>([
  [OID.int8, 'INT64'],
  [OID.int4, 'INT64'],
  [OID.int2, 'INT64'],
  [OID.oid, 'INT64'],
  [OID.numeric, 'NUMERIC'],
  [OID.bytea, 'BYTES'],
  [OID.date, 'DATE'],
  [OID.timestamptz, 'TIMESTAMP'],
  [OID.jsonb, 'JSON'],
  [OID.uuid, 'UUID'],
  [OID.interval, 'INTERVAL'],
])

function mismatch({ name, isDeclared }: Parameter, typeName: string): GrpcStatus {
  return new GrpcStatus(
    isDeclared ? GRPC.FAILED_PRECONDITION : GRPC.INVALID_ARGUMENT,
    `Invalid value for bind parameter ${name}: Expected ${typeName}.`,
  )
}

function decodeBase64(parameter: Parameter, text: string): Buffer {
  const digits = /^([A-Za-z0-9+/]*)={0,2}$/.exec(text)?.[1]
  if (digits === undefined || digits.length % 4 === 1) throw mismatch(parameter, 'BYTES')
  return Buffer.from(text, 'base64')
}

/** array_in's text. */
function arrayText(parameter: Parameter, elements: readonly Decoded[], oid: number): string {
  const parts = elements.map((element) => {
    if (element.kind === 'null') return 'NULL'
    const bound = scalar(parameter, element, oid)
    if (bound === null) return 'NULL'
    const text = typeof bound === 'string' ? bound : `\\x${bound.toString('hex')}`
    return `"${text.replace(/["\\]/g, '\\$&')}"`
  })
  return `{${parts.join(',')}}`
}
