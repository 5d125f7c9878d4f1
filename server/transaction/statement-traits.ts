import type { SpannerStatement } from '../backend/backend.ts'
import type { RowsSeen } from './rows-seen.ts'

/** What the transaction must know of a statement that is sent to Spanner. */
export interface StatementTraits {
  /** INSERT, UPDATE, DELETE or SELECT: named in 25006. */
  readonly command: string
  readonly isDml: boolean
  /** SELECT, or DML with RETURNING. */
  readonly returnsRows: boolean
  /** FOR UPDATE and its relatives. */
  readonly locksRows: boolean
  /** The plan fixes the order of its rows. */
  readonly isOrdered: boolean
  /** It reads rows for an emulated statement. */
  readonly isLoad?: boolean | undefined
  /** RequestOptions.request_tag; not sent again with a replay. */
  readonly requestTag?: string | undefined
  /**
   * It draws from sequences. Where it does nothing else it is not run again, because what was drawn stays drawn; where it reads rows as well, what
   * the isolation holds to account must come again with them.
   */
  readonly draws?: 'only' | 'with rows' | undefined
  /** DML: Spanner's name of the table whose rows it writes. */
  readonly written?: string | undefined
  /** DML: it writes values that Spanner draws in it. A replay draws others, but for those that `again` binds. */
  readonly writesDrawn?: boolean | undefined
  /** The statement is all that its implicit transaction will hold. */
  readonly isSole: boolean
  /** The same statement with the values bound that Spanner drew in it, given the rows that it returned. */
  readonly again?: ((rows: RowsSeen) => SpannerStatement | undefined) | undefined
}

/** What it must know of a read that an emulated statement gets its rows from. */
export interface LoadTraits extends Pick<StatementTraits, 'locksRows' | 'requestTag' | 'isSole'> {
  /** The statement has no other load. */
  readonly isOnly: boolean
}
