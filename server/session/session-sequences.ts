import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { notSupported } from './client-error.ts'

/** What is known of the value that the session drew last from a sequence. */
export type DrawnValue =
  | { readonly kind: 'known'; readonly value: string }
  /** Known, but another one would be drawn if its transaction, the one of this number, were run again. */
  | { readonly kind: 'known-after'; readonly value: string; readonly transaction: number }
  /** Spanner drew it and did not tell. */
  | { readonly kind: 'unseen' }

/**
 * The session's memory of sequences: what currval() and lastval() answer (src/backend/commands/sequence.c, SeqTableData). Transactions have
 * no part in it: what was drawn stays drawn. By OID of the sequence.
 */
export class SessionSequences {
  readonly #values = new Map<number, DrawnValue>()
  #last: number | undefined

  /** A value was drawn. */
  drew(sequence: number, value: DrawnValue): void {
    this.#values.set(sequence, value)
    this.#last = sequence
  }

  /** setval(): a later currval() gives the value. */
  set(sequence: number, value: string): void {
    this.#values.set(sequence, { kind: 'known', value })
  }

  /** Those that the session drew from, or set. */
  all(): Iterable<number> {
    return this.#values.keys()
  }

  find(sequence: number): DrawnValue | undefined {
    return this.#values.get(sequence)
  }

  /** The sequence that was drawn from last; undefined before the first. */
  get last(): number | undefined {
    return this.#last
  }

  /** DISCARD SEQUENCES. */
  forget(): void {
    this.#values.clear()
    this.#last = undefined
  }
}

/** currval() of a sequence that the session did not draw from. */
export function currvalUndefined(name: string): PgError {
  return new PgError(
    SQL_STATE.objectNotInPrerequisiteState,
    `currval of sequence "${name}" is not yet defined in this session`,
  )
}

/** lastval() before the session drew from any sequence. */
export function lastvalUndefined(): PgError {
  return new PgError(
    SQL_STATE.objectNotInPrerequisiteState,
    'lastval is not yet defined in this session',
  )
}

/** Spanner drew the value, and nobody was told. */
export function unseenDraw(): PgError {
  return notSupported(
    'the value that a sequence gave to rows which were inserted together, or within an expression',
    'INSERT the row by itself, or with RETURNING.',
  )
}
