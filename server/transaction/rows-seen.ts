import type { RowBatch } from '../backend/backend.ts'
import { addHash, chainHash, hashRow } from './row-hash.ts'

/** Rows that are kept as they came, in bytes of encoded values; past it their hashes are kept instead. */
const MAX_KEPT_BYTES = 256 * 1024

/** What a row costs in memory once only its hash is kept. */
const HASH_BYTES = 8

/**
 * The rows of one statement that were handed on to the client. Hashing waits until somebody compares, which for most
 * transactions is never.
 */
export class RowsSeen {
  #kept: RowBatch[] = []
  #keptBytes = 0
  readonly #hashes: number[] = []
  #rowCount = 0

  /** Rows of which only hashes are known. */
  static fromHashes(hashes: readonly number[]): RowsSeen {
    const seen = new RowsSeen()
    for (const hash of hashes) seen.#hashes.push(hash)
    seen.#rowCount = hashes.length
    return seen
  }

  get rowCount(): number {
    return this.#rowCount
  }

  /** Memory held. */
  get sizeBytes(): number {
    return this.#keptBytes + this.#hashes.length * HASH_BYTES
  }

  add(batch: RowBatch): void {
    this.#kept.push(batch)
    this.#keptBytes += batch.bytes.length
    this.#rowCount += batch.rowCount
    if (this.#keptBytes > MAX_KEPT_BYTES) this.#fold()
  }

  /** The encoded cells of each row; undefined where only hashes are left. */
  cells(): readonly (readonly Buffer[])[] | undefined {
    if (this.#hashes.length > 0) return undefined
    return this.#kept.flatMap(splitCells)
  }

  /** Row by row, in the order in which they were handed on. */
  hashes(): readonly number[] {
    this.#fold()
    return this.#hashes
  }

  /** Equal for equal rows; their order counts where it is `isOrdered`. */
  digest(isOrdered: boolean): string {
    let digest = 0
    for (const hash of this.hashes()) {
      digest = isOrdered ? chainHash(digest, hash) : addHash(digest, hash)
    }
    return `${this.#rowCount}:${digest}`
  }

  #fold(): void {
    for (const batch of this.#kept) {
      for (let row = 0; row < batch.rowCount; row++) this.#hashes.push(hashRow(batch, row))
    }
    this.#kept = []
    this.#keptBytes = 0
  }
}

function splitCells({ rowCount, columnCount, bytes, starts, ends }: RowBatch): Buffer[][] {
  return Array.from({ length: rowCount }, (_row, row) =>
    Array.from({ length: columnCount }, (_cell, column) => {
      const cell = row * columnCount + column
      return bytes.subarray(starts[cell], ends[cell])
    }),
  )
}

/**
 * Goes through the rows of a statement that is run again, and takes out those that the client has had. Where the order is fixed
 * they must come first; elsewhere they may come anywhere.
 */
export class SeenRowsFilter {
  readonly #isOrdered: boolean
  readonly #expected: readonly number[]
  readonly #missing = new Map<number, number>()
  #passed = 0

  constructor(seen: RowsSeen, isOrdered: boolean) {
    this.#isOrdered = isOrdered
    // A copy: the rows that are new are added to `seen` while this goes on.
    this.#expected = [...seen.hashes()]
    for (const hash of this.#expected) {
      this.#missing.set(hash, (this.#missing.get(hash) ?? 0) + 1)
    }
  }

  /** The client has had rows that have not come again. */
  get isWaiting(): boolean {
    return this.#passed < this.#expected.length
  }

  /** The rows of `batch` that are new; undefined where a row comes too early: the client has had others by now. */
  filter(batch: RowBatch): RowBatch | undefined {
    if (!this.isWaiting) return batch
    const fresh: number[] = []
    for (let row = 0; row < batch.rowCount; row++) {
      const isEarly = this.#isOrdered && this.#passed < this.#expected.length
      if (this.#take(hashRow(batch, row))) continue
      if (isEarly) return undefined
      fresh.push(row)
    }
    return pickRows(batch, fresh)
  }

  #take(hash: number): boolean {
    if (this.#isOrdered && this.#expected[this.#passed] !== hash) return false
    const left = this.#missing.get(hash) ?? 0
    if (left === 0) return false
    this.#missing.set(hash, left - 1)
    this.#passed++
    return true
  }
}

function pickRows(batch: RowBatch, rows: readonly number[]): RowBatch {
  const { columnCount, bytes } = batch
  const starts = new Uint32Array(rows.length * columnCount)
  const ends = new Uint32Array(rows.length * columnCount)
  for (const [to, from] of rows.entries()) {
    const cells = [from * columnCount, (from + 1) * columnCount] as const
    starts.set(batch.starts.subarray(...cells), to * columnCount)
    ends.set(batch.ends.subarray(...cells), to * columnCount)
  }
  return { rowCount: rows.length, columnCount, bytes, starts, ends }
}
