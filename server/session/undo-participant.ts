import type { TransactionParticipant } from '../transaction/transaction-block.ts'

/** What takes effect at once, outside of Spanner, and is taken back with the transaction, or the savepoint, in which it was done. */
export class UndoParticipant implements TransactionParticipant {
  /** Of the savepoint that it belongs to; 0 outside any. */
  #level: number
  #undo: (() => Promise<void>) | undefined

  constructor(level: number, undo: () => Promise<void>) {
    this.#level = level
    this.#undo = undo
  }

  async commit(): Promise<void> {
    this.#undo = undefined
  }

  async rollback(): Promise<void> {
    const undo = this.#undo
    this.#undo = undefined
    await undo?.()
  }

  async savepoint(): Promise<void> {}

  async release(level: number): Promise<void> {
    this.#level = Math.min(this.#level, level - 1)
  }

  async rollbackTo(level: number): Promise<void> {
    if (level <= this.#level) await this.rollback()
  }
}
