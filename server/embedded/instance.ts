import { createHash } from 'node:crypto'
import { status as GRPC } from '@grpc/grpc-js'
import type { PostgresCluster } from '../companion/postgres-cluster.ts'
import type { ServerConnection } from '../companion/server-connection.ts'
import { SystemNames } from './acceptance.ts'
import { OWNER_ROLE } from './connections.ts'
import { EmbeddedDatabase, isIdle, postgresName } from './database.ts'
import { DdlExecutor, DEFAULT_TIME_ZONE } from './ddl-executor.ts'
import { GrpcStatus, resourceNotFound } from './grpc-status.ts'
import type { Incarnations } from './incarnations.ts'
import { changeStreamsScript } from './install-change-streams.ts'
import { ddlFunctionsScript } from './install-ddl-functions.ts'
import { functionsScript } from './install-functions.ts'
import { informationSchemaScript } from './install-information-schema.ts'
import { pgCatalogScript } from './install-pg-catalog.ts'
import { printingScript } from './install-printing.ts'
import type { Profile } from './profile.ts'
import { parseDatabaseName } from './resource-name.ts'

/** The bootstrap superuser of the embedded cluster: it makes databases and nothing else. */
export const SUPERUSER = 'spanner_admin'

/** What Spanner takes as the id of a database. */
const DATABASE_ID = /^[a-z][a-z0-9_-]{0,28}[a-z0-9]$/
const DATABASE_LIMIT = 100
const CONNECT_DEADLINE_MS = 30_000
const TIDY_MS = 1_000
/** A statement that runs this long and waits is looked at: whoever blocks it and is idle is ended. */
const BLOCKED_MS = 1_000

export interface InstanceOptions {
  readonly name: string
  readonly cluster: PostgresCluster
  readonly incarnations: Incarnations
  readonly profile: Profile
}

interface OpenDatabase {
  readonly database: EmbeddedDatabase
  readonly ddl: DdlExecutor
}

/** The one instance that an embedded server has, with its databases. */
export class EmbeddedInstance {
  /** `projects/<project>/instances/<instance>`. */
  readonly name: string
  readonly #cluster: PostgresCluster
  readonly #incarnations: Incarnations
  readonly #profile: Profile
  readonly #systemNames = new SystemNames()
  /** By id, what is under way. */
  readonly #creating = new Map<string, Promise<void>>()
  readonly #databases = new Map<string, Promise<OpenDatabase>>()
  readonly #version: string
  readonly #timer: NodeJS.Timeout

  private constructor(options: InstanceOptions, version: string) {
    this.name = options.name
    this.#cluster = options.cluster
    this.#incarnations = options.incarnations
    this.#profile = options.profile
    this.#version = version
    this.#timer = setInterval(() => void this.#tidy(), TIDY_MS)
    this.#timer.unref()
  }

