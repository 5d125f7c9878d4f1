/**
 * What clients did and saw, as JSON lines. A transaction is a list of reads and appends; the value of a key is the list of all
 * that was appended to it, and nothing is appended twice: so that a read tells not only what it saw but in which order that was
 * written (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", 2020).
 */
export interface HistoryEntry {
  /** Unique in the history. */
  readonly id: number
  /** The client. */
  readonly process: number
  /** Milliseconds on one clock: before the first statement was sent, after the last answer came. */
  readonly startMs: number
  readonly endMs: number
  /**
   * `committed`: COMMIT was acknowledged. `failed`: it certainly did not happen. `unknown`: it may have happened (08007, or a connection
   * lost with COMMIT under way).
   */
  readonly outcome: 'committed' | 'failed' | 'unknown'
  /** In the order in which they ran; those of a transaction that failed in the middle end there. */
  readonly operations: readonly Operation[]
  /** SQLSTATE or what else ended it. */
  readonly error?: string
}

export type Operation =
  | { readonly kind: 'append'; readonly key: number; readonly value: number }
  | { readonly kind: 'read'; readonly key: number; readonly values: readonly number[] }

/** One entry a line. */
export function printHistory(history: readonly HistoryEntry[]): string {
  return history.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}

export function parseHistory(text: string): readonly HistoryEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryEntry)
}
