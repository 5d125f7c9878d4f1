import type { ByteWriter } from '../base/byte-writer.ts'
import type { FieldDescription, Format } from '../wire/field-description.ts'

/** What running one statement comes to: perhaps rows, and in the end a command tag. */
export interface Answer {
  /** undefined: the statement returns no rows. */
  readonly fields: readonly FieldDescription[] | undefined
  readonly rows: RowSource | undefined
  /** Those of the columns, where a client that cannot ask for any gets others than text: a BINARY cursor's. */
  readonly formats?: readonly Format[]
  /** CommandComplete's tag, once all rows were written. */
  readonly tag: (rowCount: bigint) => string
}

/** Rows on their way to the client. */
export interface RowSource {
  /** Writes at most `maxRows` DataRow messages (0: all); `isDone` where none is left. */
  write(
    sink: RowSink,
    maxRows: number,
  ): Promise<{ readonly rowCount: number; readonly isDone: boolean }>
  /** Gives the rest up. */
  close(): void
}

/** Where rows go. */
export interface RowSink {
  readonly output: ByteWriter
  /** Called between rows: where many bytes have gathered they leave, and the promise waits for a slow client. */
  relieve(): Promise<void> | undefined
  /** Sends what there is: nothing of it can be taken back. */
  flush(): Promise<void>
}

/** An answer without rows. */
export function tagOnly(tag: string): Answer {
  return { fields: undefined, rows: undefined, tag: () => tag }
}

/** An answer whose rows are made when they are asked for: its columns are told before anything can go wrong. */
export function whenRun(fields: Answer['fields'], run: () => Promise<Answer>): Answer {
  let answer: Answer | undefined
  return {
    fields,
    rows: {
      async write(sink, maxRows) {
        answer ??= await run()
        return answer.rows?.write(sink, maxRows) ?? { rowCount: 0, isDone: true }
      },
      close: () => answer?.rows?.close(),
    },
    tag: (rowCount) => answer?.tag(rowCount) ?? '',
  }
}

/** Rows that are there already, as whole DataRow messages; an `error` comes after the last of them. */
export function readyRows(rows: readonly Buffer[], error?: Error): RowSource {
  let next = 0
  return {
    async write(sink, maxRows) {
      const end = maxRows === 0 ? rows.length : Math.min(rows.length, next + maxRows)
      const start = next
      for (; next < end; next++) {
        const row = rows[next]
        if (row !== undefined) sink.output.bytes(row)
        const relief = sink.relieve()
        if (relief !== undefined) await relief
      }
      if (error !== undefined && next === rows.length) throw error
      const rowCount = next - start
      return { rowCount, isDone: maxRows === 0 || rowCount < maxRows }
    },
    close() {
      next = rows.length
    },
  }
}

/** The format of column `index` by the rules of Bind: none is text, one is for all. */
export function formatAt(formats: readonly Format[], index: number): Format {
  return (formats.length === 1 ? formats[0] : formats[index]) ?? 0
}
