import { status as GRPC } from '@grpc/grpc-js'
import { ProtoWriter, varintSizeBytes } from '../base/protobuf-writer.ts'
import { OID } from '../types/pg-type.ts'
import { GrpcStatus } from './grpc-status.ts'
import { elementOid } from './pg-types.ts'

/*
 * From PostgreSQL's bytes of a column to an encoded google.protobuf.Value. Each type is asked for in the format that is nearest to what
 * Spanner sends: text where the digits go through as they are, binary where text would have to be parsed.
 */

/** Tags of google.protobuf.Value (struct.proto). */
const VALUE = { null: 0x08, number: 0x11, string: 0x1a, bool: 0x20, list: 0x32 } as const
/** ListValue.values. */
const LIST_FIELD = 1

export type ResultFormat = 0 | 1

/** A value as PostgreSQL sent it: `source[start..end)`. One object serves all cells of a result. */
export interface Cell {
  source: Buffer
  start: number
  end: number
}

/** Writes a Value under the number that it has as a field of the surrounding message. */
type CellWriter = (out: ProtoWriter, field: number, cell: Readonly<Cell>) => void

/** How a column of a type is asked for and written. */
export interface ColumnEncoder {
  readonly format: ResultFormat
  readonly write: CellWriter
  /** The Value is a string whose pieces are written from pieces of the cell: it may be sent in chunks. */
  readonly pieces?: 'text' | 'base64' | undefined
}

/** SQL NULL. */
export function writeNull(out: ProtoWriter, field: number): void {
  out.header(field, 2)
  out.byte(VALUE.null)
  out.byte(0)
}

/** The text that PostgreSQL sent, as it is. */
function writeText(out: ProtoWriter, field: number, cell: Readonly<Cell>): void {
  const sizeBytes = cell.end - cell.start
  stringHeader(out, field, sizeBytes)
  out.slice(cell.source, cell.start, cell.end)
}

function writeString(out: ProtoWriter, field: number, text: string): void {
  const sizeBytes = Buffer.byteLength(text)
  stringHeader(out, field, sizeBytes)
  out.text(text, sizeBytes)
}

function stringHeader(out: ProtoWriter, field: number, sizeBytes: number): void {
  out.header(field, 1 + varintSizeBytes(sizeBytes) + sizeBytes)
  out.byte(VALUE.string)
  out.varint(sizeBytes)
}

function writeBool(out: ProtoWriter, field: number, cell: Readonly<Cell>): void {
  out.header(field, 2)
  out.byte(VALUE.bool)
  out.byte(cell.source[cell.start] === 0 ? 0 : 1)
}

function writeNumber(out: ProtoWriter, field: number, value: number): void {
  if (!Number.isFinite(value)) {
    writeString(out, field, String(value))
    return
  }
  out.header(field, 9)
  out.byte(VALUE.number)
  out.double(value)
}

function writeBase64(out: ProtoWriter, field: number, cell: Readonly<Cell>): void {
  writeString(out, field, cell.source.toString('base64', cell.start, cell.end))
}

/** Seconds from 1970-01-01 to PostgreSQL's epoch, 2000-01-01 (POSTGRES_EPOCH_JDATE). */
const EPOCH_OFFSET_SECONDS = 946_684_800

/** RFC 3339 in UTC; the fraction without trailing zeros, as Spanner writes it. `micros` count from 2000-01-01. */
export function formatTimestamp(micros: bigint): string {
  let seconds = micros / 1_000_000n
  let fraction = Number(micros % 1_000_000n)
  if (fraction < 0) {
    seconds -= 1n
    fraction += 1_000_000
  }
  const iso = isoText(Number(seconds), 'Timestamp')
  const whole = iso.slice(0, iso.length - 5)
  if (fraction === 0) return `${whole}Z`
  return `${whole}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}Z`
}

function formatDate(days: number): string {
  return isoText(days * 86_400, 'Date').slice(0, 10)
}

/** Spanner's calendar has the years 1 to 9999; PostgreSQL's is longer, and has infinite dates. */
function isoText(seconds: number, what: 'Date' | 'Timestamp'): string {
  const date = new Date((seconds + EPOCH_OFFSET_SECONDS) * 1000)
  const iso = Number.isNaN(date.getTime()) ? '' : date.toISOString()
  if (/^(?!0000)\d{4}-/.test(iso)) return iso
  throw outOfRange(what)
}

function outOfRange(what: 'Date' | 'Timestamp'): GrpcStatus {
  return new GrpcStatus(GRPC.OUT_OF_RANGE, `${what} is out of supported range`)
}

const DATE_LENGTH = 'YYYY-MM-DD'.length

/** date_out's text, which is longer for years before 1 and after 9999, and shorter for none. */
function writeDate(out: ProtoWriter, field: number, cell: Readonly<Cell>): void {
  if (cell.end - cell.start !== DATE_LENGTH) throw outOfRange('Date')
  writeText(out, field, cell)
}

function formatUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const TEXT: ColumnEncoder = { format: 0, write: writeText, pieces: 'text' }
const DATE: ColumnEncoder = { format: 0, write: writeDate }
const BYTES: ColumnEncoder = { format: 1, write: writeBase64, pieces: 'base64' }

/** Types that are asked for in binary. */
const BINARY: ReadonlyMap<number, CellWriter> = new Map<number, CellWriter>([
  [OID.bool, writeBool],
  [OID.float8, (out, field, cell) => writeNumber(out, field, cell.source.readDoubleBE(cell.start))],
  [OID.float4, (out, field, cell) => writeNumber(out, field, cell.source.readFloatBE(cell.start))],
  [OID.bytea, writeBase64],
  [
    OID.timestamptz,
    (out, field, cell) =>
      writeString(out, field, formatTimestamp(cell.source.readBigInt64BE(cell.start))),
  ],
])

/** Elements of a binary array whose scalar type is asked for in text. */
const BINARY_ELEMENT: ReadonlyMap<number, CellWriter> = new Map<number, CellWriter>([
  ...BINARY,
  [
    OID.int8,
    (out, field, { source, start }) =>
      writeString(out, field, String(source.readBigInt64BE(start))),
  ],
  [
    OID.int4,
    (out, field, { source, start }) => writeString(out, field, String(source.readInt32BE(start))),
  ],
  [
    OID.int2,
    (out, field, { source, start }) => writeString(out, field, String(source.readInt16BE(start))),
  ],
  [
    OID.oid,
    (out, field, { source, start }) => writeString(out, field, String(source.readUInt32BE(start))),
  ],
  [
    OID.date,
    (out, field, { source, start }) =>
      writeString(out, field, formatDate(source.readInt32BE(start))),
  ],
  [
    OID.uuid,
    (out, field, { source, start, end }) =>
      writeString(out, field, formatUuid(source.toString('hex', start, end))),
  ],
  // The first byte is jsonb's version.
  [
    OID.jsonb,
    (out, field, { source, start, end }) =>
      writeText(out, field, { source, start: start + 1, end }),
  ],
  [OID.text, writeText],
  [OID.varchar, writeText],
  [OID.name, writeText],
  [OID.char, writeText],
])

/** How results of a type are asked for and written. */
export function columnEncoder(oid: number): ColumnEncoder {
  const element = elementOid(oid)
  if (element === undefined) {
    if (oid === OID.bytea) return BYTES
    if (oid === OID.date) return DATE
    const write = BINARY.get(oid)
    return write === undefined ? TEXT : { format: 1, write }
  }
  const write = BINARY_ELEMENT.get(element)
  if (write === undefined) return { format: 0, write: writeTextArray }
  return { format: 1, write: (out, field, cell) => writeBinaryArray(out, field, cell, write) }
}

/** array_send (src/backend/utils/adt/arrayfuncs.c). */
function writeBinaryArray(
  out: ProtoWriter,
  field: number,
  cell: Readonly<Cell>,
  write: CellWriter,
): void {
  const { source, start } = cell
  const dimensions = source.readInt32BE(start)
  const list = new ProtoWriter()
  if (dimensions > 1) throw multidimensional()
  if (dimensions === 1) {
    const count = source.readInt32BE(start + 12)
    let at = start + 20
    for (let index = 0; index < count; index++) {
      const sizeBytes = source.readInt32BE(at)
      at += 4
      if (sizeBytes < 0) {
        writeNull(list, LIST_FIELD)
        continue
      }
      write(list, LIST_FIELD, { source, start: at, end: at + sizeBytes })
      at += sizeBytes
    }
  }
  writeList(out, field, list.take())
}

function writeList(out: ProtoWriter, field: number, elements: Buffer): void {
  out.header(field, 1 + varintSizeBytes(elements.length) + elements.length)
  out.byte(VALUE.list)
  out.varint(elements.length)
  out.raw(elements)
}

function writeTextArray(out: ProtoWriter, field: number, cell: Readonly<Cell>): void {
  const list = new ProtoWriter()
  for (const element of parseArray(cell.source.toString('utf8', cell.start, cell.end))) {
    if (element === null) writeNull(list, LIST_FIELD)
    else writeString(list, LIST_FIELD, element)
  }
  writeList(out, field, list.take())
}

/** array_out's text, one dimension. */
function parseArray(text: string): (string | null)[] {
  const elements: (string | null)[] = []
  const pattern = /"((?:[^"\\]|\\.)*)"|([^,{}"]+)|\{/gs
  const body = text.slice(text.indexOf('{') + 1, -1)
  for (const match of body.matchAll(pattern)) {
    if (match[0] === '{') throw multidimensional()
    if (match[1] !== undefined) elements.push(match[1].replace(/\\(.)/gs, '$1'))
    else elements.push(match[2] === 'NULL' ? null : (match[2] ?? null))
  }
  return elements
}

function multidimensional(): GrpcStatus {
  return new GrpcStatus(GRPC.UNIMPLEMENTED, 'Multi-dimensional arrays are not supported')
}
