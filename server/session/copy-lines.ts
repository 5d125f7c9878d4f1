import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { CopyOptions } from '../sql/copy-command.ts'
import { withFields } from './client-error.ts'

const NEWLINE = 0x0a
/** MAX_COPY_DATA_DISPLAY of src/backend/commands/copyfrom.c: bytes of a line that an error shows. */
const MAX_SHOWN_BYTES = 100

/** Newlines in the data. */
export function countLines(data: readonly Buffer[]): number {
  let count = 0
  for (const piece of data) {
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) count++
  }
  return count
}

/** A row of the data. */
export interface CopyRowPlace {
  readonly table: string
  readonly data: readonly Buffer[]
  readonly options: CopyOptions
  /** From 0. */
  readonly row: number
}

/**
 * The error of a row with its line in WHERE (CopyFromErrorCallback of src/backend/commands/copyfrom.c). NOT NULL and CHECK are tested while the line
 * is at hand, and show it; keys when it is gone. Foreign keys are tested when COPY is over.
 */
export function copyContext(error: unknown, place: CopyRowPlace): unknown {
  if (!(error instanceof PgError) || !error.code.startsWith('23')) return error
  if (error.code === SQL_STATE.foreignKeyViolation) return error
  const { table, options, row } = place
  if (options.format === 'binary')
    return withFields(error, { where: `COPY ${table}, line ${row + 1}` })
  const line = lineOf(place)
  const isAtHand = error.code !== SQL_STATE.uniqueViolation
  const shown = isAtHand ? `: "${shortened(line.text)}"` : ''
  return withFields(error, { where: `COPY ${table}, line ${line.number}${shown}` })
}

function shortened(text: Buffer): string {
  if (text.length <= MAX_SHOWN_BYTES) return text.toString()
  return `${text.toString('utf8', 0, MAX_SHOWN_BYTES)}...`
}

/** The line that a row ended with, counted from 1, and the text of the row. */
function lineOf({ data, options, row }: CopyRowPlace): { number: number; text: Buffer } {
  const whole = Buffer.concat(data)
  const wanted = row + (options.header ? 1 : 0)
  let number = 0
  let start = 0
  for (let record = 0; ; record++) {
    const end = endOfRecord(whole, start, options)
    number += countLines([whole.subarray(start, end)]) + 1
    if (record === wanted) return { number, text: withoutReturn(whole.subarray(start, end)) }
    start = end + 1
  }
}

function withoutReturn(text: Buffer): Buffer {
  return text.at(-1) === 0x0d ? text.subarray(0, -1) : text
}

/** Where a row's newline is: in CSV not one between quotes, in text not one behind a backslash. */
function endOfRecord(data: Buffer, start: number, options: CopyOptions): number {
  const { format } = options
  const quoteByte = options.quote.charCodeAt(0)
  const escapeByte = format === 'csv' ? options.escape.charCodeAt(0) : 0x5c
  let isQuoted = false
  for (let at = start; at < data.length; at++) {
    const byte = data[at]
    const isEscape =
      byte === escapeByte && (format !== 'csv' || (isQuoted && escapeByte !== quoteByte))
    if (isEscape) at++
    else if (format === 'csv' && byte === quoteByte) isQuoted = !isQuoted
    else if (byte === NEWLINE && !isQuoted) return at
  }
  return data.length
}
