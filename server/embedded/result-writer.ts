import { ProtoReader } from '../base/protobuf-reader.ts'
import { ProtoWriter } from '../base/protobuf-writer.ts'
import { type Cell, type ColumnEncoder, writeNull } from './value-encoder.ts'

/** A message is sent when its values have reached this size. */
const MESSAGE_BYTES = 64 * 1024
/** A longer string is cut into chunks of this size (PartialResultSet.chunked_value). */
const CHUNK_BYTES = 512 * 1024
/** DataRow: type byte, length, number of columns. */
const ROW_HEADER_BYTES = 7
/** Fields of google.spanner.v1.PartialResultSet. */
const PARTIAL = {
  metadata: 1,
  values: 2,
  chunkedValue: 3,
  resumeToken: 4,
  stats: 5,
} as const
/** Fields of google.spanner.v1.ResultSet. */
const RESULT_SET = { metadata: 1, rows: 2, stats: 3 } as const
/** ResultSetMetadata.transaction. */
const TRANSACTION = 2

/** Where the rows of a statement go. What it returns is waited for before the next row is read. */
export interface RowSink {
  /** Before the first row: encoded ResultSetMetadata, and how the columns are written. */
  start(metadata: Buffer, columns: readonly ColumnEncoder[]): void
  /** A DataRow message of PostgreSQL. */
  row(frame: Buffer): Promise<void> | undefined
  /** After the last row: encoded ResultSetStats, where there are any. */
  end(stats: Buffer | undefined): Promise<void> | undefined
}

/** One row, each value under `field` of the message that `out` holds. */
interface RowTarget {
  readonly out: ProtoWriter
  readonly field: number
  readonly cell: Cell
}

function copyRow(frame: Buffer, columns: readonly ColumnEncoder[], target: RowTarget): void {
  const { out, field, cell } = target
  cell.source = frame
  let at = ROW_HEADER_BYTES
  for (const column of columns) {
    const sizeBytes = frame.readInt32BE(at)
    at += 4
    if (sizeBytes < 0) {
      writeNull(out, field)
      continue
    }
    cell.start = at
    cell.end = at + sizeBytes
    column.write(out, field, cell)
    at += sizeBytes
  }
}

function newCell(): Cell {
  return { source: Buffer.alloc(0), start: 0, end: 0 }
}

/**
 * Makes PartialResultSet messages of rows, and hands them to `send` as they are full. None is marked as the last: a server need not do
 * that, and Google's client for Node ends a stream at the mark while rows before it are still to be read.
 */
export class PartialResultWriter implements RowSink {
  readonly #send: (message: Buffer) => Promise<void> | undefined
  readonly #tokenOf: (rows: number, isEnd: boolean) => Buffer
  readonly #skipRows: number
  readonly #cell = newCell()
  #columns: readonly ColumnEncoder[] = []
  readonly #out = new ProtoWriter(1024)
  readonly #target: RowTarget = { out: this.#out, field: PARTIAL.values, cell: this.#cell }
  #rows = 0

  /** `tokenOf` makes the resume token of a message that ends after so many rows, or is the last; the first `skipRows` rows were sent before. */
  constructor(options: {
    send: (message: Buffer) => Promise<void> | undefined
    tokenOf: (rows: number, isEnd: boolean) => Buffer
    skipRows: number
  }) {
    this.#send = options.send
    this.#tokenOf = options.tokenOf
    this.#skipRows = options.skipRows
  }

  start(metadata: Buffer, columns: readonly ColumnEncoder[]): void {
    this.#columns = columns
    this.#out.message(PARTIAL.metadata, metadata)
  }

