import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Format } from '../wire/field-description.ts'
import { formatAt, type RowSource } from './answer.ts'
import { notSupported } from './client-error.ts'
import { Cursor } from './cursor.ts'

/** What DECLARE says of a cursor. */
export interface CursorOptions {
  readonly name: string
  readonly binary: boolean
  /** SCROLL, NO SCROLL; undefined: neither was said. */
  readonly scroll: boolean | undefined
  readonly hold: boolean
  readonly columnCount: number
  /** Runs the query; its values come in these formats. */
  readonly run: (formats: readonly Format[]) => Promise<RowSource>
}

/**
 * A cursor from DECLARE on. Its query is run when the first rows are wanted, or before something is changed that it must not see; the formats
 * of its values are those that were wanted then.
 */
export class DeclaredCursor {
  readonly options: CursorOptions
  #cursor: Cursor | undefined
  #formats: readonly Format[] = []
  /** It outlives the transaction that declared it, which is over. */
  #isHeld = false
  #hasFailed = false

  constructor(options: CursorOptions) {
    this.options = options
  }

  /** Those of the rows as they came, where the query has been run. */
  get currentFormats(): readonly Format[] {
    return this.#cursor === undefined ? this.formats : this.#formats
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Those in which rows go to a client that does not say how it wants them. */
  get formats(): readonly Format[] {
    return this.options.binary ? [BINARY] : []
  }

  /** Reads all rows; to be called in the transaction that declared it. */
  async hold(): Promise<void> {
    await this.go(this.formats, (cursor) => cursor.hold())
  }

  /** Its transaction was committed. */
  outliveTransaction(): void {
    this.#isHeld = true
  }

  /** Goes to rows, with their values in these formats; the query is run where it has not been. */
  async go<T>(formats: readonly Format[], move: (cursor: Cursor) => Promise<T>): Promise<T> {
    if (this.#hasFailed) throw cannotBeRun(this.options.name)
    try {
      return await move(await this.#open(formats))
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
  }

  async #open(formats: readonly Format[]): Promise<Cursor> {
    if (this.#cursor === undefined) {
      this.#formats = formats
      this.#cursor = new Cursor(await this.options.run(formats), this.options.scroll)
    } else if (!this.#isIn(formats)) {
      throw notSupported(
        'reading a cursor in two formats',
        'Ask for text and binary values by cursors of their own, and for binary ones before anything is changed.',
      )
    }
    return this.#cursor
  }

  /** Runs the query where that has not been done: what comes next may change what it reads. */
  async see(): Promise<void> {
    if (this.#cursor !== undefined) return
    await this.go(this.formats, (cursor) => cursor.see())
  }

  close(): void {
    this.#cursor?.close()
  }

  #isIn(formats: readonly Format[]): boolean {
    for (let column = 0; column < this.options.columnCount; column++) {
      if (formatAt(formats, column) !== formatAt(this.#formats, column)) return false
    }
    return true
  }
}

const BINARY: Format = 1

/** MarkPortalFailed and PortalRun (src/backend/tcop/pquery.c). */
function cannotBeRun(name: string): PgError {
  return new PgError(SQL_STATE.objectNotInPrerequisiteState, `portal "${name}" cannot be run`)
}
