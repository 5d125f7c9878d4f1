import type { ByteWriter } from '../base/byte-writer.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { arrayOutput } from './array-output.ts'
import { dateOutput, timeOutput, timestampOutput, timestamptzOutput } from './datetime-output.ts'
import type { FormatSettings } from './format-settings.ts'
import {
  boolOutput,
  float4Output,
  float8Output,
  int2Output,
  int4Output,
  int8Output,
  numericOutput,
  oidOutput,
} from './number-output.ts'
import { mustBeString, type OutputCodec, type PayloadWriter } from './payload.ts'
import { findPgType, OID } from './pg-type.ts'
import { bpcharOutput, byteaOutput, jsonbOutput, textOutput, uuidOutput } from './string-output.ts'
import { findTypeForm } from './type-forms.ts'
import { CITEXT, isEnumOid } from './user-type.ts'
import { malformedValue, VALUE_KIND, ValueScanner } from './value.ts'

/**
 * Writes one cell of a DataRow (length and payload, -1 for NULL) from the encoded google.protobuf.Value at
 * `bytes[start..end)`. A value that its type cannot have throws PgError; what was written of the cell is then the caller's
 * to truncate.
 */
export type CellWriter = (out: ByteWriter, bytes: Buffer, start: number, end: number) => void

/** The PostgreSQL type of a result column. */
export interface CellColumn {
  readonly typeOid: number
  readonly typmod: number
}

/**
 * The writer of a result column in a format (0 text, 1 binary) under a session's settings. Its bytes are those that
 * PostgreSQL's output and send functions give. Types without a codec are 0A000; an unknown TimeZone is 22023.
 */
export function cellWriter(
  column: CellColumn,
  format: 0 | 1,
  settings: FormatSettings,
): CellWriter {
  const codec = outputCodec(column, settings)
  if (format === 1) return payloadCell(codec.binary)
  return codec.isPassThrough === true
    ? stringCell(typeName(column.typeOid))
    : payloadCell(codec.text)
}

function payloadCell(payload: PayloadWriter): CellWriter {
  const value = new ValueScanner()
  return (out, bytes, start, end) => {
    if (value.scan(bytes, start, end) === VALUE_KIND.null) {
      out.int32(-1)
      return
    }
    const header = out.length
    out.int32(0)
    payload(out, value, bytes)
    out.setInt32(header, out.length - header - 4)
  }
}

/** The common case, without a look back at the length. */
function stringCell(name: string): CellWriter {
  const value = new ValueScanner()
  return (out, bytes, start, end) => {
    if (value.scan(bytes, start, end) === VALUE_KIND.null) {
      out.int32(-1)
      return
    }
    mustBeString(value, name)
    out.int32(value.end - value.start)
    out.slice(bytes, value.start, value.end)
  }
}

function outputCodec(column: CellColumn, settings: FormatSettings): OutputCodec {
  const elementOid = findPgType(column.typeOid)?.elementOid
  const scalar = { typeOid: elementOid ?? column.typeOid, typmod: column.typmod }
  const codec = scalarCodec(scalar, settings)
  if (codec === undefined) {
    throw new PgError(
      SQL_STATE.featureNotSupported,
      `type ${typeName(column.typeOid)} is not supported in results from Spanner`,
      { hint: 'Cast the column to text.' },
    )
  }
  return elementOid === undefined ? codec : arrayOutput(elementOid, codec)
}

function typeName(oid: number): string {
  return findPgType(oid)?.name ?? `with OID ${oid}`
}

function scalarCodec(column: CellColumn, settings: FormatSettings): OutputCodec | undefined {
  switch (column.typeOid) {
    case OID.bool:
      return boolOutput
    case OID.int2:
      return int2Output
    case OID.int4:
      return int4Output
    case OID.int8:
      return int8Output
    case OID.oid:
      return oidOutput
    case OID.float4:
      return float4Output(settings.extraFloatDigits)
    case OID.float8:
      return float8Output(settings.extraFloatDigits)
    case OID.numeric:
      return numericOutput(column.typmod)
    case OID.date:
      return dateOutput(settings)
    case OID.time:
      return timeOutput
    case OID.timestamp:
      return timestampOutput(settings)
    case OID.timestamptz:
      return timestamptzOutput(settings)
    default:
      return stringCodec(column, settings)
  }
}

function stringCodec(column: CellColumn, settings: FormatSettings): OutputCodec | undefined {
  switch (column.typeOid) {
    case OID.text:
    case CITEXT:
    case OID.varchar:
    case OID.name:
    case OID.json:
    case OID.unknown:
    case OID.cstring:
      return textOutput(typeName(column.typeOid))
    case OID.bpchar:
      return bpcharOutput(column.typmod)
    case OID.bytea:
      return byteaOutput(settings.byteaOutput)
    case OID.uuid:
      return uuidOutput
    case OID.jsonb:
      return jsonbOutput
    default:
      if (isEnumOid(column.typeOid)) return textOutput(typeName(column.typeOid))
      return formCodec(column.typeOid, settings)
  }
}

/** A type that Spanner has nothing like. */
function formCodec(typeOid: number, settings: FormatSettings): OutputCodec | undefined {
  const form = findTypeForm(typeOid)
  if (form === undefined) return undefined
  const name = typeName(typeOid)
  return {
    text: (out, value) => {
      mustBeString(value, name)
      out.text(mustBeForm(form.print(value.text(), settings), name))
    },
    binary: (out, value) => {
      mustBeString(value, name)
      out.bytes(mustBeForm(form.send(value.text()), name))
    },
  }
}

function mustBeForm<T>(output: T | undefined, name: string): T {
  if (output === undefined) throw malformedValue(`not of type ${name}`)
  return output
}
