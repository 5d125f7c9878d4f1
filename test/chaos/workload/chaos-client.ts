import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { ServerAddress } from '../../helpers/wire-client.ts'

/** How long one answer may take before the run counts as hung. */
const ANSWER_TIMEOUT_MS = 180_000
const CONNECT_TIMEOUT_MS = 5_000
const CONNECT_PAUSE_MS = 50
/** The unknown outcome of a transaction (manual, appendix A: transaction_resolution_unknown). */
const OUTCOME_UNKNOWN = '08007'

/** What became of a transaction, as far as its client can know. */
export type Outcome =
  | { readonly kind: 'committed' }
  /** Given up by the client, or by an error before COMMIT was sent or as the answer to it. */
  | { readonly kind: 'failed'; readonly error: string }
  /** COMMIT was sent, and 08007 or nothing came back. */
  | { readonly kind: 'unknown'; readonly error: string }

/** Sends one statement and gives its rows as objects. */
export type Query = (
  text: string,
  values?: readonly unknown[],
) => Promise<readonly Readonly<Record<string, string>>[]>

/** Thrown by the work of a transaction that wants to be rolled back. */
export class GivenUp extends Error {}

/** A client of node-postgres that connects again, to wherever the server is by then, when its connection is lost. */
export class ChaosClient {
  readonly #address: () => ServerAddress
  readonly #database: string
  #client: pg.Client | undefined

  constructor(address: () => ServerAddress, database: string) {
    this.#address = address
    this.#database = database
  }

  /**
   * Runs a transaction once. `begin` is its first statement; a GivenUp from `work` rolls it back. Rejects where there is no server within
   * three minutes.
   */
  async transaction(begin: string, work: (query: Query) => Promise<void>): Promise<Outcome> {
    let hasSentCommit = false
    try {
      const query = await this.#connected()
      await query(begin)
      await work(query)
      hasSentCommit = true
      await query('commit')
      return { kind: 'committed' }
    } catch (error) {
      const text = errorText(error)
      await this.#rollBack(error)
      if (hasSentCommit && isUnknown(error)) return { kind: 'unknown', error: text }
      return { kind: 'failed', error: text }
    }
  }

  /** One statement outside any transaction, again until it is answered. */
  async read(text: string): Promise<readonly Readonly<Record<string, string>>[]> {
    for (;;) {
      try {
        const query = await this.#connected()
        return await query(text)
      } catch (error) {
        await this.#rollBack(error)
        if (sqlStateOf(error) !== undefined) throw error
      }
    }
  }

  async end(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => undefined)
  }

  /** Throws away a connection that is lost or in doubt; in any other the transaction is over. */
  async #rollBack(error: unknown): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    if (!(error instanceof GivenUp) && sqlStateOf(error) === undefined) {
      this.#client = undefined
      client.end().catch(() => undefined)
      return
    }
    try {
      await client.query('rollback')
    } catch {
      this.#client = undefined
      client.end().catch(() => undefined)
    }
  }

  async #connected(): Promise<Query> {
    const client = this.#client ?? (await this.#connect())
    this.#client = client
    return async (text, values = []) => {
      const { rows } = await client.query<Record<string, string>>(text, [...values])
      return rows
    }
  }

  async #connect(): Promise<pg.Client> {
    const deadline = performance.now() + ANSWER_TIMEOUT_MS
    for (;;) {
      const { host, port } = this.#address()
      const client = new pg.Client({
        host,
        port,
        user: 'chaos',
        database: this.#database,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: ANSWER_TIMEOUT_MS,
      })
      // Without a listener the loss of an idle connection would end the process.
      client.on('error', () => undefined)
      try {
        await client.connect()
        return client
      } catch (error) {
        client.end().catch(() => undefined)
        if (performance.now() > deadline) throw error
        await delay(CONNECT_PAUSE_MS)
      }
    }
  }
}

function isUnknown(error: unknown): boolean {
  const sqlState = sqlStateOf(error)
  return sqlState === undefined || sqlState === OUTCOME_UNKNOWN
}

/** The five characters of an answer of the server; undefined where none came. */
function sqlStateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** `SQLSTATE message detail`, or what was wrong with the connection after `connection: `. */
function errorText(error: unknown): string {
  if (error instanceof GivenUp) return `given up: ${error.message}`
  if (error instanceof pg.DatabaseError) {
    return [error.code, error.message, error.detail].filter(Boolean).join(' ')
  }
  return `connection: ${error instanceof Error ? error.message : String(error)}`
}
