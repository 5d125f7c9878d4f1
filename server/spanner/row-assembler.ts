import type { RowBatch } from '../backend/backend.ts'
import { MalformedMessage } from '../base/protobuf-reader.ts'
import { mergeChunks } from './chunk-merge.ts'
import type { PartialResultSet } from './partial-result-set.ts'

/** How much of unfinished rows may wait: a row of a result is at most 100 MiB (Spanner's quotas page). */
const MAX_PENDING_BYTES = 128 * 1024 * 1024

/**
 * Makes whole rows of messages that cut them anywhere. Rows that lie in one message are handed on where they lie, without a
 * copy; only a row that spans messages is put together in bytes of its own.
 */
export class RowAssembler {
  readonly #columnCount: number
  /** Finished cells of the row that is not finished. */
  #cells: Buffer[] = []
  /** Chunks of the cell that is not finished. */
  #chunks: Buffer[] = []
  #pendingBytes = 0

  constructor(columnCount: number) {
    this.#columnCount = columnCount
  }

  /** The rows that `message` finishes, in one batch or two. */
  add(message: PartialResultSet): RowBatch[] {
    const count = message.starts.length
    if (count === 0) return []
    if (this.#columnCount === 0) throw new MalformedMessage('values in a result without columns')
    const batches: RowBatch[] = []
    let next = 0
    while (next < count && (this.#cells.length > 0 || this.#chunks.length > 0)) {
      this.#take(message, next++)
      if (this.#cells.length === this.#columnCount) batches.push(this.#finishRow())
    }
    const whole = count - next - (message.isChunked && next < count ? 1 : 0)
    const rows = Math.floor(whole / this.#columnCount)
    if (rows > 0) {
      const end = next + rows * this.#columnCount
      batches.push(view(message, next, end, rows))
      next = end
    }
    while (next < count) this.#take(message, next++)
    if (this.#pendingBytes > MAX_PENDING_BYTES)
      throw new MalformedMessage('row of more than 128 MiB')
    return batches
  }

  /** Demands that no row is left unfinished. */
  end(): void {
    if (this.#cells.length > 0 || this.#chunks.length > 0) {
      throw new MalformedMessage('the result ends within a row')
    }
  }

  #take(message: PartialResultSet, index: number): void {
    const value = message.bytes.subarray(message.starts[index], message.ends[index])
    this.#chunks.push(value)
    this.#pendingBytes += value.length
    if (message.isChunked && index === message.starts.length - 1) return
    this.#cells.push(mergeChunks(this.#chunks))
    this.#chunks = []
  }

  #finishRow(): RowBatch {
    const starts = new Uint32Array(this.#columnCount)
    const ends = new Uint32Array(this.#columnCount)
    let offset = 0
    this.#cells.forEach((cell, index) => {
      starts[index] = offset
      offset += cell.length
      ends[index] = offset
    })
    const bytes = Buffer.concat(this.#cells, offset)
    this.#cells = []
    this.#pendingBytes = 0
    return { rowCount: 1, columnCount: this.#columnCount, bytes, starts, ends }
  }
}

function view(message: PartialResultSet, from: number, to: number, rowCount: number): RowBatch {
  return {
    rowCount,
    columnCount: (to - from) / rowCount,
    bytes: message.bytes,
    starts: message.starts.subarray(from, to),
    ends: message.ends.subarray(from, to),
  }
}
