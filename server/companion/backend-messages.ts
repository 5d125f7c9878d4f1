import { ByteReader } from '../base/byte-reader.ts'
import {
  type ErrorSeverity,
  type NoticeSeverity,
  PgError,
  type PgNotice,
  type ReportFields,
} from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { FieldDescription } from '../wire/field-description.ts'
import { FRAME_HEADER_BYTES, type Frame } from './backend-frames.ts'

/** A reader of the frame's body. */
export function bodyOf(frame: Frame): ByteReader {
  return new ByteReader(frame.bytes, FRAME_HEADER_BYTES)
}

/** Field codes of ErrorResponse and NoticeResponse (manual, section 55.8) that become {@link ReportFields}. */
const TEXT_FIELDS: ReadonlyMap<string, keyof ReportFields> = new Map([
  ['D', 'detail'],
  ['H', 'hint'],
  ['q', 'internalQuery'],
  ['W', 'where'],
  ['s', 'schema'],
  ['t', 'table'],
  ['c', 'column'],
  ['d', 'dataType'],
  ['n', 'constraint'],
])

function readFields(frame: Frame): ReadonlyMap<string, string> {
  const reader = bodyOf(frame)
  const fields = new Map<string, string>()
  for (let code = reader.uint8(); code !== 0; code = reader.uint8()) {
    fields.set(String.fromCharCode(code), reader.cstring())
  }
  reader.end()
  return fields
}

function reportFields(fields: ReadonlyMap<string, string>): ReportFields {
  const report: Record<string, string | number> = {}
  for (const [code, name] of TEXT_FIELDS) {
    const text = fields.get(code)
    if (text !== undefined) report[name] = text
  }
  const position = fields.get('P')
  if (position !== undefined) report['position'] = Number(position)
  const internalPosition = fields.get('p')
  if (internalPosition !== undefined) report['internalPosition'] = Number(internalPosition)
  return report
}

/** ErrorResponse as the error that a client is meant to see, with every field that PostgreSQL sent but file, line and routine. */
export function decodeError(frame: Frame): PgError {
  const fields = readFields(frame)
  // V is the severity in English; S may be translated.
  const severity = fields.get('V') ?? fields.get('S')
  return new PgError(fields.get('C') ?? SQL_STATE.internalError, fields.get('M') ?? '', {
    ...reportFields(fields),
    severity: isErrorSeverity(severity) ? severity : 'ERROR',
  })
}

function isErrorSeverity(text: string | undefined): text is ErrorSeverity {
  return text === 'ERROR' || text === 'FATAL' || text === 'PANIC'
}

const NOTICE_SEVERITIES: readonly NoticeSeverity[] = ['WARNING', 'NOTICE', 'DEBUG', 'INFO', 'LOG']

/** NoticeResponse. */
export function decodeNotice(frame: Frame): PgNotice {
  const fields = readFields(frame)
  const text = fields.get('V') ?? fields.get('S')
  return {
    ...reportFields(fields),
    severity: NOTICE_SEVERITIES.find((severity) => severity === text) ?? 'NOTICE',
    code: fields.get('C') ?? SQL_STATE.successfulCompletion,
    message: fields.get('M') ?? '',
  }
}

/** Columns of RowDescription; format codes are left out, the caller asked for them. */
export function decodeRowDescription(frame: Frame): FieldDescription[] {
  const reader = bodyOf(frame)
  const count = reader.uint16()
  reader.ensureCount(count, 19)
  const fields: FieldDescription[] = []
  for (let index = 0; index < count; index++) {
    fields.push({
      name: reader.cstring(),
      tableOid: reader.uint32(),
      attributeNumber: reader.int16(),
      typeOid: reader.uint32(),
      typeSizeBytes: reader.int16(),
      typmod: reader.int32(),
    })
    reader.int16()
  }
  reader.end()
  return fields
}

/** Type OIDs of ParameterDescription. */
export function decodeParameterDescription(frame: Frame): number[] {
  const reader = bodyOf(frame)
  const count = reader.uint16()
  reader.ensureCount(count, 4)
  return Array.from({ length: count }, () => reader.uint32())
}

/** Values of a DataRow whose columns are all in text format. */
export function decodeTextRow(frame: Frame): (string | null)[] {
  const reader = bodyOf(frame)
  const count = reader.uint16()
  reader.ensureCount(count, 4)
  return Array.from({ length: count }, () => {
    const sizeBytes = reader.int32()
    return sizeBytes < 0 ? null : reader.bytes(sizeBytes).toString('utf8')
  })
}

/** The tag of CommandComplete, such as `SELECT 3`. */
export function decodeCommandTag(frame: Frame): string {
  return bodyOf(frame).cstring()
}

/** The transaction status of ReadyForQuery: `I`dle, in `T`ransaction, `E` in a failed one. */
export function decodeTransactionStatus(frame: Frame): string {
  return String.fromCharCode(bodyOf(frame).uint8())
}
