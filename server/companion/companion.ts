import { createHash } from 'node:crypto'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { DATABASE_SQL, ROLES_SQL, SUPERUSER } from './bootstrap-sql.ts'
import { ClusterError } from './cluster-error.ts'
import type { ClusterRecipe } from './cluster-template.ts'
import type { Companion, CompanionDatabase } from './companion-types.ts'
import { clearAfterCrash, readMarker, writeMarker } from './expendable-directory.ts'
import { MirrorDatabase, type MirrorHost } from './mirror-database.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { type ConnectOptions, PostgresCluster } from './postgres-cluster.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import { DUMP_ROLES_SQL, readRoles, writeRoles } from './role-storage.ts'
import type { ServerConnection } from './server-connection.ts'
import {
  CREATORS_ROLE,
  databaseOwnerRole,
  OWNER_ROLE,
  SERVICE_ROLE_PREFIX,
} from './shared-catalogs-sql.ts'

export interface CompanionOptions {
  /** For events and messages; `companion` where absent. */
  readonly name?: string | undefined
  readonly binaries: PostgresBinaries
  /** Mirrors can be built again: a directory that a crash may have damaged, or that is another major's, is made anew. */
  readonly dataDir: string
  readonly socketDir?: string | undefined
  /** Where the roles that clients made are written down, for a directory that is made anew; nowhere where absent. */
  readonly rolesFile?: string | undefined
  /** Called when the server's process runs, before it is ready. */
  readonly onLaunched?: (() => void) | undefined
  readonly signal: AbortSignal
}

/** As measured: 15 MB (PSS), nothing that wakes up by itself, nothing that waits for the disk. */
const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '16MB',
  max_connections: '200',
  max_locks_per_transaction: '256',
  // Nobody needs predicate locks where there are no rows; what they would take is touched at the start.
  max_pred_locks_per_transaction: '10',
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '64MB',
  checkpoint_timeout: '1d',
  wal_writer_delay: '10s',
  bgwriter_lru_maxpages: '0',
  autovacuum: 'off',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  max_worker_processes: '0',
  max_logical_replication_workers: '0',
  dynamic_shared_memory_type: 'mmap',
  // Query trees are sent to the analysis connections as LOG messages: they are not for the server's log.
  log_min_messages: 'fatal',
  log_min_error_statement: 'panic',
  deadlock_timeout: '100ms',
  temp_file_limit: '64MB',
  // A statement whose client has gone ends within a second.
  client_connection_check_interval: '1s',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/** A SELECT with repeat() reaches any size in spite of work_mem; this makes it 53200 for that statement alone. */
const ADDRESS_SPACE_KIB = 700_000

const PIN_LIMIT = 50
/** A third quicker than by way of WAL where no disk is waited for. */
const COPIED = 'strategy file_copy'
/** Changes when what the bootstrap does changes. */
const BOOTSTRAP = createHash('sha256')
  .update(ROLES_SQL)
  .update(DATABASE_SQL)
  .digest('hex')
  .slice(0, 16)

/** How `postgres` is made anew, with initdb's description of it (src/bin/initdb/initdb.c, make_postgres). */
const POSTGRES_SQL = [
  'drop database if exists postgres',
  `create database postgres owner ${OWNER_ROLE} ${COPIED}`,
  `comment on database postgres is 'default administrative connection database'`,
]

/** What a companion's cluster begins as. */
export const COMPANION_RECIPE: ClusterRecipe = {
  superuser: SUPERUSER,
  walSegmentMiB: 1,
  contents: [BOOTSTRAP, ...POSTGRES_SQL].join(),
}

