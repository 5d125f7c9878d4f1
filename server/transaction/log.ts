import type { SpannerStatement } from '../backend/backend.ts'
import type { SqlState } from '../base/sql-state.ts'

/**
 * The log of a read-write transaction: what was sent to Spanner with all values bound (those of the moment included), and what
 * the client was told. A replay sends the same statements again and compares; it never draws a value anew.
 */
export interface TransactionLog {
  readonly entries: readonly LogEntry[]
  /** Memory that the entries hold, in bytes. */
  readonly sizeBytes: number
}

export type LogEntry =
  | {
      readonly kind: 'statement'
      readonly statement: SpannerStatement
      readonly isDml: boolean
      readonly observed: Observation
      readonly mustCompare: boolean
    }
  | {
      readonly kind: 'batch'
      readonly statements: readonly SpannerStatement[]
      readonly observed: readonly Observation[]
    }
  /** A read that an emulated SELECT loaded its rows with: compared as any read is at the isolation asked for. */
  | {
      readonly kind: 'load'
      readonly statement: SpannerStatement
      readonly observed: Observation
      readonly mustCompare: boolean
    }
  /** Keyed writes that an emulated statement carried back. */
  | {
      readonly kind: 'carry'
      readonly statements: readonly SpannerStatement[]
      readonly observed: readonly Observation[]
    }
  /** Rows of COPY FROM, as the statements that they were sent with. */
  | {
      readonly kind: 'copy'
      readonly statements: readonly SpannerStatement[]
      readonly observed: readonly Observation[]
    }
  /** DDL that was applied in the middle of the transaction: a mark, it is not run again. */
  | { readonly kind: 'ddl'; readonly schemaVersion: bigint }
  | { readonly kind: 'savepoint'; readonly name: string }

/** What the client was told about one statement. */
export interface Observation {
  /** Digest over column values after chunk merge; undefined where no rows were returned. */
  readonly rowsDigest: string | undefined
  readonly rowCount: bigint | undefined
  readonly error:
    | { readonly sqlState: SqlState; readonly constraint: string | undefined }
    | undefined
}
