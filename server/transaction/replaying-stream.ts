import type { ResultColumn, RowBatch, RowStream } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import type { Observation } from './log.ts'
import { RowsSeen, SeenRowsFilter } from './rows-seen.ts'

/** What a stream asks of the transaction that it belongs to. */
export interface ReplayingStreamSource {
  readonly isOrdered: boolean
  /** Sends the statement in the attempt under way. */
  open(): Promise<RowStream>
  /** Returns where the statement may be sent again in another attempt; throws the client's error where it may not. */
  recover(error: unknown): Promise<void>
  /** The error for rows that the client has had and that do not come again. */
  changed(): Error
  /** Exactly once, with what the client was told. */
  onEnd(observed: Observation): void
}

/** An answer of up to so many bytes is handed on when the statement has ended: until then nobody has seen anything of it. */
export const MAX_HELD_BYTES = 64 * 1024

/**
 * The rows of one statement, over as many attempts at its transaction as it takes. When an attempt is lost after rows were handed
 * on, the statement is run again in the next one, and those rows must come again.
 */
export class ReplayingStream implements RowStream {
  readonly #source: ReplayingStreamSource
  readonly #seen = new RowsSeen()
  #stream: RowStream | undefined
  #filter: SeenRowsFilter | undefined
  /** Rows that came and were not handed on yet. */
  #held: RowBatch[] = []
  #isFlowing = false
  #hasEnded = false
  #isOver = false

  constructor(source: ReplayingStreamSource) {
    this.#source = source
  }

  async columns(): Promise<readonly ResultColumn[]> {
    for (;;) {
      try {
        return await (await this.#open()).columns()
      } catch (error) {
        await this.#tryAgain(error)
      }
    }
  }

  async next(): Promise<RowBatch | undefined> {
    while (!this.#isOver) {
      try {
        const batch = await this.#pull()
        if (batch === undefined) {
          if (this.#filter?.isWaiting === true) throw this.#source.changed()
          this.#finish({ rowCount: this.#stream?.rowCount(), failure: undefined })
          return undefined
        }
        const fresh = this.#filter === undefined ? batch : this.#filter.filter(batch)
        if (fresh === undefined) throw this.#source.changed()
        this.#seen.add(fresh)
        if (fresh.rowCount > 0) return fresh
      } catch (error) {
        await this.#tryAgain(error)
      }
    }
    return undefined
  }

  rowCount(): bigint | undefined {
    return this.#stream?.rowCount()
  }

  cancel(): void {
    if (this.#isOver) return
    this.#stream?.cancel()
    const isPartial = this.#seen.rowCount > 0
    if (isPartial) this.#finish({ rowCount: undefined, failure: undefined, isPartial })
    else this.#finish({ rowCount: undefined, failure: { kind: 'cancelled' } })
  }

  /** The next rows; before the first ones the whole answer, if it is small. */
  async #pull(): Promise<RowBatch | undefined> {
    if (!this.#isFlowing) await this.#hold()
    const held = this.#held.shift()
    if (held !== undefined || this.#hasEnded) return held
    return (await this.#open()).next()
  }

  async #hold(): Promise<void> {
    const stream = await this.#open()
    for (let sizeBytes = 0; sizeBytes <= MAX_HELD_BYTES && !this.#hasEnded; ) {
      const batch = await stream.next()
      if (batch === undefined) this.#hasEnded = true
      else {
        sizeBytes += batch.bytes.length
        this.#held.push(batch)
      }
    }
    this.#isFlowing = true
  }

  async #open(): Promise<RowStream> {
    if (this.#stream === undefined) {
      const stream = await this.#source.open()
      this.#filter =
        this.#seen.rowCount === 0
          ? undefined
          : new SeenRowsFilter(this.#seen, this.#source.isOrdered)
      this.#stream = stream
    }
    return this.#stream
  }

  async #tryAgain(error: unknown): Promise<void> {
    this.#stream?.cancel()
    this.#held = []
    try {
      await this.#source.recover(error)
      this.#stream = undefined
    } catch (final) {
      const failure = final instanceof BackendError ? final.failure : { kind: 'internal' as const }
      this.#finish({ rowCount: undefined, failure })
      throw final
    }
  }

  #finish(observed: Omit<Observation, 'rows'>): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#source.onEnd({ ...observed, rows: this.#seen })
  }
}
