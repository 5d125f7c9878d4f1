import type { SpannerStatement } from '../backend/backend.ts'
import type { BackendFailure } from '../backend/backend-error.ts'
import { Bug } from '../base/pg-error.ts'
import { RowsSeen } from './rows-seen.ts'
import { type SpilledValue, SpillFile } from './spill-file.ts'

/** What the client was told about one statement. */
export interface Observation {
  /** undefined: no rows, or none that must come again. */
  readonly rows: RowsSeen | undefined
  /** The client gave the rest of the rows up: more may come, but not less. */
  readonly isPartial?: boolean | undefined
  /** Of DML. */
  readonly rowCount: bigint | undefined
  readonly failure: BackendFailure | undefined
}

/**
 * One step of a read-write transaction: what was sent to Spanner with all values bound (those of the moment included), and what
 * the client was told. A replay sends the same again and compares; it never draws a value anew.
 */
export type LogEntry =
  | {
      readonly kind: 'statement'
      readonly statement: SpannerStatement
      /** What is sent again, where that differs: values that Spanner drew in the first run are bound in it. */
      readonly again?: SpannerStatement | undefined
      readonly isDml: boolean
      /** Whether the plan fixes the order of the rows. */
      readonly isOrdered: boolean
      readonly requestTag?: string | undefined
      readonly observed: Observation
    }
  /** DML without RETURNING, sent as one ExecuteBatchDml. */
  | {
      readonly kind: 'batch'
      readonly statements: readonly SpannerStatement[]
      readonly requestTag?: string | undefined
      readonly observed: BatchObservation
    }
  /** A read that an emulated SELECT loaded its rows with: compared as any read is at the isolation asked for. */
  | {
      readonly kind: 'load'
      readonly statement: SpannerStatement
      readonly requestTag?: string | undefined
      readonly observed: Observation
    }

/** Counts of the statements that ran, and why the one after them failed. */
export interface BatchObservation {
  readonly rowCounts: readonly bigint[]
  readonly failure: BackendFailure | undefined
}

/** A place between two entries of a log. */
export type LogMark = number

/** Memory that a log takes before what follows goes to disk. */
export const MAX_LOG_MEMORY_BYTES = 8 * 1024 * 1024

/** An entry, or where it lies on disk. */
interface Step {
  readonly entry: LogEntry | SpilledValue
  readonly changesRows: boolean
  /** Memory that it holds. */
  readonly sizeBytes: number
}

/** The steps of one read-write transaction, in order. Past a bound they are kept on disk. */
export class TransactionLog {
  readonly #maxMemoryBytes: number
  readonly #steps: Step[] = []
  #memoryBytes = 0
  #spill: SpillFile | undefined

  constructor(maxMemoryBytes = MAX_LOG_MEMORY_BYTES) {
    this.#maxMemoryBytes = maxMemoryBytes
  }

  get isEmpty(): boolean {
    return this.#steps.length === 0
  }

  /** Memory that the log holds, in bytes; an estimate. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  *entries(): Generator<LogEntry> {
    for (const { entry } of this.#steps) {
      yield 'offset' in entry ? this.#readSpilled(entry) : entry
    }
  }

  append(entry: LogEntry): void {
    const sizeBytes = sizeOf(entry)
    const changesRows = hasChangedRows(entry)
    if (this.#memoryBytes + sizeBytes <= this.#maxMemoryBytes) {
      this.#steps.push({ entry, changesRows, sizeBytes })
      this.#memoryBytes += sizeBytes
      return
    }
    this.#spill ??= new SpillFile()
    this.#steps.push({ entry: this.#spill.write(toPlain(entry)), changesRows, sizeBytes: 0 })
  }

  mark(): LogMark {
    return this.#steps.length
  }

  /** Whether rows were changed after `mark`; of the whole transaction without one. */
  hasWritten(mark: LogMark = 0): boolean {
    return this.#firstChange(mark) !== undefined
  }

  /**
   * Takes out what came after `mark`. What was seen before the first change after it stays: it is still true, and still has to
   * be when the transaction commits.
   */
  truncate(mark: LogMark): void {
    const change = this.#firstChange(mark)
    if (change === undefined) return
    for (const { sizeBytes } of this.#steps.splice(change)) this.#memoryBytes -= sizeBytes
  }

  /** Gives the disk back. */
  close(): void {
    this.#spill?.close()
    this.#spill = undefined
  }

  #firstChange(mark: LogMark): LogMark | undefined {
    for (let at = mark; at < this.#steps.length; at++) {
      if (this.#steps[at]?.changesRows === true) return at
    }
    return undefined
  }

  #readSpilled(place: SpilledValue): LogEntry {
    if (this.#spill === undefined) throw new Bug('a log was read after its end')
    return fromPlain(this.#spill.read(place) as PlainEntry)
  }
}

/** An entry without objects that have methods: the rows seen are their hashes. */
interface PlainEntry {
  readonly entry: LogEntry
  readonly hashes: readonly number[] | undefined
}

function toPlain(entry: LogEntry): PlainEntry {
  if (entry.kind !== 'statement' && entry.kind !== 'load') return { entry, hashes: undefined }
  const { rows, ...observed } = entry.observed
  return { entry: { ...entry, observed: { ...observed, rows: undefined } }, hashes: rows?.hashes() }
}

function fromPlain({ entry, hashes }: PlainEntry): LogEntry {
  if (hashes === undefined || (entry.kind !== 'statement' && entry.kind !== 'load')) return entry
  return { ...entry, observed: { ...entry.observed, rows: RowsSeen.fromHashes(hashes) } }
}

function hasChangedRows(entry: LogEntry): boolean {
  switch (entry.kind) {
    case 'statement':
      return entry.isDml && entry.observed.rowCount !== 0n && entry.observed.failure === undefined
    case 'load':
      return false
    case 'batch':
      return entry.observed.rowCounts.some((count) => count !== 0n)
  }
}

function sizeOf(entry: LogEntry): number {
  switch (entry.kind) {
    case 'statement':
      return (
        statementSize(entry.statement) +
        (entry.again === undefined ? 0 : statementSize(entry.again)) +
        (entry.observed.rows?.sizeBytes ?? 0)
      )
    case 'load':
      return statementSize(entry.statement) + (entry.observed.rows?.sizeBytes ?? 0)
    case 'batch':
      return entry.statements.reduce((sum, statement) => sum + statementSize(statement), 0)
  }
}

/** Texts are shared with the plan that they came from; objects around values count for about 100 bytes each. */
function statementSize({ params }: SpannerStatement): number {
  return params.reduce((sum, param) => sum + param.value.length + 100, 100)
}
