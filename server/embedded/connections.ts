import { status as GRPC } from '@grpc/grpc-js'
import type { PostgresCluster } from '../companion/postgres-cluster.ts'
import type { ServerConnection } from '../companion/server-connection.ts'
import { GrpcStatus } from './grpc-status.ts'
import type { CachedStatement } from './statement-cache.ts'

/** The role that owns the databases and runs all SQL that comes from outside: not a superuser. */
export const OWNER_ROLE = 'spanner'

/** Settings of every connection that runs Spanner's SQL. */
const BASE_SETTINGS = {
  search_path: '_spanner, pg_catalog, public',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '3',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  client_min_messages: 'error',
  // Spanner's default time zone, unless the database has an option of its own.
  TimeZone: 'America/Los_Angeles',
  // Rows of a broken stream are read again and skipped: the order of a plan must not depend on chance.
  synchronize_seqscans: 'off',
  max_parallel_workers_per_gather: '0',
} as const

/** Prepared statements that a connection keeps. */
const PREPARED_LIMIT = 200
/** How long an unused connection is kept. */
const IDLE_MS = 60_000
const CONNECT_DEADLINE_MS = 30_000

type Settings = Readonly<Record<string, string>>

/** A connection with what it has prepared. */
export class EmbeddedConnection {
  readonly server: ServerConnection
  /** What it was opened with. */
  readonly settings: Settings
  /** The version of the schema that it was last used with. */
  #schemaVersion: number
  readonly #prepared = new Map<CachedStatement, string>()
  #nextName = 0

  constructor(server: ServerConnection, settings: Settings, schemaVersion: number) {
    this.server = server
    this.settings = settings
    this.#schemaVersion = schemaVersion
  }

  /** Drops what it has prepared and a schema change made useless. */
  follow(schemaVersion: number): void {
    if (schemaVersion === this.#schemaVersion) return
    this.#schemaVersion = schemaVersion
    const forgotten = [...this.#prepared].filter(([statement]) => statement.isForgotten)
    if (forgotten.length === 0) return
    for (const [statement] of forgotten) this.#prepared.delete(statement)
    const script = forgotten.map(([, name]) => `DEALLOCATE ${name}`).join(';')
    // Goes out ahead of what its user sends. Where it fails, so does that: the connection is lost.
    void this.server.script(script).catch(() => undefined)
  }

  /** Name of the prepared statement; undefined where it has to be parsed first. */
  preparedName(statement: CachedStatement): string | undefined {
    return this.#prepared.get(statement)
  }

  newName(): string {
    return `s${this.#nextName++}`
  }

  markPrepared(statement: CachedStatement, name: string): void {
    this.#prepared.set(statement, name)
  }

  /** Whether so much has been prepared that it should start afresh. */
  get isWornOut(): boolean {
    return this.#prepared.size > PREPARED_LIMIT
  }
}

export interface PoolOptions {
  readonly cluster: PostgresCluster
  readonly database: string
  readonly settings: Settings
  readonly limit: number
  /** How long to wait for a connection at the limit, before RESOURCE_EXHAUSTED. */
  readonly waitMs: number
}

/** Connections to one PostgreSQL database, each lent to one user at a time. */
export class ConnectionPool {
  readonly #options: PoolOptions
  readonly #idle: { connection: EmbeddedConnection; sinceMs: number }[] = []
  readonly #waiting: (() => void)[] = []
  #lent = 0
  #schemaVersion = 0
  #settings: Settings
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#settings = { ...BASE_SETTINGS, ...options.settings }
  }

  get lent(): number {
    return this.#lent
  }

  get isExhausted(): boolean {
    return this.#lent >= this.#options.limit
  }

  /** An idle connection or a new one. Throws RESOURCE_EXHAUSTED where none gets free in time. */
  async acquire(): Promise<EmbeddedConnection> {
    if (this.#isClosed) throw new GrpcStatus(GRPC.UNAVAILABLE, 'The server is shutting down.')
    if (this.isExhausted) await this.#turn()
    this.#lent++
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      const { connection } = entry
      if (connection.server.isLost) continue
      connection.follow(this.#schemaVersion)
      return connection
    }
    try {
      return await this.#open()
    } catch (error) {
      this.#returned()
      throw error
    }
  }

  /** Gives a connection back. One that is in a transaction, lost, or has other settings by now is closed. */
  release(connection: EmbeddedConnection): void {
    this.#returned()
    const { server } = connection
    const isClean = !server.isLost && !server.isBusy && server.transactionStatus === 'I'
    if (
      isClean &&
      !this.#isClosed &&
      connection.settings === this.#settings &&
      !connection.isWornOut
    ) {
      this.#idle.push({ connection, sinceMs: performance.now() })
    } else {
      server.destroy()
    }
  }

  /** The schema has changed: what was prepared may be of no use any more. Connections with other settings are closed. */
  schemaChanged(settings: Settings = {}): void {
    this.#schemaVersion++
    const isSame = Object.entries(settings).every(([name, value]) => this.#settings[name] === value)
    if (isSame) return
    this.#settings = { ...this.#settings, ...settings }
    this.closeIdle(0)
  }

  /** Closes connections that nobody has used for a while. */
  closeIdle(olderThanMs = IDLE_MS): void {
    const limit = performance.now() - olderThanMs
    const stale = this.#idle.filter((entry) => entry.sinceMs <= limit)
    const kept = this.#idle.filter((entry) => entry.sinceMs > limit)
    this.#idle.splice(0, this.#idle.length, ...kept)
    for (const { connection } of stale) connection.server.destroy()
  }

  close(): void {
    this.#isClosed = true
    this.closeIdle(0)
  }

  #returned(): void {
    this.#lent--
    this.#waiting.shift()?.()
  }

  async #turn(): Promise<void> {
    const { limit, waitMs } = this.#options
    const refused = new GrpcStatus(
      GRPC.RESOURCE_EXHAUSTED,
      `Too many concurrent transactions (limit ${limit}).`,
    )
    const deadline = performance.now() + waitMs
    while (this.isExhausted) {
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) throw refused
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(() => {
          const index = this.#waiting.indexOf(done)
          if (index >= 0) this.#waiting.splice(index, 1)
          resolve()
        }, leftMs)
        this.#waiting.push(done)
      })
    }
  }

  async #open(): Promise<EmbeddedConnection> {
    const version = this.#schemaVersion
    const settings = this.#settings
    const server = await this.#options.cluster.connect({
      user: OWNER_ROLE,
      database: this.#options.database,
      settings,
      signal: AbortSignal.timeout(CONNECT_DEADLINE_MS),
    })
    return new EmbeddedConnection(server, settings, version)
  }
}
