import type { CallOptions } from '../backend/backend.ts'
import type { PinnedConnection } from '../companion/companion-types.ts'
import type { DeclaredObject } from './declared-object.ts'
import type { LogicalSchema } from './logical-schema.ts'

/** Keeps the logical schema, its stored rows in Spanner and the mirror of one database in step. */
export interface DatabaseSchema {
  readonly current: LogicalSchema
  /** What `current` was declared with. */
  readonly declared: readonly DeclaredObject[]
  /**
   * Reads the stored version (or, for a database made by others, information_schema) and brings the mirror up to date by
   * difference. True where something changed.
   */
  refresh(options: CallOptions): Promise<boolean>
  /** After a role of the companion got another name: what is stored says the new one. */
  renameRole(rename: RoleRename, options: CallOptions): Promise<void>
  /** Remembers the schema before the first DDL of a pinned transaction. */
  begin(pinned: PinnedConnection): Promise<DdlTransaction>
}

/** ALTER ROLE .. RENAME. */
export interface RoleRename {
  readonly from: string
  readonly to: string
}

/** DDL of one client transaction: runs in the pinned companion transaction, and takes effect at `commit`. */
export interface DdlTransaction {
  /** Refuses (0A000 with a hint) what of the difference so far cannot be made in Spanner; called after each DDL statement, so that the client learns it at the statement. */
  check(options: CallOptions): Promise<void>
  /** Says that what `pinned` holds is not what was checked last. */
  changed(): void
  /**
   * Takes the difference, rolls the companion's transaction back (releases `pinned`), changes Spanner in one batch, writes the stored rows and
   * advances the mirror. Errors that depend on data come from here as PgError (23502, 23505, 23514, 23503).
   */
  commit(options: CallOptions): Promise<void>
}
