import type { RowBatch, RowStream } from '../backend/backend.ts'
import { Bug } from '../base/pg-error.ts'
import type { PushdownRoute, SequenceDraw } from '../plan/plan.ts'
import type { DrawnValue } from './session-sequences.ts'
import type { SessionState } from './session-state.ts'

/**
 * Remembers what a statement of its own drew from sequences, as soon as it has run; gives its rows as the client asked for them. DML waits in memory
 * by then.
 */
export async function recordDraws(
  state: SessionState,
  route: PushdownRoute,
  stream: RowStream,
): Promise<RowStream> {
  const { draws } = route
  if (draws === undefined) return stream
  if (draws.sequences.every(({ column }) => column === undefined)) {
    if (stream.rowCount() !== 0n) recordUnseen(state, route)
    return stream
  }
  const batches: RowBatch[] = []
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    if (batch.rowCount > 0) batches.push(batch)
  }
  for (const draw of draws.sequences) {
    const value = drawnValue(state, { route, draw, batches })
    if (value !== undefined) state.sequences.drew(draw.sequence, value)
  }
  return new ReturnedRows(stream, batches, route.columns.length)
}

/** Remembers that a statement among others drew from sequences: nobody knows what. */
export function recordUnseen(state: SessionState, { draws }: PushdownRoute): void {
  for (const { sequence } of draws?.sequences ?? []) {
    state.sequences.drew(sequence, { kind: 'unseen' })
  }
}

interface Drawn {
  readonly route: PushdownRoute
  readonly draw: SequenceDraw
  readonly batches: readonly RowBatch[]
}

/** Undefined where no row was written. */
function drawnValue(state: SessionState, { route, draw, batches }: Drawn): DrawnValue | undefined {
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0)
  if (rowCount === 0) return undefined
  const { row, column } = draw
  const isWhole = row === undefined || row.rowCount === rowCount
  if (column === undefined || !isWhole) return { kind: 'unseen' }
  const value = cellAt(batches, row?.index ?? rowCount - 1, column)
  if (route.again !== undefined) return { kind: 'known', value }
  if (state.block.state !== 'implicit') return { kind: 'unseen' }
  return { kind: 'known-after', value, transaction: state.block.transactionNumber }
}

function cellAt(batches: readonly RowBatch[], row: number, column: number): string {
  let index = row
  for (const { rowCount, columnCount, bytes, starts, ends } of batches) {
    const cell = index * columnCount + column
    if (index < rowCount) return textOf(bytes.subarray(starts[cell], ends[cell]))
    index -= rowCount
  }
  throw new Bug('a row of RETURNING is not there')
}

/** The payload of a string_value (field 3 of google.protobuf.Value) of less than 128 bytes. */
export function textOf(value: Buffer): string {
  return value.subarray(2).toString()
}

/** Rows that are there already, without the columns behind those that the client asked for. */
class ReturnedRows implements RowStream {
  readonly #source: RowStream
  readonly #batches: readonly RowBatch[]
  readonly #columnCount: number
  #next = 0

  constructor(source: RowStream, batches: readonly RowBatch[], columnCount: number) {
    this.#source = source
    this.#batches = batches
    this.#columnCount = columnCount
  }

  columns(): ReturnType<RowStream['columns']> {
    return this.#source.columns()
  }

  async next(): Promise<RowBatch | undefined> {
    const batch = this.#batches[this.#next++]
    return batch === undefined ? undefined : firstColumns(batch, this.#columnCount)
  }

  rowCount(): bigint | undefined {
    return this.#source.rowCount()
  }

  cancel(): void {
    this.#next = this.#batches.length
    this.#source.cancel()
  }
}

function firstColumns(batch: RowBatch, columnCount: number): RowBatch {
  if (batch.columnCount === columnCount) return batch
  const starts = new Uint32Array(batch.rowCount * columnCount)
  const ends = new Uint32Array(batch.rowCount * columnCount)
  for (let row = 0; row < batch.rowCount; row++) {
    const from = row * batch.columnCount
    starts.set(batch.starts.subarray(from, from + columnCount), row * columnCount)
    ends.set(batch.ends.subarray(from, from + columnCount), row * columnCount)
  }
  return { ...batch, columnCount, starts, ends }
}