  row(frame: Buffer): Promise<void> | undefined {
    this.#rows++
    if (this.#rows <= this.#skipRows) return undefined
    if (frame.length > CHUNK_BYTES) return this.#largeRow(frame)
    copyRow(frame, this.#columns, this.#target)
    if (this.#out.length < MESSAGE_BYTES) return undefined
    return this.#flushRows()
  }

  end(stats: Buffer | undefined): Promise<void> | undefined {
    if (stats !== undefined) this.#out.message(PARTIAL.stats, stats)
    this.#out.bytes(PARTIAL.resumeToken, this.#tokenOf(this.#rows, true))
    return this.#send(this.#take())
  }

  #flushRows(): Promise<void> | undefined {
    this.#out.bytes(PARTIAL.resumeToken, this.#tokenOf(this.#rows, false))
    return this.#send(this.#take())
  }

  async #largeRow(frame: Buffer): Promise<void> {
    const cell = this.#cell
    let at = ROW_HEADER_BYTES
    for (const column of this.#columns) {
      const sizeBytes = frame.readInt32BE(at)
      at += 4
      cell.source = frame
      cell.start = at
      cell.end = at + Math.max(sizeBytes, 0)
      if (sizeBytes < 0) writeNull(this.#out, PARTIAL.values)
      else if (sizeBytes > CHUNK_BYTES && column.pieces !== undefined) await this.#chunks(column)
      else column.write(this.#out, PARTIAL.values, cell)
      at += Math.max(sizeBytes, 0)
    }
    if (this.#out.length >= MESSAGE_BYTES) await this.#flushRows()
  }

  /** One long value, cut where its pieces are values of their own: between characters, or between base64's groups of three bytes. */
  async #chunks(column: ColumnEncoder): Promise<void> {
    const cell = this.#cell
    const { end } = cell
    while (end - cell.start > CHUNK_BYTES) {
      cell.end = cutBefore(cell.source, cell.start, column.pieces === 'base64')
      column.write(this.#out, PARTIAL.values, cell)
      this.#out.bool(PARTIAL.chunkedValue, true)
      await this.#send(this.#take())
      cell.start = cell.end
    }
    cell.end = end
    column.write(this.#out, PARTIAL.values, cell)
  }

  #take(): Buffer {
    return this.#out.take()
  }
}

function cutBefore(source: Buffer, start: number, isBase64: boolean): number {
  if (isBase64) return start + CHUNK_BYTES - (CHUNK_BYTES % 3)
  let end = start + CHUNK_BYTES
  while (((source[end] ?? 0) & 0xc0) === 0x80) end--
  return end
}

/** The resume token of an encoded PartialResultSet; empty where it has none. */
export function readResumeToken(message: Buffer): Buffer {
  const reader = new ProtoReader(message)
  let token = Buffer.alloc(0)
  while (reader.hasMore) {
    const tag = reader.tag()
    if (tag >>> 3 === PARTIAL.resumeToken) token = Buffer.from(reader.bytes())
    else reader.skip(tag)
  }
  return token
}

/** Collects one ResultSet. */
export class ResultSetWriter implements RowSink {
  readonly #out = new ProtoWriter(1024)
  readonly #cell = newCell()
  #columns: readonly ColumnEncoder[] = []

  get sizeBytes(): number {
    return this.#out.length
  }

  start(metadata: Buffer, columns: readonly ColumnEncoder[]): void {
    this.#columns = columns
    this.#out.message(RESULT_SET.metadata, metadata)
  }

  row(frame: Buffer): undefined {
    const row = new ProtoWriter()
    copyRow(frame, this.#columns, { out: row, field: 1, cell: this.#cell })
    this.#out.message(RESULT_SET.rows, row.take())
  }

  end(stats: Buffer | undefined): undefined {
    if (stats !== undefined) this.#out.message(RESULT_SET.stats, stats)
  }

  take(): Buffer {
    return this.#out.take()
  }
}

/** Makes the ResultSet of a statement in a batch: what it counted and, of the one that began it, the transaction; no rows, and nothing of columns. */
export class CountWriter implements RowSink {
  readonly #out = new ProtoWriter()

  start(metadata: Buffer): void {
    const reader = new ProtoReader(metadata)
    while (reader.hasMore) {
      const tag = reader.tag()
      if (tag >>> 3 !== TRANSACTION) {
        reader.skip(tag)
        continue
      }
      const begun = new ProtoWriter().message(TRANSACTION, reader.bytes()).take()
      this.#out.message(RESULT_SET.metadata, begun)
    }
  }

  row(): undefined {
    return undefined
  }

  end(stats: Buffer | undefined): undefined {
    if (stats !== undefined) this.#out.message(RESULT_SET.stats, stats)
  }

  take(): Buffer {
    return this.#out.take()
  }
}
