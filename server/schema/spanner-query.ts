import type { BackendDatabase, CallOptions, RowStream, SpannerParam } from '../backend/backend.ts'
import { encodeNull, encodeString, VALUE_KIND, ValueScanner } from '../types/value.ts'

/** One row of a bookkeeping query, values as text; null is SQL NULL. */
export type TextRow = readonly (string | null)[]

/** Reads all rows of a query of our own, in one strong read. Columns must be of types whose values are strings or bools. */
export function readTextRows(
  backend: BackendDatabase,
  sql: string,
  options: CallOptions,
): Promise<readonly TextRow[]> {
  return textRows(backend.singleUse({ sql, params: [] }, options))
}

/** All rows of a stream, under the same condition. */
export async function textRows(stream: RowStream): Promise<readonly TextRow[]> {
  const scanner = new ValueScanner()
  const rows: TextRow[] = []
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    for (let row = 0; row < batch.rowCount; row++) {
      const cells: (string | null)[] = []
      for (let column = 0; column < batch.columnCount; column++) {
        const at = row * batch.columnCount + column
        scanner.scan(batch.bytes, batch.starts[at] ?? 0, batch.ends[at] ?? 0)
        cells.push(textOf(scanner))
      }
      rows.push(cells)
    }
  }
  return rows
}

function textOf(scanner: ValueScanner): string | null {
  switch (scanner.kind) {
    case VALUE_KIND.null:
      return null
    case VALUE_KIND.bool:
      return scanner.start === 1 ? 'true' : 'false'
    case VALUE_KIND.number:
      return String(scanner.number())
    default:
      return scanner.text()
  }
}

/** A parameter of type varchar. */
export function textParam(text: string | undefined): SpannerParam {
  return { type: { code: 'STRING' }, value: text === undefined ? encodeNull() : encodeString(text) }
}

/** A parameter of type bigint. */
export function bigintParam(value: bigint): SpannerParam {
  return { type: { code: 'INT64' }, value: encodeString(value.toString()) }
}
