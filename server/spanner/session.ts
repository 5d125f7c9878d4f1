import type { CallOptions } from '../backend/backend.ts'

/** A session at Spanner, lent for one transaction or one single-use read: all its calls go over one channel. */
export interface Session {
  /** Full name, `projects/p/instances/i/databases/d/sessions/s`. */
  readonly name: string
  readonly channel: number
}

export interface SessionStats {
  readonly idle: number
  readonly inUse: number
  readonly creating: number
  readonly waiting: number
  /** Sessions that Spanner had forgotten, or whose state was in doubt. */
  readonly dropped: number
  readonly longestHeldMs: number
}

/**
 * The sessions of one database. Whoever acquires one ends it with exactly one of `release` (it carries no transaction any
 * more), `park` (the same transaction is about to be tried again) and `drop`.
 */
export interface Sessions {
  /** Whether transactions share one session: they need precommit tokens then, and no session is ever void because of another. */
  readonly isMultiplexed: boolean
  readonly stats: SessionStats
  /** Makes sure that sessions can be had (and, with them, that the database is there). Rejects with what Spanner said. */
  warmUp(options: CallOptions): Promise<void>
  /**
   * A session without a transaction of its own, `preferred` if it is free; at once where one is at hand. Rejects with kind
   * `too-many-sessions` where none comes free in time.
   */
  acquire(options: CallOptions, preferred?: Session): Session | Promise<Session>
  release(session: Session): void
  /** Spanner ranks the next attempt of an aborted transaction by its session: this one is kept for it, as far as there are others. */
  park(session: Session): void
  /** `gone`: Spanner does not know it any more. `in-doubt`: nobody knows whether a transaction is open in it. */
  drop(session: Session, reason: 'gone' | 'in-doubt'): void
  /** Those in use end when they come back. */
  close(): Promise<void>
}
