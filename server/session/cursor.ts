import { ByteWriter } from '../base/byte-writer.ts'
import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { splitDataRows } from '../wire/data-row.ts'
import type { RowSink, RowSource } from './answer.ts'

/** Rows that a cursor keeps so that it can go back. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024
/** Rows are kept and passed on so many bytes at a time. */
const PIECE_BYTES = 16 * 1024

/** A number of rows, or all that there are in that direction. */
export type RowsAsked = number | 'all'

/** Where rows go; undefined: they are only gone over. */
type Sink = RowSink | undefined

/**
 * Rows that are read in both directions (DoPortalRunFetch of src/backend/tcop/pquery.c). What was read is kept, so that it can be read again;
 * where that is too much, a cursor that was not declared SCROLL goes on forward only. The methods resolve to how many rows they came to.
 */
export class Cursor {
  readonly #source: RowSource
  /** SCROLL, NO SCROLL; undefined: neither was said. */
  readonly #scroll: boolean | undefined
  #kept: Buffer[] | undefined
  #keptBytes = 0
  /** Rows that came out of the source. */
  #count = 0
  #isRead = false
  #failure: { readonly error: unknown } | undefined
  /** 0: before the first row; one more than there are rows: behind the last. */
  #position = 0

  constructor(source: RowSource, scroll: boolean | undefined) {
    this.#source = source
    this.#scroll = scroll
    this.#kept = scroll === false ? undefined : []
  }

  close(): void {
    this.#source.close()
  }

  /** Runs the query: its rows are those that are there now. What it fails with belongs to whoever asks for the rows. */
  async see(): Promise<void> {
    if (this.#count > 0 || this.#isRead) return
    this.#kept ??= []
    try {
      await this.#read(undefined, 1)
    } catch (error) {
      this.#failure = { error }
    }
  }

  /** Reads all rows and keeps them, for a cursor WITH HOLD. */
  async hold(): Promise<void> {
    this.#kept ??= []
    await this.#read(undefined, 'all')
    this.#demandKept()
  }

  forward(sink: Sink, count: RowsAsked): Promise<number> {
    if (count === 0) return this.#again(sink)
    return isNegative(count) ? this.#back(sink, -count) : this.#advance(sink, count)
  }

  backward(sink: Sink, count: RowsAsked): Promise<number> {
    if (count === 0) return this.#again(sink)
    return isNegative(count) ? this.#advance(sink, -count) : this.#back(sink, count)
  }

  /** The row of that number, counted from the last one where it is negative. */
  async absolute(sink: Sink, number: number): Promise<number> {
    if (number < 0) {
      await this.#advance(undefined, 'all')
      return this.#goBackTo(sink, this.#count + 1 + number)
    }
    if (number <= this.#position) return this.#goBackTo(sink, number)
    await this.#advance(undefined, number - 1 - this.#position)
    return this.#advance(sink, 1)
  }

  async relative(sink: Sink, rows: number): Promise<number> {
    if (rows === 0) return this.#again(sink)
    if (rows < 0) {
      await this.#back(undefined, -rows - 1)
      return this.#back(sink, 1)
    }
    await this.#advance(undefined, rows - 1)
    return this.#advance(sink, 1)
  }

  async #goBackTo(sink: Sink, number: number): Promise<number> {
    if (this.#position > 0) this.#demandBack()
    this.#position = Math.max(0, number - 1)
    return number > 0 ? this.#advance(sink, 1) : 0
  }

  /** The row that it stands on. */
  async #again(sink: Sink): Promise<number> {
    const isOnRow = this.#position > 0 && this.#position <= this.#count
    if (!isOnRow) return 0
    if (sink === undefined) return 1
    this.#demandBack()
    await this.#write(sink)
    return 1
  }

  async #advance(sink: Sink, count: RowsAsked): Promise<number> {
    const wanted = count === 'all' ? Number.POSITIVE_INFINITY : count
    let moved = 0
    while (moved < wanted && this.#position < this.#count) {
      this.#position++
      moved++
      await this.#write(sink)
    }
    if (moved < wanted && !this.#isRead) {
      const read = await this.#read(sink, count === 'all' ? 'all' : wanted - moved)
      this.#position += read
      moved += read
    }
    if (moved < wanted) this.#position = this.#count + 1
    return moved
  }

  async #back(sink: Sink, count: RowsAsked): Promise<number> {
    const wanted = count === 'all' ? Number.POSITIVE_INFINITY : count
    if (wanted > 0 && this.#position > 0) this.#demandBack()
    let moved = 0
    while (moved < wanted && this.#position > 1) {
      this.#position--
      moved++
      await this.#write(sink)
    }
    if (moved < wanted) this.#position = 0
    return moved
  }

  #demandBack(): void {
    if (this.#scroll !== false && this.#kept !== undefined) return
    throw new PgError(SQL_STATE.objectNotInPrerequisiteState, 'cursor can only scan forward', {
      hint: 'Declare it with SCROLL option to enable backward scan.',
    })
  }

  /** The row of the position, which is kept. */
  async #write(sink: Sink): Promise<void> {
    if (sink === undefined) return
    const row = this.#kept?.[this.#position - 1]
    if (row === undefined) throw new Bug('a cursor has not kept its row')
    sink.output.bytes(row)
    await sink.relieve()
  }

  /** Further rows of the source. */
  async #read(sink: Sink, count: RowsAsked): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure.error
    const output = new ByteWriter()
    const pass = () => {
      const rows = output.take()
      this.#keep(rows)
      sink?.output.bytes(rows)
      return sink?.relieve()
    }
    const relieve = () => (output.length < PIECE_BYTES ? undefined : pass())
    const flush = async () => {
      await pass()
      await sink?.flush()
    }
    try {
      const maxRows = count === 'all' ? 0 : count
      const { rowCount, isDone } = await this.#source.write({ output, relieve, flush }, maxRows)
      this.#count += rowCount
      this.#isRead = isDone
      return rowCount
    } finally {
      // An error comes after the rows before it.
      await pass()
    }
  }

  #demandKept(): void {
    if (this.#kept === undefined) throw tooManyRows()
  }

  #keep(rows: Buffer): void {
    if (this.#kept === undefined) return
    this.#keptBytes += rows.length
    if (this.#keptBytes <= MAX_KEPT_BYTES) {
      this.#kept.push(...splitDataRows(rows))
      return
    }
    if (this.#scroll === true) throw tooManyRows()
    this.#kept = undefined
  }
}

function isNegative(count: RowsAsked): count is number {
  return count !== 'all' && count < 0
}

function tooManyRows(): PgError {
  return new PgError(
    SQL_STATE.programLimitExceeded,
    'a cursor cannot keep more than 16 MB of rows',
    { hint: 'Declare it NO SCROLL and WITHOUT HOLD.' },
  )
}
