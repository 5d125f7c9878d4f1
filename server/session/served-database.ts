import type { BackendDatabase } from '../backend/backend.ts'
import type { CompanionDatabase } from '../companion/companion-types.ts'
import type { EmulationCounters } from '../emulate/emulation-counters.ts'
import type { MirrorRows } from '../emulate/mirror-rows.ts'
import type { ScratchDatabases } from '../emulate/scratch-databases.ts'
import type { Planner } from '../plan/planner.ts'
import type { DatabaseSchema, RoleRename } from '../schema/schema-types.ts'
import type { WriterQueue } from '../transaction/writer-queue.ts'
import type { AdvisoryLocks } from './advisory-locks.ts'
import type { ClientBoard } from './client-board.ts'
import type { NotificationHub } from './notifications.ts'
import type { SchemaWatch } from './schema-watch.ts'
import type { ServerFacts } from './server-settings.ts'

/** One database that clients can connect to, with everything that its connections share. */
export interface ServedDatabase {
  /** The name in the connection string. */
  readonly name: string
  readonly backend: BackendDatabase
  readonly companion: CompanionDatabase
  readonly schema: DatabaseSchema
  readonly planner: Planner
  readonly schemaWatch: SchemaWatch
  /** Where statements are run that Spanner cannot run. */
  readonly scratch: ScratchDatabases
  /** The same, for those that ask for what only the mirror's catalogs know. */
  readonly mirrorRows: MirrorRows
  readonly emulations: EmulationCounters
  readonly writerQueue: WriterQueue | undefined
  readonly advisoryLocks: AdvisoryLocks
  readonly notificationHub: NotificationHub
  /** The conversations that are connected to it. */
  readonly users: Set<object>
}

/** All databases, by the names that clients use. */
export interface DatabaseDirectory {
  /** Who is connected, to whichever of them. */
  readonly clients: ClientBoard
  readonly facts: ServerFacts
  /** Rejects with 3D000 where there is no such database. */
  open(name: string, signal: AbortSignal): Promise<ServedDatabase>
  /** CREATE DATABASE, for `owner`; rejects with 42P04 where it exists. */
  create(name: string, owner: string, signal: AbortSignal): Promise<void>
  /** DROP DATABASE; rejects with 3D000 where it does not exist, with 55006 while others are connected to it. */
  drop(name: string, signal: AbortSignal): Promise<void>
  /** ALTER ROLE .. RENAME, which `work` does in the companion: the stored schemas of all databases follow. */
  renameRole<T>(rename: RoleRename, work: () => Promise<T>, signal: AbortSignal): Promise<T>
}
