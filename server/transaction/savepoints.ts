import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { LogMark } from './log.ts'

/** One SAVEPOINT that is in force. */
export interface Savepoint {
  readonly name: string
  /** Where the transaction stood; 0 where it had not begun. */
  readonly mark: LogMark
}

/**
 * The savepoints of one transaction, the outermost first. A name may be set again: it then hides the older one until it goes
 * (manual, SAVEPOINT). The level of a savepoint is its number from 1.
 */
export class SavepointStack {
  readonly #savepoints: Savepoint[] = []

  /** The level of the newest; 0 where there is none. */
  get level(): number {
    return this.#savepoints.length
  }

  /** Returns the level of the new savepoint. */
  push(savepoint: Savepoint): number {
    return this.#savepoints.push(savepoint)
  }

  /** Takes out the newest of that name, and all that came after it. Returns its level. Throws 3B001. */
  release(name: string): number {
    const level = this.#mustFind(name)
    this.#savepoints.length = level - 1
    return level
  }

  /** Takes out all that came after the newest of that name. Throws 3B001. */
  rollBackTo(name: string): { readonly level: number; readonly mark: LogMark } {
    const level = this.#mustFind(name)
    this.#savepoints.length = level
    return { level, mark: this.#savepoints[level - 1]?.mark ?? 0 }
  }

  clear(): void {
    this.#savepoints.length = 0
  }

  #mustFind(name: string): number {
    const index = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name)
    if (index >= 0) return index + 1
    throw new PgError(SQL_STATE.invalidSavepointSpecification, `savepoint "${name}" does not exist`)
  }
}
