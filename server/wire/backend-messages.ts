import type { ByteWriter } from '../base/byte-writer.ts'
import type { PgError, PgNotice, ReportFields } from '../base/pg-error.ts'
import { FIELD_LETTERS } from './error-fields.ts'
import type { FieldDescription, Format } from './field-description.ts'
import { beginMessage, endMessage, writeEmpty } from './message-frame.ts'

// What the server sends, one function a message, into a ByteWriter (manual, section 55.7). Strings hold no zero byte:
// they came over the wire or from a catalog; texts of errors are the exception.

/** Status of ReadyForQuery: idle, in a transaction block, in a failed transaction block. */
export type TransactionStatus = 'I' | 'T' | 'E'

const AUTHENTICATION_OK = 0

/** AuthenticationOk. */
export function writeAuthenticationOk(out: ByteWriter): void {
  const start = beginMessage(out, 'R')
  out.int32(AUTHENTICATION_OK)
  endMessage(out, start)
}

/** ParameterStatus. */
export function writeParameterStatus(out: ByteWriter, name: string, value: string): void {
  const start = beginMessage(out, 'S')
  out.cstring(name)
  out.cstring(value)
  endMessage(out, start)
}

/** NotificationResponse: what NOTIFY of process `processId` sent. */
export function writeNotification(
  out: ByteWriter,
  { processId, channel, payload }: { processId: number; channel: string; payload: string },
): void {
  const start = beginMessage(out, 'A')
  out.int32(processId)
  out.cstring(channel)
  out.cstring(payload)
  endMessage(out, start)
}

/** BackendKeyData: `secretKey` has 4 bytes before protocol 3.2, then up to 256. */
export function writeBackendKeyData(out: ByteWriter, processId: number, secretKey: Buffer): void {
  const start = beginMessage(out, 'K')
  out.int32(processId)
  out.bytes(secretKey)
  endMessage(out, start)
}

/** NegotiateProtocolVersion: the newest minor version of protocol 3 that is spoken, and the `_pq_.` options that are not known. */
export function writeNegotiateProtocolVersion(
  out: ByteWriter,
  newestMinor: number,
  unrecognizedOptions: readonly string[],
): void {
  const start = beginMessage(out, 'v')
  out.int32((3 << 16) | newestMinor)
  out.int32(unrecognizedOptions.length)
  for (const option of unrecognizedOptions) out.cstring(option)
  endMessage(out, start)
}

/** ReadyForQuery. */
export function writeReadyForQuery(out: ByteWriter, status: TransactionStatus): void {
  const start = beginMessage(out, 'Z')
  out.int8(status.charCodeAt(0))
  endMessage(out, start)
}

/** RowDescription. `formats` as in Bind: none is text for all, one is for all, else one a field. */
export function writeRowDescription(
  out: ByteWriter,
  fields: readonly FieldDescription[],
  formats: readonly Format[],
): void {
  const start = beginMessage(out, 'T')
  out.uint16(fields.length)
  for (const [index, field] of fields.entries()) {
    out.cstring(field.name)
    out.uint32(field.tableOid)
    out.int16(field.attributeNumber)
    out.uint32(field.typeOid)
    out.int16(field.typeSizeBytes)
    out.int32(field.typmod)
    out.int16(formatAt(formats, index))
  }
  endMessage(out, start)
}

/** The format of column or parameter `index` (from 0) under the rule of Bind: none is text for all, one is for all, else one each. */
export function formatAt(formats: readonly Format[], index: number): Format {
  return (formats.length === 1 ? formats[0] : formats[index]) ?? 0
}

/** ParameterDescription. */
export function writeParameterDescription(out: ByteWriter, typeOids: readonly number[]): void {
  const start = beginMessage(out, 't')
  out.uint16(typeOids.length)
  for (const typeOid of typeOids) out.uint32(typeOid)
  endMessage(out, start)
}

/** NoData: the statement or portal that was described returns no rows. */
export function writeNoData(out: ByteWriter): void {
  writeEmpty(out, 'n')
}

