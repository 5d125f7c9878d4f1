import type { HistoryEntry } from './history.ts'

/**
 * What a history may have done wrong. G0 to G2 are Adya's phenomena ("Weak Consistency", 1999): cycles of dependencies, by the edges
 * that they need.
 */
export type AnomalyKind =
  /** A read saw what a transaction wrote that failed. */
  | 'G1a'
  /** A read saw what a transaction wrote before its last append to the key. */
  | 'G1b'
  /** A cycle of write dependencies. */
  | 'G0'
  /** A cycle of write and read dependencies. */
  | 'G1c'
  /** A cycle with one anti-dependency: read skew, lost update. */
  | 'G-single'
  /** A cycle with several anti-dependencies: write skew. */
  | 'G2'
  /** A transaction did not see its own appends, or read one key differently without appending to it. */
  | 'internal'
  /** Two reads of a key saw lists of which neither continues the other. */
  | 'incompatible-order'
  /** A value twice in one list. */
  | 'duplicate'
  /** A value that nobody appended. */
  | 'garbage'
  /** A read that began after an append was acknowledged missed it. */
  | 'lost-append'

export interface Anomaly {
  readonly kind: AnomalyKind
  /** Whom it is about, in order: of a cycle, each depends on the one after it, and the last on the first. */
  readonly transactions: readonly HistoryEntry[]
  /** For people. */
  readonly explanation: string
}

/** The anomalies that PostgreSQL's READ COMMITTED allows; its REPEATABLE READ allows `G2` only. */
export const ALLOWED_READ_COMMITTED: ReadonlySet<AnomalyKind> = new Set<AnomalyKind>([
  'G-single',
  'G2',
  'internal',
])