/** Starts the companion; resolves when it can be used. Throws ClusterError. */
export async function startCompanion(options: CompanionOptions): Promise<Companion> {
  await clearAfterCrash(options.dataDir)
  const cluster = await startCluster(options)
  try {
    const serverVersion = await bootstrap(cluster, options)
    return new PostgresCompanion(cluster, serverVersion, options.rolesFile)
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/** A cluster that does not start, or of another major, is made anew, once: nothing in it is the only copy. */
async function startCluster(options: CompanionOptions): Promise<PostgresCluster> {
  const start = (recipe: ClusterRecipe) =>
    PostgresCluster.start({
      ...options,
      name: options.name ?? 'companion',
      settings: SETTINGS,
      recipe,
      addressSpaceKiB: ADDRESS_SPACE_KIB,
    })
  try {
    return await start(COMPANION_RECIPE)
  } catch (error) {
    const mayHelp =
      error instanceof ClusterError && (error.kind === 'failed' || error.kind === 'wrong-major')
    if (!(mayHelp && (await clearAfterCrash(options.dataDir, 'always')))) throw error
    // It may have been a template that does not suit this machine.
    return start({ ...COMPANION_RECIPE, contents: undefined })
  }
}

/** Prepares template1 and `postgres` once, and every database again after an upgrade of Spanwire. Returns server_version. */
async function bootstrap(cluster: PostgresCluster, options: CompanionOptions): Promise<string> {
  const { signal } = options
  const open = (database: string) => cluster.connect({ user: SUPERUSER, database, signal })
  const marker = await readMarker(options.dataDir)
  if (marker?.bootstrap !== BOOTSTRAP) {
    const databases = await withConnection(open('template1'), async (connection) => {
      await connection.script(ROLES_SQL, signal)
      await connection.script(DATABASE_SQL, signal)
      if (marker === undefined) await remakePostgres(connection, signal)
      return connection.query(
        `select datname from pg_database where datallowconn and datname <> 'template1'`,
      )
    })
    for (const { datname } of databases) {
      await withConnection(open(datname ?? ''), (connection) =>
        connection.script(DATABASE_SQL, signal),
      )
    }
  }
  if (marker?.boot === undefined) await restoreRoles(cluster, options)
  await writeMarker(options.dataDir, BOOTSTRAP)
  return withConnection(
    open('postgres'),
    async (connection) => connection.parameters.get('server_version') ?? '',
  )
}

/** initdb made `postgres` for the superuser: tools connect to it, so that it must be like every other database. */
async function remakePostgres(connection: ServerConnection, signal: AbortSignal): Promise<void> {
  for (const statement of POSTGRES_SQL) await connection.script(statement, signal)
}

async function restoreRoles(
  cluster: PostgresCluster,
  { rolesFile, signal }: CompanionOptions,
): Promise<void> {
  const script = rolesFile === undefined ? undefined : await readRoles(rolesFile)
  if (script === undefined || script === '') return
  await withConnection(
    cluster.connect({ user: SUPERUSER, database: 'template1', signal }),
    (connection) => connection.script(script, signal),
  )
}

async function withConnection<T>(
  opening: Promise<ServerConnection>,
  work: (connection: ServerConnection) => Promise<T>,
): Promise<T> {
  const connection = await opening
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

class PostgresCompanion implements Companion, MirrorHost {
  readonly serverVersion: string
  readonly #cluster: PostgresCluster
  readonly #databases = new Map<string, MirrorDatabase>()
  readonly #roles = new Map<string, Promise<void>>()
  readonly #rolesFile: string | undefined
  #pinned = 0

  constructor(cluster: PostgresCluster, serverVersion: string, rolesFile: string | undefined) {
    this.#cluster = cluster
    this.serverVersion = serverVersion
    this.#rolesFile = rolesFile
  }

  async listDatabases(): Promise<readonly string[]> {
    const rows = await this.#postgres().service(
      'select datname from pg_database where not datistemplate order by datname',
    )
    return rows.map((row) => row['datname'] ?? '')
  }

  async createDatabase(name: string, user?: string): Promise<void> {
    const owner = user === undefined ? OWNER_ROLE : await this.#ownerRole(user)
    const text = `create database ${quoteIdentifier(name)} owner ${owner} ${COPIED}`
    await this.#postgres().service(text).catch(tolerate(SQL_STATE.duplicateDatabase))
  }

  async dropDatabase(name: string): Promise<void> {
    const known = this.#databases.get(name)
    this.#databases.delete(name)
    await known?.close()
    await this.#postgres().service(`drop database if exists ${quoteIdentifier(name)} with (force)`)
  }

  ensureRole(user: string): Promise<void> {
    const known = this.#roles.get(user)
    if (known !== undefined) return known
    const made = this.#makeRole(user)
    this.#roles.set(user, made)
    // A failure is not remembered: the next client of that user tries again.
    made.catch(() => this.#roles.delete(user))
    return made
  }

  database(name: string): CompanionDatabase {
    const known = this.#databases.get(name)
    if (known !== undefined) return known
    const database = new MirrorDatabase(name, this)
    this.#databases.set(name, database)
    return database
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#databases.values()].map((database) => database.close()))
    await this.#cluster.stop()
  }

  async connect(options: ConnectOptions): Promise<ServerConnection> {
    try {
      return await this.#cluster.connect(options)
    } catch (error) {
      if (!(error instanceof PgError) || error.severity === 'ERROR') throw translate(error)
      if (error.code !== SQL_STATE.tooManyConnections || this.#trim() === 0) throw translate(error)
    }
    return this.#cluster.connect(options).catch((error: unknown) => {
      throw translate(error)
    })
  }

  /** Connections know the settings and the names that they were opened with. */
  async rolesChanged(): Promise<void> {
    this.#roles.clear()
    this.#trim()
    if (this.#rolesFile === undefined) return
    const [row] = await this.#postgres().service(DUMP_ROLES_SQL)
    await writeRoles(this.#rolesFile, row?.['script'] ?? '')
  }

  whenRunning(signal: AbortSignal): Promise<void> {
    return this.#cluster.whenRunning(signal).catch((error: unknown) => {
      throw translate(error)
    })
  }

  takePinPlace(): () => void {
    if (this.#pinned >= PIN_LIMIT) {
      throw new PgError(SQL_STATE.tooManyConnections, 'sorry, too many clients already', {
        detail: `${PIN_LIMIT} clients have uncommitted schema changes or temporary tables.`,
      })
    }
    this.#pinned++
    let isTaken = true
    return () => {
      if (isTaken) this.#pinned--
      isTaken = false
    }
  }

  #postgres(): CompanionDatabase {
    return this.database('postgres')
  }

  async #makeRole(user: string): Promise<void> {
    // `pg_...` is refused by PostgreSQL itself.
    if (user.startsWith(SERVICE_ROLE_PREFIX)) {
      throw new PgError(SQL_STATE.reservedName, `role name "${user}" is reserved`, {
        detail: `Role names starting with "${SERVICE_ROLE_PREFIX}" are reserved.`,
      })
    }
    // It may create databases, and the catalogs say so; CREATE DATABASE itself never comes here.
    const text = `create role ${quoteIdentifier(user)} login createdb in role ${OWNER_ROLE}, ${CREATORS_ROLE}`
    await this.#postgres().service(text).catch(tolerate(SQL_STATE.duplicateObject))
  }

  /** The role that owns the databases of `user`. */
  async #ownerRole(user: string): Promise<string> {
    await this.ensureRole(user)
    const find = 'select oid from pg_catalog.pg_authid where rolname = $1'
    const [row] = await this.#postgres().service(find, [user])
    const role = databaseOwnerRole(row?.['oid'] ?? '')
    const text = `create role ${role} nologin role ${OWNER_ROLE}`
    await this.#postgres().service(text).catch(tolerate(SQL_STATE.duplicateObject))
    return role
  }

  #trim(): number {
    let count = 0
    for (const database of this.#databases.values()) count += database.trim()
    return count
  }
}

/**
 * Lets an object be there already. Made by somebody else in the same moment, it is in the way of a unique index of the catalogs: then it is
 * there as well, the other one has committed.
 */
function tolerate(code: string): (error: unknown) => void {
  const codes: readonly string[] = [code, SQL_STATE.uniqueViolation]
  return (error) => {
    if (!(error instanceof PgError && codes.includes(error.code))) throw error
  }
}

/** A companion that refuses a connection ends the statement, not the client's connection. */
function translate(error: unknown): unknown {
  if (error instanceof ClusterError) {
    return new PgError(
      SQL_STATE.adminShutdown,
      'terminating connection due to administrator command',
      {
        severity: 'FATAL',
        cause: error,
      },
    )
  }
  if (!(error instanceof PgError) || error.severity === 'ERROR') return error
  return new PgError(error.code, error.message, { ...error.fields, cause: error })
}
