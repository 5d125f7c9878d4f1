import { ByteWriter } from '../base/byte-writer.ts'
import { splitDataRows } from '../wire/data-row.ts'
import type { RowSink } from './answer.ts'

/** What was written, as whole DataRow messages, and what writing it came to. */
export interface GatheredRows<T> {
  readonly rows: readonly Buffer[]
  readonly written: T
}

/** Gathers rows that do not go to the client as they come. `check` is told how many bytes there are so far, between rows, and may throw. */
export async function gatherRows<T>(
  write: (sink: RowSink) => T | Promise<T>,
  check: (sizeBytes: number) => void = () => undefined,
): Promise<GatheredRows<T>> {
  const output = new ByteWriter()
  const relieve = () => {
    check(output.length)
    return undefined
  }
  const written = await write({ output, relieve, flush: async () => undefined })
  return { rows: splitDataRows(output.take()), written }
}
