import {
  BACKEND_TYPE,
  type BackendFrame,
  parseDataRow,
  parseRowDescription,
} from '../wire/backend-decoder.ts'
import { parseErrorResponse } from '../wire/error-fields.ts'
import type { ServiceRow } from './companion-types.ts'

/** Rows of a conversation in text format, by column name; those that came without a description are left out. Throws the first error in it. */
export function decodeRows(frames: readonly BackendFrame[]): ServiceRow[] {
  throwFirstError(frames)
  let names: readonly string[] | undefined
  const rows: ServiceRow[] = []
  for (const frame of frames) {
    if (frame.type === BACKEND_TYPE.rowDescription) {
      names = parseRowDescription(frame.body).map((field) => field.name)
    } else if (frame.type === BACKEND_TYPE.dataRow && names !== undefined) {
      const values = decodeTextRow(frame)
      rows.push(Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])))
    }
  }
  return rows
}

/** Values of a DataRow whose columns are all in text format. */
export function decodeTextRow(frame: BackendFrame): (string | null)[] {
  return parseDataRow(frame.body).map((value) => value?.toString('utf8') ?? null)
}

/** Throws the first ErrorResponse among `frames`. */
export function throwFirstError(frames: readonly BackendFrame[]): void {
  const error = frames.find((frame) => frame.type === BACKEND_TYPE.errorResponse)
  if (error !== undefined) throw parseErrorResponse(error.body)
}
