import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend, BackendDatabase, CallOptions } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import { PgError } from '../base/pg-error.ts'
import { raceAbort } from '../base/race-abort.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Companion } from '../companion/companion-types.ts'
import { EmulationCounters } from '../emulate/emulation-counters.ts'
import { MirrorRows } from '../emulate/mirror-rows.ts'
import type { ScratchCluster } from '../emulate/scratch-cluster.ts'
import { ScratchDatabases } from '../emulate/scratch-databases.ts'
import { Planner } from '../plan/planner.ts'
import { openDatabaseSchema } from '../schema/database-schema.ts'
import type { RoleRename } from '../schema/schema-types.ts'
import { DIALECT } from '../sql/dialect-lookup.ts'
import { WriterQueue } from '../transaction/writer-queue.ts'
import { AdvisoryLocks } from './advisory-locks.ts'
import { ClientBoard } from './client-board.ts'
import { companionOnlyBackend, companionOnlySchema } from './companion-only-database.ts'
import { NotificationHub } from './notifications.ts'
import { SchemaWatch } from './schema-watch.ts'
import type { DatabaseDirectory, ServedDatabase } from './served-database.ts'
import type { ServerFacts } from './server-settings.ts'

const ADMIN_TIMEOUT_MS = 120_000

/** What databases are served from. */
export interface Behind {
  readonly backend: Backend
  readonly companion: Companion
  readonly scratch: ScratchCluster
}

/** Opens each database once, when the first client asks for it, and keeps it for the others. */
export class Databases implements DatabaseDirectory {
  readonly clients = new ClientBoard()
  readonly facts: ServerFacts
  readonly #backend: Backend
  readonly #companion: Companion
  readonly #scratch: ScratchCluster
  readonly #advisoryLockLeaseMs: number
  /** Those of all databases that are served. */
  readonly #locks = new Set<AdvisoryLocks>()
  readonly #watches = new Set<SchemaWatch>()
  readonly #open = new Map<string, Promise<ServedDatabase>>()

  constructor(behind: Behind, facts: ServerFacts, advisoryLockLeaseMs: number) {
    this.#backend = behind.backend
    this.#companion = behind.companion
    this.#scratch = behind.scratch
    this.facts = facts
    this.#advisoryLockLeaseMs = advisoryLockLeaseMs
  }

  /** Gives every database of the backend a mirror, so that catalogs list it. */
  async announce(options: CallOptions): Promise<void> {
    for (const id of await this.#backend.listDatabases(options)) {
      await this.#companion.createDatabase(id)
    }
  }

  async open(name: string, signal: AbortSignal): Promise<ServedDatabase> {
    const present = this.#open.get(name)
    if (present !== undefined) return raceAbort(present, signal)
    // Others may be waiting for it when the client that came first has gone.
    const opening = this.#openNew(name, AbortSignal.timeout(ADMIN_TIMEOUT_MS))
    this.#open.set(name, opening)
    // The next client tries again.
    opening.catch(() => {
      if (this.#open.get(name) === opening) this.#open.delete(name)
    })
    return raceAbort(opening, signal)
  }

  async create(name: string, owner: string, signal: AbortSignal): Promise<void> {
    if (name === MAINTENANCE_DATABASE) this.#open.delete(name)
    try {
      await this.#backend.createDatabase(spannerId(name), adminCall(signal))
    } catch (error) {
      if (!hasKind(error, 'database-exists')) throw error
      throw databaseExists(name, error)
    }
    await this.#companion.createDatabase(name, owner)
  }

  async drop(name: string, signal: AbortSignal): Promise<void> {
    const served = await this.open(name, signal)
    const others = await countOthers(served, signal)
    if (others > 0) {
      throw new PgError(
        SQL_STATE.objectInUse,
        `database "${name}" is being accessed by other users`,
        {
          detail:
            others === 1
              ? 'There is 1 other session using the database.'
              : `There are ${others} other sessions using the database.`,
        },
      )
    }
    this.#open.delete(name)
    this.#locks.delete(served.advisoryLocks)
    this.#watches.delete(served.schemaWatch)
    await served.schemaWatch.stop()
    await served.advisoryLocks.close()
    await served.backend.close()
    await served.scratch.close()
    await this.#backend.dropDatabase(spannerId(name), adminCall(signal))
    await this.#companion.dropDatabase(name)
  }

  async renameRole<T>(rename: RoleRename, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    // Opened before: a schema that is read under the old name would make the role again.
    const served = await this.#openAll(signal)
    const done = await work()
    for (const { schema } of served) await schema.renameRole(rename, adminCall(signal))
    return done
  }

  /** Those that the catalogs list and the backend still has, up to date. */
  async #openAll(signal: AbortSignal): Promise<readonly ServedDatabase[]> {
    const all: ServedDatabase[] = []
    for (const name of await this.#companion.listDatabases()) {
      const served = await this.open(name, signal).catch((error: unknown) => {
        if (error instanceof PgError && error.code === SQL_STATE.invalidCatalogName)
          return undefined
        throw error
      })
      await served?.schema.refresh(adminCall(signal))
      if (served !== undefined) all.push(served)
    }
    return all
  }

