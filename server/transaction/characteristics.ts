/** PostgreSQL's four isolation levels, as SHOW transaction_isolation writes them. */
export type IsolationLevel =
  | 'read uncommitted'
  | 'read committed'
  | 'repeatable read'
  | 'serializable'

/** What SET TRANSACTION chooses (manual, SET TRANSACTION). */
export interface TransactionCharacteristics {
  readonly isolation: IsolationLevel
  readonly readOnly: boolean
  readonly deferrable: boolean
}

/**
 * Whether a plain read must show the same rows when the transaction is run again. At READ COMMITTED each statement has a snapshot
 * of its own, so that nothing in PostgreSQL keeps a row that was read from moving on (manual, section 13.2).
 */
export function comparesReads(isolation: IsolationLevel): boolean {
  return isolation === 'repeatable read' || isolation === 'serializable'
}