  /** Makes what the cluster needs: the role that owns the databases, and the template of a database. */
  static async open(options: InstanceOptions): Promise<EmbeddedInstance> {
    const instance = new EmbeddedInstance(options, installedVersion(options.profile))
    await instance.#asSuperuser('postgres', async (connection) => {
      await ensureRole(connection)
      await instance.#ensureTemplate(connection)
    })
    return instance
  }

  /** Throws NOT_FOUND where this is not the instance. */
  check(name: string): void {
    if (name !== this.name) throw resourceNotFound('Instance', name)
  }

  /** Throws NOT_FOUND where there is no such database. */
  async database(name: string): Promise<EmbeddedDatabase> {
    return (await this.#open(name)).database
  }

  /** Runs DDL in a database, one batch at a time. */
  async ddl(name: string): Promise<OpenDatabase> {
    return this.#open(name)
  }

  async listDatabases(): Promise<string[]> {
    return this.#asSuperuser('postgres', async (connection) => {
      const rows = await connection.query(
        "SELECT substr(datname, 4) AS id FROM pg_database WHERE datname LIKE 'db\\_%' ORDER BY 1",
      )
      return rows.map((row) => row['id'] ?? '')
    })
  }

  /** A request that comes while another makes the same database waits for that. Throws ALREADY_EXISTS, INVALID_ARGUMENT. */
  async createDatabase(id: string): Promise<void> {
    const before = this.#creating.get(id)?.catch(() => undefined)
    const creating = (before ?? Promise.resolve()).then(() => this.#create(id))
    this.#creating.set(id, creating)
    try {
      await creating
    } finally {
      if (this.#creating.get(id) === creating) this.#creating.delete(id)
    }
  }

  /** Ends what is open in it. Throws NOT_FOUND. */
  async dropDatabase(name: string): Promise<void> {
    const { database } = await this.#open(name)
    this.#databases.delete(database.id)
    database.close()
    await this.#asSuperuser('postgres', (connection) =>
      connection.query(`DROP DATABASE "${postgresName(database.id)}" WITH (FORCE)`),
    )
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    const open = await Promise.allSettled(this.#databases.values())
    for (const result of open) if (result.status === 'fulfilled') result.value.database.close()
  }

  async #create(id: string): Promise<void> {
    if (!DATABASE_ID.test(id))
      throw new GrpcStatus(GRPC.INVALID_ARGUMENT, `Database ID not valid: ${id}.`)
    const known = await this.listDatabases()
    const name = `${this.name}/databases/${id}`
    if (known.includes(id))
      throw new GrpcStatus(GRPC.ALREADY_EXISTS, `Database already exists: ${name}`)
    if (known.length >= DATABASE_LIMIT)
      throw new GrpcStatus(GRPC.RESOURCE_EXHAUSTED, `Too many databases in instance ${this.name}.`)
    await this.#asSuperuser('postgres', (connection) =>
      connection.query(
        `CREATE DATABASE "${postgresName(id)}" TEMPLATE "${this.#template}" OWNER ${OWNER_ROLE}`,
      ),
    )
  }

  get #template(): string {
    return `template_${this.#version}`
  }

  #open(name: string): Promise<OpenDatabase> {
    const { instance, id } = parseDatabaseName(name)
    if (instance !== this.name) return Promise.reject(resourceNotFound('Instance', instance))
    const known = this.#databases.get(id)
    if (known !== undefined) return known
    const opening = this.#openDatabase(name, id)
    this.#databases.set(id, opening)
    opening.catch(() => this.#databases.delete(id))
    return opening
  }

  async #openDatabase(name: string, id: string): Promise<OpenDatabase> {
    if (!(await this.listDatabases()).includes(id)) throw resourceNotFound('Database', name)
    const connection = await this.#connect(OWNER_ROLE, postgresName(id))
    let zone: string
    try {
      const [row] = await connection.query('SELECT version FROM _spanner_meta.version')
      if (row?.['version'] !== this.#version) await this.#install(postgresName(id))
      const [option] = await connection.query(
        "SELECT value FROM _spanner_meta.options WHERE name = 'default_time_zone'",
      )
      zone = option?.['value'] ?? DEFAULT_TIME_ZONE
    } finally {
      await connection.close()
    }
    const database = new EmbeddedDatabase(name, id, {
      cluster: this.#cluster,
      incarnations: this.#incarnations,
      systemNames: this.#systemNames,
      settings: { TimeZone: zone },
      profile: this.#profile,
    })
    return { database, ddl: new DdlExecutor(database) }
  }

  async #ensureTemplate(connection: ServerConnection): Promise<void> {
    const rows = await connection.query('SELECT 1 FROM pg_database WHERE datname = $1', [
      this.#template,
    ])
    if (rows.length > 0) return
    const building = 'template_building'
    await connection.query(`DROP DATABASE IF EXISTS ${building}`)
    await connection.query(`CREATE DATABASE ${building} TEMPLATE template0 OWNER ${OWNER_ROLE}`)
    await this.#install(building)
    await connection.query(`ALTER DATABASE ${building} RENAME TO "${this.#template}"`)
    const old = await connection.query(
      "SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%' AND datname <> $1",
      [this.#template],
    )
    for (const { datname } of old) await connection.query(`DROP DATABASE "${datname}"`)
  }

  async #install(database: string): Promise<void> {
    const owner = await this.#connect(OWNER_ROLE, database)
    try {
      await owner.script(
        `${functionsScript(this.#profile)};${printingScript()};${ddlFunctionsScript(this.#profile)};${changeStreamsScript()}`,
      )
    } finally {
      await owner.close()
    }
    await this.#asSuperuser(database, async (connection) => {
      await connection.script(
        `${informationSchemaScript(this.#profile)}; ${pgCatalogScript()}; DELETE FROM _spanner_meta.version; INSERT INTO _spanner_meta.version VALUES ('${this.#version}')`,
      )
    })
  }

  #connect(user: string, database: string): Promise<ServerConnection> {
    return this.#cluster.connect({
      user,
      database,
      settings: {
        search_path: '_spanner, pg_catalog, public',
        client_min_messages: 'error',
        TimeZone: DEFAULT_TIME_ZONE,
      },
      signal: AbortSignal.timeout(CONNECT_DEADLINE_MS),
    })
  }

  async #asSuperuser<T>(
    database: string,
    work: (connection: ServerConnection) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#connect(SUPERUSER, database)
    try {
      return await work(connection)
    } finally {
      await connection.close()
    }
  }

  async #tidy(): Promise<void> {
    for (const opening of this.#databases.values()) {
      const open = await opening.catch(() => undefined)
      if (open === undefined) continue
      open.database.tidy()
      await endIdleBlockers(open.database).catch(() => undefined)
    }
  }
}

/** Digest of what every database is made with. */
export function installedVersion(profile: Profile): string {
  const scripts = [
    functionsScript(profile),
    printingScript(),
    ddlFunctionsScript(profile),
    changeStreamsScript(),
    informationSchemaScript(profile),
    pgCatalogScript(),
  ]
  return createHash('sha256').update(scripts.join('\n')).digest('hex').slice(0, 12)
}

async function ensureRole(connection: ServerConnection): Promise<void> {
  const rows = await connection.query(
    'SELECT array_to_string(rolconfig, $2) AS settings FROM pg_roles WHERE rolname = $1',
    [OWNER_ROLE, ','],
  )
  if (rows.length === 0) await connection.query(`CREATE ROLE ${OWNER_ROLE} LOGIN`)
  // Its connections ask for trees (debug_print_parse), which are not for the server's log.
  if (rows[0]?.['settings']?.includes('log_min_messages') !== true)
    await connection.query(`ALTER ROLE ${OWNER_ROLE} SET log_min_messages = 'fatal'`)
}

/**
 * A transaction without a request for ten seconds may be ended, and is when another waits for its locks: one whose first statement waits,
 * too, which nobody knows yet but PostgreSQL.
 */
async function endIdleBlockers(database: EmbeddedDatabase): Promise<void> {
  const idle = database.openTransactions().filter(isIdle)
  if (idle.length === 0) return
  const rows = await database.query(
    `SELECT DISTINCT unnest(pg_blocking_pids(pid))::text AS pid FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'
       AND state_change < now() - make_interval(secs => $1::float8 / 1000)`,
    [String(BLOCKED_MS)],
  )
  for (const { pid } of rows)
    idle.find((transaction) => String(transaction.processId) === pid)?.terminate('aborted')
}