  /** Gives up what this process holds in the databases. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([
      ...[...this.#watches].map((watch) => watch.stop()),
      ...[...this.#locks].map((locks) => locks.close()),
    ])
  }

  async #openNew(name: string, signal: AbortSignal): Promise<ServedDatabase> {
    const found = await this.#findBackend(name, signal)
    try {
      return await this.#serve(name, found, signal)
    } catch (error) {
      await found?.close()
      throw error
    }
  }

  async #serve(
    name: string,
    found: BackendDatabase | undefined,
    signal: AbortSignal,
  ): Promise<ServedDatabase> {
    await this.#companion.createDatabase(name)
    const companion = this.#companion.database(name)
    const backend = found ?? companionOnlyBackend(name)
    const schema = found
      ? await openDatabaseSchema(
          { backend, companion, ensureRole: (user) => this.#companion.ensureRole(user) },
          adminCall(signal),
        )
      : companionOnlySchema(name)
    const { capabilities } = backend
    const users = new Set<object>()
    const schemaWatch = new SchemaWatch(schema, () => users.size > 0)
    this.#watches.add(schemaWatch)
    return {
      name,
      backend,
      companion,
      schema,
      scratch: new ScratchDatabases(this.#scratch, name),
      mirrorRows: new MirrorRows(companion),
      emulations: new EmulationCounters(),
      planner: new Planner({ companion, schema, capabilities, dialect: DIALECT }),
      writerQueue: capabilities.concurrentWrites ? undefined : new WriterQueue(),
      advisoryLocks: this.#advisoryLocks(found),
      notificationHub: new NotificationHub(),
      users,
      schemaWatch,
    }
  }

  /** Where the backend has one read-write transaction at a time, the proxy's own would be in the way of the clients'. */
  #advisoryLocks(backend: BackendDatabase | undefined): AdvisoryLocks {
    const isShared = backend?.capabilities.concurrentWrites === true
    const leaseMs = this.#advisoryLockLeaseMs
    const locks = new AdvisoryLocks(isShared ? { backend, leaseMs } : undefined)
    this.#locks.add(locks)
    return locks
  }

  /** undefined: the database that always exists, which this instance does not have. */
  async #findBackend(name: string, signal: AbortSignal): Promise<BackendDatabase | undefined> {
    try {
      return await this.#backend.openDatabase(spannerId(name), adminCall(signal))
    } catch (error) {
      if (!hasKind(error, 'database-not-found')) throw error
      if (name === MAINTENANCE_DATABASE) return undefined
      throw noSuchDatabase(name, error)
    }
  }
}

/** As CountOtherDBBackends (src/backend/storage/ipc/procarray.c): clients that are leaving get five seconds to do so. */
async function countOthers({ users }: ServedDatabase, signal: AbortSignal): Promise<number> {
  for (let tries = 0; users.size > 0 && tries < 50; tries++) {
    await delay(100, undefined, { signal })
  }
  return users.size
}

/** Where tools connect when they are to make or drop a database. */
export const MAINTENANCE_DATABASE = 'postgres'

/** Makes a database of a backend that is ours (embedded, emulator), unless it is there. */
export async function ensureDatabase(
  backend: Backend,
  name: string,
  options: CallOptions,
): Promise<void> {
  try {
    await backend.createDatabase(spannerId(name), options)
  } catch (error) {
    if (!hasKind(error, 'database-exists')) throw error
  }
}

function adminCall(signal: AbortSignal): CallOptions {
  return { timeoutMs: ADMIN_TIMEOUT_MS, signal }
}

function hasKind(error: unknown, kind: BackendError['failure']['kind']): boolean {
  return error instanceof BackendError && error.failure.kind === kind
}

/** Spanner's database ids: 2 to 30 characters (Spanner, "Naming a database"). */
const SPANNER_ID = /^[a-z][a-z0-9_-]{0,28}[a-z0-9]$/

/** The Spanner id that stands for a PostgreSQL database name: the name where Spanner takes it, else a readable stem and a hash. */
export function spannerId(name: string): string {
  if (SPANNER_ID.test(name)) return name
  const stem = name
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .replace(/^[^a-z]+/, '')
    .slice(0, 18)
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 10)
  return `${stem === '' ? 'db' : stem}-${hash}`
}

function databaseExists(name: string, cause: unknown): PgError {
  return new PgError(SQL_STATE.duplicateDatabase, `database "${name}" already exists`, { cause })
}

function noSuchDatabase(name: string, cause: unknown): PgError {
  return new PgError(SQL_STATE.invalidCatalogName, `database "${name}" does not exist`, { cause })
}
