import type { SqlState } from './sql-state.ts'

/** The severities of ErrorResponse (manual, section 55.8). ERROR ends the statement, FATAL the connection, PANIC the server. */
export type ErrorSeverity = 'ERROR' | 'FATAL' | 'PANIC'

/** The severities of NoticeResponse (manual, section 55.8). */
export type NoticeSeverity = 'WARNING' | 'NOTICE' | 'DEBUG' | 'INFO' | 'LOG'

/** The optional fields that ErrorResponse and NoticeResponse share (manual, section 55.8 "Error and Notice Message Fields"). */
export interface ReportFields {
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  /** Cursor into the client's statement text, in characters from 1. */
  readonly position?: number | undefined
  readonly internalPosition?: number | undefined
  readonly internalQuery?: string | undefined
  /** Call stack of the context ("where", field W). */
  readonly where?: string | undefined
  readonly schema?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly dataType?: string | undefined
  readonly constraint?: string | undefined
}

/** What {@link PgError} takes beyond code and message. */
export interface PgErrorOptions extends ReportFields {
  readonly severity?: ErrorSeverity
  /** True where nothing of the statement can have happened: the same request may be sent again. Unknown where absent. */
  readonly safeToRetry?: boolean | undefined
  readonly cause?: unknown
}

/** An error that the client is meant to see: one sentence in PostgreSQL's own wording under a named SQLSTATE. */
export class PgError extends Error {
  readonly code: SqlState
  readonly severity: ErrorSeverity
  readonly fields: ReportFields
  readonly safeToRetry: boolean | undefined

  constructor(code: SqlState, message: string, options: PgErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'PgError'
    this.code = code
    const { severity = 'ERROR', safeToRetry, cause: _cause, ...fields } = options
    this.severity = severity
    this.safeToRetry = safeToRetry
    this.fields = fields
  }
}

/** A notice for the client (NoticeResponse). */
export interface PgNotice extends ReportFields {
  readonly severity: NoticeSeverity
  readonly code: SqlState
  readonly message: string
}

/** A defect of Spanwire: the client gets XX000 and a short text, the log gets the stack. */
export class Bug extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Bug'
  }
}
