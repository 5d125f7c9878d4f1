import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Companion, CompanionDatabase } from '../companion/companion-types.ts'

/** The database that every cluster has. */
const KEPT = 'postgres'

/**
 * The PostgreSQL that runs what Spanner cannot: a cluster of its own, so that `\l` does not show its databases and that a statement
 * that takes it down takes nothing else along. It starts when it is first needed, and begins empty.
 */
export class ScratchCluster {
  readonly #start: (signal: AbortSignal) => Promise<Companion>
  readonly #stopping = new AbortController()
  #running: Promise<Companion> | undefined
  #databaseCount = 0

  constructor(start: (signal: AbortSignal) => Promise<Companion>) {
    this.#start = start
  }

  /** Makes an empty database. Rejects with 58000 where the cluster does not start; the next call tries again. */
  async createDatabase(): Promise<CompanionDatabase> {
    const companion = await this.#companion()
    const name = `scratch_${++this.#databaseCount}`
    await companion.createDatabase(name)
    return companion.database(name)
  }

  async dropDatabase(database: CompanionDatabase): Promise<void> {
    await (await this.#companion()).dropDatabase(database.name)
  }

  /** Stops it if it ever started. */
  async stop(): Promise<void> {
    this.#stopping.abort(new PgError(SQL_STATE.adminShutdown, 'the scratch cluster was stopped'))
    const companion = await this.#running?.catch(() => undefined)
    await companion?.stop()
  }

  #companion(): Promise<Companion> {
    this.#stopping.signal.throwIfAborted()
    this.#running ??= this.#startEmpty().catch((error: unknown) => {
      this.#running = undefined
      const message = error instanceof Error ? error.message : String(error)
      throw new PgError(SQL_STATE.systemError, `emulation is not possible: ${message}`, {
        cause: error,
      })
    })
    return this.#running
  }

  /** What an earlier run left behind is of no use to anybody. */
  async #startEmpty(): Promise<Companion> {
    const companion = await this.#start(this.#stopping.signal)
    for (const name of await companion.listDatabases()) {
      if (name !== KEPT) await companion.dropDatabase(name)
    }
    return companion
  }
}
