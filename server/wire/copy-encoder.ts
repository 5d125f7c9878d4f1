import type { ByteWriter } from '../base/byte-writer.ts'
import { writeCopyData } from './backend-messages.ts'
import { splitDataRow } from './data-row.ts'

/** The options of COPY TO that decide how rows are written (manual, COPY, "File Formats"). */
export interface CopyEncoding {
  readonly format: 'text' | 'csv' | 'binary'
  readonly delimiter: string
  readonly null: string
  readonly quote: string
  readonly escape: string
  readonly forceQuote: readonly string[] | 'all'
}

/** Writes rows as CopyData messages. */
export interface CopyEncoder {
  /** Whole DataRow messages, one behind the other; returns their number. */
  rows(out: ByteWriter, messages: Buffer): number
  /** What comes after the last row. */
  end(out: ByteWriter): void
}

type Cell = Buffer | null

/** Signature, flags and the length of a header extension (manual, COPY, "Binary Format"). */
const BINARY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const BINARY_TRAILER = Buffer.from([0xff, 0xff])
const NEWLINE = Buffer.from('\n')
const LETTERS: Readonly<Record<number, string>> = {
  8: 'b',
  9: 't',
  10: 'n',
  11: 'v',
  12: 'f',
  13: 'r',
}
const BACKSLASH = 0x5c

/** The encoder for columns of these names; cells come in text, or in binary for the binary format. */
export function copyEncoder(encoding: CopyEncoding, columns: readonly string[]): CopyEncoder {
  const { format } = encoding
  if (format === 'binary') return binaryEncoder()
  const row = format === 'csv' ? csvRow(encoding, columns) : textRow(encoding)
  return {
    rows: (out, messages) => eachRow(messages, (cells) => writeCopyData(out, row(cells))),
    end: () => {},
  }
}

/** The header goes with what comes first, as PostgreSQL has it. */
function binaryEncoder(): CopyEncoder {
  let pending: readonly Buffer[] = [BINARY_HEADER]
  const write = (out: ByteWriter, data: Buffer) => {
    writeCopyData(out, Buffer.concat([...pending, data]))
    pending = []
  }
  return {
    rows: (out, messages) => eachRow(messages, (cells) => write(out, binaryRow(cells))),
    end: (out) => write(out, BINARY_TRAILER),
  }
}

function eachRow(messages: Buffer, write: (cells: readonly Cell[]) => void): number {
  let count = 0
  for (let at = 0; at < messages.length; count++) {
    const end = at + 1 + messages.readUInt32BE(at + 1)
    write(splitDataRow(messages.subarray(at, end)))
    at = end
  }
  return count
}

function binaryRow(cells: readonly Cell[]): Buffer {
  const count = Buffer.alloc(2)
  count.writeInt16BE(cells.length)
  const parts: Buffer[] = [count]
  for (const cell of cells) {
    const length = Buffer.alloc(4)
    length.writeInt32BE(cell === null ? -1 : cell.length)
    parts.push(length)
    if (cell !== null) parts.push(cell)
  }
  return Buffer.concat(parts)
}

/** CopyAttributeOutText of src/backend/commands/copyto.c. */
function textRow(encoding: CopyEncoding): (cells: readonly Cell[]) => Buffer {
  const delimiter = Buffer.from(encoding.delimiter)
  const none = Buffer.from(encoding.null)
  const replacements = new Map<number, Buffer>()
  for (const [byte, letter] of Object.entries(LETTERS)) {
    replacements.set(Number(byte), Buffer.from(`\\${letter}`))
  }
  for (const byte of [BACKSLASH, ...delimiter])
    replacements.set(byte, Buffer.from([BACKSLASH, byte]))
  return (cells) =>
    joinRow(cells, delimiter, (cell) => (cell === null ? none : replaced(cell, replacements)))
}

/** CopyAttributeOutCSV of src/backend/commands/copyto.c. */
function csvRow(
  encoding: CopyEncoding,
  columns: readonly string[],
): (cells: readonly Cell[]) => Buffer {
  const { forceQuote, quote } = encoding
  const escapeByte = Buffer.from(encoding.escape)[0] ?? 0
  const delimiter = Buffer.from(encoding.delimiter)
  const none = Buffer.from(encoding.null)
  const mark = Buffer.from(quote)
  const special = new Set([...delimiter, ...mark, 0x0a, 0x0d])
  const escaped = new Map(
    [...mark, escapeByte].map((byte) => [byte, Buffer.from([escapeByte, byte])]),
  )
  const forced = columns.map((name) => forceQuote === 'all' || forceQuote.includes(name))
  const isSingle = columns.length === 1
  const mustQuote = (cell: Buffer, index: number): boolean =>
    forced[index] === true ||
    cell.equals(none) ||
    (isSingle && cell.equals(Buffer.from('\\.'))) ||
    cell.some((byte) => special.has(byte))
  return (cells) =>
    joinRow(cells, delimiter, (cell, index) => {
      if (cell === null) return none
      if (!mustQuote(cell, index)) return cell
      return Buffer.concat([mark, replaced(cell, escaped), mark])
    })
}

function joinRow(
  cells: readonly Cell[],
  delimiter: Buffer,
  write: (cell: Cell, index: number) => Buffer,
): Buffer {
  const parts: Buffer[] = []
  for (const [index, cell] of cells.entries()) {
    if (index > 0) parts.push(delimiter)
    parts.push(write(cell, index))
  }
  parts.push(NEWLINE)
  return Buffer.concat(parts)
}

/** The bytes with some of them replaced. */
function replaced(bytes: Buffer, replacements: ReadonlyMap<number, Buffer>): Buffer {
  const parts: Buffer[] = []
  let start = 0
  for (let at = 0; at < bytes.length; at++) {
    const replacement = replacements.get(bytes[at] ?? 0)
    if (replacement === undefined) continue
    parts.push(bytes.subarray(start, at), replacement)
    start = at + 1
  }
  if (start === 0) return bytes
  parts.push(bytes.subarray(start))
  return Buffer.concat(parts)
}
