import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { TransactionCharacteristics } from './characteristics.ts'
import type { LogMark } from './log.ts'

/** One SAVEPOINT that is in force. */
export interface Savepoint {
  readonly name: string
  /** Where the transaction stood; 0 where it had not begun. */
  readonly mark: LogMark
  readonly characteristics: TransactionCharacteristics
}

/**
 * The savepoints of one transaction, the outermost first. A name may be set again: it then hides the older one until it goes
 * (manual, SAVEPOINT). The level of a savepoint is its number from 1.
 */
export class SavepointStack {
  readonly #savepoints: Savepoint[] = []

  /** What was in force when the newest was set. */
  get surrounding(): TransactionCharacteristics | undefined {
    return this.#savepoints.at(-1)?.characteristics
  }

  /** The level of the newest; 0 where there is none. */
  get level(): number {
    return this.#savepoints.length
  }

  /** Returns the level of the new savepoint. */
  push(savepoint: Savepoint): number {
    return this.#savepoints.push(savepoint)
  }

  /** Takes out the newest of that name, and all that came after it. Throws 3B001. */
  release(name: string): Savepoint & { readonly level: number } {
    const { level, savepoint } = this.#mustFind(name)
    this.#savepoints.length = level - 1
    return { level, ...savepoint }
  }

  /** Takes out all that came after the newest of that name. Throws 3B001. */
  rollBackTo(name: string): Savepoint & { readonly level: number } {
    const { level, savepoint } = this.#mustFind(name)
    this.#savepoints.length = level
    return { level, ...savepoint }
  }

  clear(): void {
    this.#savepoints.length = 0
  }

  #mustFind(name: string): { readonly level: number; readonly savepoint: Savepoint } {
    const index = this.#savepoints.findLastIndex((candidate) => candidate.name === name)
    const savepoint = this.#savepoints[index]
    if (savepoint !== undefined) return { level: index + 1, savepoint }
    throw new PgError(SQL_STATE.invalidSavepointSpecification, `savepoint "${name}" does not exist`)
  }
}
