import { PgError, type PgNotice } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  BACKEND_TYPE,
  type BackendFrame,
  parseCommandComplete,
  parseCopyResponse,
  parseParameterDescription,
  parseRowDescription,
} from '../wire/backend-decoder.ts'
import { parseErrorResponse, parseNoticeResponse } from '../wire/error-fields.ts'
import type { CopyFormats, FieldDescription } from '../wire/field-description.ts'
import { STAND_IN_CODE, type StandIns } from './companion-types.ts'
import { decodeTextRow } from './service-rows.ts'

/** Rows of one answer that are held in memory until the guard has spoken. */
export const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024

/** The message under which PostgreSQL logs what debug_print_rewritten asks for (src/backend/tcop/postgres.c, pg_rewrite_query). */
const TREE_MESSAGE = /^rewritten parse tree:?$/

/**
 * Reads the answer to one borrowing: our own commands first, then the client's statement, then the guard's query, then what ends the transaction.
 * The parts are told apart by counting CommandComplete and ReadyForQuery.
 */
export class AnswerCollector {
  paramTypes: readonly number[] = []
  fields: readonly FieldDescription[] | undefined
  /** DataRow messages; CopyData messages of COPY TO STDOUT. */
  readonly rows: Buffer[] = []
  /** What COPY says before its data. */
  copy: CopyFormats | undefined
  tag = ''
  /** Notices of the client's statement, the tree's left out. */
  readonly notices: PgNotice[] = []
  tree: string | undefined
  /** The first error of setting up or of the statement. */
  error: PgError | undefined
  /** An error in what should have ended the transaction: the connection is of no more use. */
  endError: PgError | undefined
  /** relation -> scans in this transaction, as the guard saw them. */
  readonly scans = new Map<string, number>()
  #part: 'setup' | 'statement' | 'guard' | 'end'
  #setupLeft: number
  #homeLeft = 1
  #sizeBytes = 0
  readonly #tooLarge: (error: PgError) => void
  readonly #hear: ((message: string) => void) | undefined

  /** `setup`: CommandCompletes before the client's statement. `tooLarge` is called once when the rows pass the limit; they are dropped then. */
  constructor(setup: number, tooLarge: (error: PgError) => void, standIns?: StandIns) {
    this.#setupLeft = setup
    this.#hear = standIns?.listen()
    this.#part = setup === 0 ? 'statement' : 'setup'
    this.#tooLarge = tooLarge
  }

  /** Takes in the next message. */
  receive(frame: BackendFrame): void {
    switch (frame.type) {
      case BACKEND_TYPE.errorResponse:
        this.#receiveError(parseErrorResponse(frame.body))
        return
      case BACKEND_TYPE.readyForQuery:
        this.#part = 'end'
        return
      case BACKEND_TYPE.commandComplete:
      case BACKEND_TYPE.emptyQueryResponse:
        this.#completeCommand(frame)
        return
      case BACKEND_TYPE.noticeResponse:
        if (this.#part === 'statement') this.#receiveNotice(parseNoticeResponse(frame.body))
        return
      case BACKEND_TYPE.dataRow:
      case BACKEND_TYPE.copyData:
        this.#receiveRow(frame)
        return
      case BACKEND_TYPE.rowDescription:
        if (this.#part === 'statement') this.fields = parseRowDescription(frame.body)
        return
      case BACKEND_TYPE.copyInResponse:
      case BACKEND_TYPE.copyOutResponse:
        if (this.#part === 'statement') this.copy = parseCopyResponse(frame.body)
        return
      case BACKEND_TYPE.parameterDescription:
        this.paramTypes = parseParameterDescription(frame.body)
    }
  }

  #receiveError(error: PgError): void {
    if (this.#part === 'end') this.endError ??= error
    else this.error ??= error
  }

  #completeCommand(frame: BackendFrame): void {
    if (this.#part === 'setup') {
      this.#setupLeft--
      if (this.#setupLeft === 0) this.#part = 'statement'
    } else if (this.#part === 'statement') {
      const isCommand = frame.type === BACKEND_TYPE.commandComplete
      this.tag = isCommand ? parseCommandComplete(frame.body) : ''
      this.#part = 'guard'
    } else {
      this.#homeLeft--
    }
  }

  #receiveNotice(notice: PgNotice): void {
    const isTree = notice.severity === 'LOG' && TREE_MESSAGE.test(notice.message)
    if (isTree) this.tree = notice.detail
    else if (this.#hear !== undefined && notice.code === STAND_IN_CODE) this.#hear(notice.message)
    else this.notices.push(notice)
  }

  #receiveRow(frame: BackendFrame): void {
    if (this.#part === 'statement') {
      const before = this.#sizeBytes
      this.#sizeBytes += frame.whole.length
      if (this.#sizeBytes <= ANSWER_LIMIT_BYTES) this.rows.push(frame.whole)
      else if (before <= ANSWER_LIMIT_BYTES) this.#refuse()
    } else if (this.#part === 'guard' && this.#homeLeft === 0) {
      const [relation, scans] = decodeTextRow(frame)
      if (typeof relation === 'string') this.scans.set(relation, Number(scans))
    }
  }

  #refuse(): void {
    this.rows.length = 0
    const sizeMiB = ANSWER_LIMIT_BYTES / 1024 / 1024
    this.#tooLarge(
      new PgError(SQL_STATE.programLimitExceeded, `result is larger than ${sizeMiB} MB`, {
        hint: 'Select fewer rows or columns.',
      }),
    )
  }
}
