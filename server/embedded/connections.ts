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

/** A connection with what it has prepared. */
export class EmbeddedConnection {
  readonly server: ServerConnection
  /** The version of the schema that its prepared statements were made for. */
  readonly schemaVersion: number
  readonly #prepared = new Map<CachedStatement, string>()
  #nextName = 0

  constructor(server: ServerConnection, schemaVersion: number) {
    this.server = server
    this.schemaVersion = schemaVersion
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
  readonly settings: Readonly<Record<string, string>>
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
  #settings: Readonly<Record<string, string>>
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
      if (!entry.connection.server.isLost) return entry.connection
    }
    try {
      return await this.#open()
    } catch (error) {
      this.#returned()
      throw error
    }
  }

  /** Gives a connection back. One that is in a transaction, lost, or of an older schema is closed. */
  release(connection: EmbeddedConnection): void {
    this.#returned()
    const { server } = connection
    const isClean = !server.isLost && !server.isBusy && server.transactionStatus === 'I'
    if (
      isClean &&
      !this.#isClosed &&
      connection.schemaVersion === this.#schemaVersion &&
      !connection.isWornOut
    ) {
      this.#idle.push({ connection, sinceMs: performance.now() })
    } else {
      server.destroy()
    }
  }

  /** The schema has changed: what was prepared may have other types now. */
  schemaChanged(settings: Readonly<Record<string, string>> = {}): void {
    this.#schemaVersion++
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
    const server = await this.#options.cluster.connect({
      user: OWNER_ROLE,
      database: this.#options.database,
      settings: this.#settings,
      signal: AbortSignal.timeout(CONNECT_DEADLINE_MS),
    })
    return new EmbeddedConnection(server, version)
  }
}