/** ParseComplete. */
export function writeParseComplete(out: ByteWriter): void {
  writeEmpty(out, '1')
}

/** BindComplete. */
export function writeBindComplete(out: ByteWriter): void {
  writeEmpty(out, '2')
}

/** CloseComplete. */
export function writeCloseComplete(out: ByteWriter): void {
  writeEmpty(out, '3')
}

/** PortalSuspended: Execute stopped at its row limit. */
export function writePortalSuspended(out: ByteWriter): void {
  writeEmpty(out, 's')
}

/** EmptyQueryResponse: takes the place of CommandComplete for an empty query string. */
export function writeEmptyQueryResponse(out: ByteWriter): void {
  writeEmpty(out, 'I')
}

/** CommandComplete, with its tag as PostgreSQL spells it (`INSERT 0 1`). */
export function writeCommandComplete(out: ByteWriter, tag: string): void {
  const start = beginMessage(out, 'C')
  out.cstring(tag)
  endMessage(out, start)
}

/**
 * Begins a DataRow; the values follow, each as a length in four bytes and the bytes (-1 and nothing for NULL). What it returns is
 * for {@link endDataRow}; the writer is not to be taken in between.
 */
export function beginDataRow(out: ByteWriter, columnCount: number): number {
  const start = beginMessage(out, 'D')
  out.uint16(columnCount)
  return start
}

/** Ends a DataRow: fills in its length. */
export function endDataRow(out: ByteWriter, start: number): void {
  endMessage(out, start)
}

/** ErrorResponse, with severity in both forms (S and V). */
export function writeError(out: ByteWriter, error: PgError): void {
  writeReport(out, 'E', error, error.fields)
}

/** NoticeResponse, with severity in both forms (S and V). */
export function writeNotice(out: ByteWriter, notice: PgNotice): void {
  writeReport(out, 'N', notice, notice)
}

interface ReportHead {
  readonly severity: string
  readonly code: string
  readonly message: string
}

function writeReport(out: ByteWriter, letter: string, head: ReportHead, fields: ReportFields) {
  const start = beginMessage(out, letter)
  writeField(out, 'S', head.severity)
  writeField(out, 'V', head.severity)
  writeField(out, 'C', head.code)
  writeField(out, 'M', head.message)
  for (const [fieldLetter, name] of FIELD_LETTERS) {
    const value = fields[name]
    if (value !== undefined) writeField(out, fieldLetter, String(value))
  }
  out.int8(0)
  endMessage(out, start)
}

/** A zero byte would end the field and turn the rest into other fields: texts of foreign errors may hold one. */
function writeField(out: ByteWriter, letter: string, value: string): void {
  out.int8(letter.charCodeAt(0))
  out.cstring(value.includes('\0') ? value.replaceAll('\0', '') : value)
}

/** CopyInResponse: the server waits for CopyData. `columnFormats` has an entry a column. */
export function writeCopyInResponse(
  out: ByteWriter,
  format: Format,
  columnFormats: readonly Format[],
): void {
  writeCopyResponse(out, 'G', format, columnFormats)
}

/** CopyOutResponse: CopyData follows. `columnFormats` has an entry a column. */
export function writeCopyOutResponse(
  out: ByteWriter,
  format: Format,
  columnFormats: readonly Format[],
): void {
  writeCopyResponse(out, 'H', format, columnFormats)
}

/** CopyData: one row of COPY TO. */
export function writeCopyData(out: ByteWriter, data: Uint8Array): void {
  const start = beginMessage(out, 'd')
  out.bytes(data)
  endMessage(out, start)
}

/** CopyDone. */
export function writeCopyDone(out: ByteWriter): void {
  writeEmpty(out, 'c')
}

function writeCopyResponse(
  out: ByteWriter,
  letter: string,
  format: Format,
  columnFormats: readonly Format[],
): void {
  const start = beginMessage(out, letter)
  out.int8(format)
  out.uint16(columnFormats.length)
  for (const columnFormat of columnFormats) out.int16(columnFormat)
  endMessage(out, start)
}
