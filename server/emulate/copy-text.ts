import type { RowBatch } from '../backend/backend.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { Bug } from '../base/pg-error.ts'
import { arrayText } from '../types/array-text.ts'
import { findPgType } from '../types/pg-type.ts'
import type { SpannerType } from '../types/spanner-type.ts'
import type { TypeForm } from '../types/type-form.ts'
import { findTypeForm } from '../types/type-forms.ts'
import { ListScanner, malformedValue, VALUE_KIND, ValueScanner } from '../types/value.ts'

/*
 * Rows of Spanner in COPY's text format (manual, COPY). Spanner's own spelling of a value is one that the input function of the
 * column's type reads, whatever the session's settings are: ISO dates, timestamps with their offset, integers and numerics as
 * digits. Only bytes, booleans, numbers, arrays and amounts of money are written anew.
 */

/** Bytes that gather before they become a piece. */
const PIECE_BYTES = 256 * 1024

const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const BACKSLASH = 0x5c
const NULL_MARK = Buffer.from('\\N')

/** A column as Spanner sends it. */
export interface CopiedColumn {
  readonly typeOid: number
  readonly type: SpannerType
}

/** How the values of a column are written. */
interface Cells {
  readonly type: SpannerType
  readonly input: TypeForm['input']
}

function cellsOf({ typeOid, type }: CopiedColumn): Cells {
  return { type, input: findTypeForm(findPgType(typeOid)?.elementOid ?? typeOid)?.input }
}

/** Gathers the rows of one table. */
export class CopyText {
  readonly #columns: readonly Cells[]
  readonly #out = new ByteWriter(PIECE_BYTES)
  readonly #pieces: Buffer[] = []
  readonly #value = new ValueScanner()
  #takenBytes = 0
  #rowCount = 0

  constructor(columns: readonly CopiedColumn[]) {
    this.#columns = columns.map(cellsOf)
  }

  get rowCount(): number {
    return this.#rowCount
  }

  get sizeBytes(): number {
    return this.#takenBytes + this.#out.length
  }

  /** Adds the rows of a batch, whose columns are those of the table. */
  add(batch: RowBatch): void {
    if (batch.rowCount > 0 && batch.columnCount !== this.#columns.length) {
      throw new Bug(
        `Spanner sent ${batch.columnCount} columns, the load has ${this.#columns.length}`,
      )
    }
    let cell = 0
    for (let row = 0; row < batch.rowCount; row++) {
      for (const [index, column] of this.#columns.entries()) {
        if (index > 0) this.#out.int8(TAB)
        this.#cell(batch.bytes, batch.starts[cell] ?? 0, batch.ends[cell] ?? 0, column)
        cell++
      }
      this.#out.int8(NEWLINE)
      if (this.#out.length >= PIECE_BYTES) this.#cut()
    }
    this.#rowCount += batch.rowCount
  }

  /** All of it, in pieces. */
  take(): readonly Buffer[] {
    this.#cut()
    return this.#pieces
  }

  #cut(): void {
    if (this.#out.length === 0) return
    this.#takenBytes += this.#out.length
    this.#pieces.push(this.#out.take())
  }

  #cell(bytes: Buffer, start: number, end: number, column: Cells): void {
    const value = this.#value
    switch (value.scan(bytes, start, end)) {
      case VALUE_KIND.null:
        this.#out.slice(NULL_MARK, 0, NULL_MARK.length)
        return
      case VALUE_KIND.string:
        if (isRewritten(column)) this.#escaped(Buffer.from(textOf(value, column)))
        else this.#escaped(bytes, value.start, value.end)
        return
      case VALUE_KIND.list:
        this.#escaped(Buffer.from(textOfArray(bytes, value, column)))
        return
      default:
        this.#out.text(textOf(value, column))
    }
  }

  #escaped(bytes: Buffer, start = 0, end = bytes.length): void {
    let done = start
    for (let at = start; at < end; at++) {
      const escaped = escapeOf(bytes[at] ?? 0)
      if (escaped === undefined) continue
      this.#out.slice(bytes, done, at)
      this.#out.text(escaped)
      done = at + 1
    }
    this.#out.slice(bytes, done, end)
  }
}

function escapeOf(byte: number): string | undefined {
  switch (byte) {
    case BACKSLASH:
      return '\\\\'
    case TAB:
      return '\\t'
    case NEWLINE:
      return '\\n'
    case RETURN:
      return '\\r'
    default:
      return undefined
  }
}

/** Whether a string_value is not what the input function reads. */
function isRewritten({ type, input }: Cells): boolean {
  return type.code === 'BYTES' || input !== undefined
}

/** A scalar as its type's input function reads it. */
function textOf(value: ValueScanner, { type, input }: Cells): string {
  switch (value.kind) {
    case VALUE_KIND.string:
      if (input !== undefined) return input(value.text())
      return type.code === 'BYTES'
        ? `\\x${Buffer.from(value.ascii(), 'base64').toString('hex')}`
        : value.text()
    case VALUE_KIND.bool:
      return value.start === 1 ? 't' : 'f'
    case VALUE_KIND.number: {
      const number = value.number()
      return Object.is(number, -0) ? '-0' : String(number)
    }
    default:
      throw malformedValue(`kind ${value.kind} for a scalar`)
  }
}

function textOfArray(bytes: Buffer, { start, end }: ValueScanner, { type, input }: Cells): string {
  const { element } = type
  if (element === undefined) throw malformedValue('a list for a scalar')
  const list = new ListScanner()
  const item = new ValueScanner()
  const elements: (string | undefined)[] = []
  list.reset(bytes, start, end)
  while (list.next()) {
    const isNull = item.scan(bytes, list.start, list.end) === VALUE_KIND.null
    elements.push(isNull ? undefined : textOf(item, { type: element, input }))
  }
  return arrayText(elements)
}
