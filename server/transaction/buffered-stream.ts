import type { ResultColumn, RowBatch, RowStream } from '../backend/backend.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** Rows of one statement that may wait in memory, in bytes of encoded values. */
export const MAX_BUFFERED_BYTES = 64 * 1024 * 1024

/**
 * A stream inside a transaction. Spanner answers one statement of a transaction at a time, while PostgreSQL's portals may
 * stay open side by side: before the next statement is sent, what is left of this stream moves into memory.
 */
export class BufferedStream implements RowStream {
  readonly #source: RowStream
  readonly #buffered: RowBatch[] = []
  #isDrained = false

  constructor(source: RowStream) {
    this.#source = source
  }

  columns(): Promise<readonly ResultColumn[]> {
    return this.#source.columns()
  }

  async next(): Promise<RowBatch | undefined> {
    const first = this.#buffered.shift()
    if (first !== undefined || this.#isDrained) return first
    const batch = await this.#source.next()
    if (batch === undefined) this.#isDrained = true
    return batch
  }

  rowCount(): bigint | undefined {
    return this.#source.rowCount()
  }

  cancel(): void {
    this.#buffered.length = 0
    this.#isDrained = true
    this.#source.cancel()
  }

  /** Reads the rest into memory. Rejects with 54000 where it does not fit. */
  async drain(): Promise<void> {
    let sizeBytes = 0
    while (!this.#isDrained) {
      const batch = await this.#source.next()
      if (batch === undefined) {
        this.#isDrained = true
        return
      }
      sizeBytes += batch.bytes.length
      if (sizeBytes > MAX_BUFFERED_BYTES) {
        this.cancel()
        throw new PgError(
          SQL_STATE.programLimitExceeded,
          `the rows that wait to be fetched take more than ${MAX_BUFFERED_BYTES} bytes`,
          { hint: 'Fetch all rows of a portal before the next statement of the transaction.' },
        )
      }
      this.#buffered.push(batch)
    }
  }
}
