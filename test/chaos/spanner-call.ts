/** A call of google.spanner.v1.Spanner, as far as faults have to know it. */
export interface SpannerCall {
  readonly method: string
  /** Full name. */
  readonly database: string
  /** Empty where the call is in no session (BatchCreateSessions). */
  readonly session: string
  /** A regular session has one transaction at a time, a multiplexed one any number. */
  readonly isMultiplexed: boolean
  readonly transaction: CallTransaction
  /**
   * What ties the attempts at one transaction of a client together: the session, or on a multiplexed one the transaction that each begin
   * says it follows. Attempts there whose own begin failed cannot be told from new transactions. Calls in no session: the database.
   */
  readonly lineage: string
}

/** Which transaction a call belongs to; ids in hexadecimal. */
export type CallTransaction =
  | { readonly kind: 'none' }
  | { readonly kind: 'single-use' }
  | { readonly kind: 'begin'; readonly isReadWrite: boolean }
  | { readonly kind: 'id'; readonly isReadWrite: boolean; readonly id: string }
