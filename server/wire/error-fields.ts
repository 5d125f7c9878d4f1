import { ByteReader } from '../base/byte-reader.ts'
import {
  type ErrorSeverity,
  type NoticeSeverity,
  PgError,
  type PgNotice,
  type ReportFields,
} from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

// The fields of ErrorResponse and NoticeResponse (manual, section 55.8). File, line and routine (F, L, R) are neither sent nor
// kept: they would name places in PostgreSQL's sources.

/** Letters of the optional fields, in the order of send_message_to_frontend (src/backend/utils/error/elog.c). */
export const FIELD_LETTERS = [
  ['D', 'detail'],
  ['H', 'hint'],
  ['W', 'where'],
  ['s', 'schema'],
  ['t', 'table'],
  ['c', 'column'],
  ['d', 'dataType'],
  ['n', 'constraint'],
  ['P', 'position'],
  ['p', 'internalPosition'],
  ['q', 'internalQuery'],
] as const satisfies readonly (readonly [string, keyof ReportFields])[]

const ERROR_SEVERITIES: ReadonlySet<string> = new Set<ErrorSeverity>(['ERROR', 'FATAL', 'PANIC'])
const NOTICE_SEVERITIES: ReadonlySet<string> = new Set<NoticeSeverity>([
  'WARNING',
  'NOTICE',
  'DEBUG',
  'INFO',
  'LOG',
])

/** Reads the body of an ErrorResponse. Malformed bytes are 08P01. */
export function parseErrorResponse(body: Buffer): PgError {
  const fields = readFields(body)
  const severity = fields.get('V') ?? fields.get('S') ?? ''
  return new PgError(fields.get('C') ?? SQL_STATE.internalError, fields.get('M') ?? '', {
    ...reportFields(fields),
    severity: isErrorSeverity(severity) ? severity : 'ERROR',
  })
}

/** Reads the body of a NoticeResponse. Malformed bytes are 08P01. */
export function parseNoticeResponse(body: Buffer): PgNotice {
  const fields = readFields(body)
  const severity = fields.get('V') ?? fields.get('S') ?? ''
  return {
    ...reportFields(fields),
    severity: isNoticeSeverity(severity) ? severity : 'NOTICE',
    code: fields.get('C') ?? SQL_STATE.successfulCompletion,
    message: fields.get('M') ?? '',
  }
}

function readFields(body: Buffer): ReadonlyMap<string, string> {
  const reader = new ByteReader(body)
  const fields = new Map<string, string>()
  for (let code = reader.uint8(); code !== 0; code = reader.uint8()) {
    fields.set(String.fromCharCode(code), reader.cstring())
  }
  reader.end()
  return fields
}

function reportFields(fields: ReadonlyMap<string, string>): ReportFields {
  const report: Record<string, string | number> = {}
  for (const [letter, name] of FIELD_LETTERS) {
    const value = fields.get(letter)
    if (value === undefined) continue
    report[name] = name === 'position' || name === 'internalPosition' ? Number(value) : value
  }
  return report
}

function isErrorSeverity(text: string): text is ErrorSeverity {
  return ERROR_SEVERITIES.has(text)
}

function isNoticeSeverity(text: string): text is NoticeSeverity {
  return NOTICE_SEVERITIES.has(text)
}
