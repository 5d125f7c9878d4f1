import { Bug } from '../base/pg-error.ts'
import type { SessionState } from './session-state.ts'
import { readTexts } from './text-request.ts'

/**
 * txid_current() and its relatives: Spanner numbers no transactions, so that each one that asks gets a number of the companion's, which counts on
 * over restarts.
 */
export class XactId {
  #transaction = 0
  #id: string | undefined

  /** The number of the transaction under way. Without `assigns` undefined where it has none and has not written. */
  async of(
    state: SessionState,
    { assigns }: { readonly assigns: boolean },
  ): Promise<string | undefined> {
    const { block } = state
    if (this.#transaction === block.transactionNumber && this.#id !== undefined) return this.#id
    if (!assigns && !block.hasWritten) return undefined
    const sql = 'SELECT pg_catalog.txid_current()'
    const [row] = await readTexts(state, sql, [], state.database.companion)
    if (row === undefined) throw new Bug('the companion returned no transaction id')
    this.#transaction = block.transactionNumber
    this.#id = row[0]
    return this.#id
  }
}
