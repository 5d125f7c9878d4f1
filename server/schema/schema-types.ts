import type { CallOptions, SpannerStatement } from '../backend/backend.ts'
import type { PinnedConnection } from '../companion/companion-types.ts'
import type { DeclaredObject } from './declared-object.ts'
import type { LogicalSchema } from './logical-schema.ts'
import type { TextRow } from './spanner-query.ts'
import type { AddedValues } from './transaction-tables.ts'

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
  /** Remembers the schema before the first DDL of a pinned transaction, which may change `rows` as well. */
  begin(pinned: PinnedConnection, rows: RowChanges): Promise<DdlTransaction>
}

/** ALTER ROLE .. RENAME. */
export interface RoleRename {
  readonly from: string
  readonly to: string
}

/** What a client's transaction does with rows, as its DDL must know it. */
export interface RowChanges {
  /** Whether rows were changed. */
  readonly hasWritten: boolean
  /** Spanner's names of the tables whose rows were changed. */
  readonly written: ReadonlySet<string>
  /** Ends what is under way at Spanner, for which a change of the schema would wait; the next call does again what was done. */
  rest(): Promise<void>
  /** Reads in the transaction; columns as {@link TextRow} takes them. */
  read(sql: string, options: CallOptions): Promise<readonly TextRow[]>
  /** Changes rows of tables in the transaction; the counts of the statements. */
  write(
    statements: readonly SpannerStatement[],
    tables: readonly string[],
    options: CallOptions,
  ): Promise<readonly bigint[]>
  commit(options: CallOptions): Promise<void>
}

/** A schema, and what it was declared with. */
export interface SchemaVersion {
  readonly logical: LogicalSchema
  readonly declared: readonly DeclaredObject[]
}

/**
 * DDL of one client transaction: runs in the pinned companion transaction, and takes effect at `commit`. Where the transaction changes rows as
 * well, Spanner is made to hold before that what they need (`expand`), unseen by others.
 */
export interface DdlTransaction {
  /**
   * Refuses (0A000 with a hint) what of the difference so far cannot be made in Spanner; called after each DDL statement, so that the client learns it
   * at the statement.
   */
  check(options: CallOptions): Promise<void>
  /** Says that what `pinned` holds is not what was checked last. */
  changed(): void
  /** What Spanner holds for the transaction; undefined: what it holds for everybody. */
  readonly inSpanner: SchemaVersion | undefined
  /** What the transaction has declared, as Spanner will hold it behind `expand`. */
  declared(options: CallOptions): Promise<LogicalSchema>
  /** Makes Spanner hold what was declared, for changes of rows that follow; false where it does already. Errors are those of `commit`. */
  expand(options: CallOptions): Promise<boolean>
  /** Says what rows are to have in the columns that were added so far. */
  noteAdded(added: AddedValues): void
  /**
   * Takes the difference, rolls the companion's transaction back (releases `pinned`), changes Spanner, writes the stored rows and
   * advances the mirror; the client's rows are committed with it. Errors that depend on data come from here as PgError (23502, 23505, 23514, 23503).
   */
  commit(options: CallOptions): Promise<void>
  /** Levels are those of savepoints. */
  savepoint(level: number): void
  /** Takes back what Spanner was made to hold since, and by `rollback` all of it. */
  rollbackTo(level: number): Promise<void>
  rollback(): Promise<void>
}
