import type { SpannerStatement } from '../backend/backend.ts'
import type { BackendFailure } from '../backend/backend-error.ts'
import type { RowsSeen } from './rows-seen.ts'

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
      readonly observed: Observation
    }
  /** DML without RETURNING, sent as one ExecuteBatchDml. */
  | {
      readonly kind: 'batch'
      readonly statements: readonly SpannerStatement[]
      readonly observed: BatchObservation
    }
  /** A read that an emulated SELECT loaded its rows with: compared as any read is at the isolation asked for. */
  | {
      readonly kind: 'load'
      readonly statement: SpannerStatement
      readonly observed: Observation
    }
  /** Keyed writes that an emulated statement carried back. */
  | {
      readonly kind: 'carry'
      readonly statements: readonly SpannerStatement[]
      readonly observed: BatchObservation
    }
  /** Rows of COPY FROM, as the statements that they were sent with. */
  | {
      readonly kind: 'copy'
      readonly statements: readonly SpannerStatement[]
      readonly observed: BatchObservation
    }
  /** DDL that was applied in the middle of the transaction: a mark, it is not run again. */
  | { readonly kind: 'ddl'; readonly schemaVersion: bigint }

/** Counts of the statements that ran, and why the one after them failed. */
export interface BatchObservation {
  readonly rowCounts: readonly bigint[]
  readonly failure: BackendFailure | undefined
}

/** A place between two entries of a log. */
export type LogMark = number

/** The steps of one read-write transaction, in order. */
export class TransactionLog {
  readonly #entries: LogEntry[] = []
  /** Memory that each entry held when it was appended. */
  readonly #sizes: number[] = []
  #sizeBytes = 0

  get entries(): readonly LogEntry[] {
    return this.#entries
  }

  /** Memory that the entries hold, in bytes; an estimate. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  append(entry: LogEntry): void {
    const size = sizeOf(entry)
    this.#entries.push(entry)
    this.#sizes.push(size)
    this.#sizeBytes += size
  }

  mark(): LogMark {
    return this.#entries.length
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
    this.#entries.splice(change)
    for (const size of this.#sizes.splice(change)) this.#sizeBytes -= size
  }

  #firstChange(mark: LogMark): LogMark | undefined {
    for (let at = mark; at < this.#entries.length; at++) {
      const entry = this.#entries[at]
      if (entry !== undefined && hasChangedRows(entry)) return at
    }
    return undefined
  }
}

function hasChangedRows(entry: LogEntry): boolean {
  switch (entry.kind) {
    case 'statement':
      return entry.isDml && entry.observed.rowCount !== 0n && entry.observed.failure === undefined
    case 'load':
      return false
    case 'batch':
    case 'carry':
    case 'copy':
      return entry.observed.rowCounts.some((count) => count !== 0n)
    case 'ddl':
      return true
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
    case 'carry':
    case 'copy':
      return entry.statements.reduce((sum, statement) => sum + statementSize(statement), 0)
    case 'ddl':
      return 0
  }
}

/** Texts are shared with the plan that they came from; objects around values count for about 100 bytes each. */
function statementSize({ params }: SpannerStatement): number {
  return params.reduce((sum, param) => sum + param.value.length + 100, 100)
}
