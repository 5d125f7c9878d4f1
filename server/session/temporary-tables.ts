import type {
  CompanionDatabase,
  PinnedConnection,
  ServiceRow,
} from '../companion/companion-types.ts'
import { quoteIdentifier } from '../schema/postgres-text.ts'
import { isTemporarySchema, type OnCommit, type StatementRelation } from '../sql/temporary-names.ts'
import type { TransactionParticipant } from '../transaction/transaction-block.ts'
import { notSupported } from './client-error.ts'
import { companionLost } from './companion-lost.ts'
import type { SessionState } from './session-state.ts'

/** The level of the savepoint that stands for the start of the client's transaction. */
const START = 0

/**
 * The temporary tables of one session. They exist in the companion alone, on a connection that belongs to the session from the first of them
 * on. It stays inside one transaction of the companion's, which is never committed: each transaction of the client's is a savepoint in it.
 */
export class TemporaryTables implements TransactionParticipant {
  readonly pinned: PinnedConnection
  readonly #onLost: () => void
  #names: ReadonlySet<string> | undefined
  #onCommit: OnCommit[] = []
  #joined = false

  private constructor(pinned: PinnedConnection, onLost: () => void) {
    this.pinned = pinned
    this.#onLost = onLost
    pinned.lost.addEventListener('abort', onLost, { once: true })
  }

  /** Those of the session; its connection is taken with the first call. Rejects with 53300 where too many clients have one. */
  static async of(state: SessionState): Promise<TemporaryTables> {
    if (state.temporary !== undefined) return state.temporary
    const pinned = await state.database.companion.pin(state.context(), state.scope.signal)
    state.temporary = new TemporaryTables(pinned, () => state.io.terminate(companionLost()))
    return state.temporary
  }

  /** Takes part in the client's transaction. What it did here is not done again: the transaction cannot begin anew. */
  async join(state: SessionState): Promise<void> {
    if (this.#joined) return
    await this.pinned.savepoint(START)
    this.#joined = true
    await state.block.enlist(this)
    state.block.answerSent()
  }

  /** Whether the relation is one of them. */
  async has({ schema, name }: StatementRelation): Promise<boolean> {
    if (isTemporarySchema(schema)) return true
    return schema === undefined && (await this.#known()).has(name)
  }

  /** Names may have changed; `end` is what the statement asks for at the end of its transaction. */
  changed(end: OnCommit | undefined): void {
    this.#names = undefined
    if (end !== undefined) this.#onCommit.push(end)
  }

  async commit(): Promise<void> {
    if (!this.#joined) return
    const known = this.#onCommit.length > 0 ? await this.#known() : new Set()
    for (const { name, action } of this.#onCommit) {
      if (!known.has(name)) continue
      const table = `pg_temp.${quoteIdentifier(name)}`
      await this.pinned.query(action === 'drop' ? `DROP TABLE ${table}` : `DELETE FROM ${table}`)
    }
    this.#onCommit = this.#onCommit.filter(({ action }) => action !== 'drop')
    this.#names = undefined
    await this.pinned.releaseSavepoint(START)
    this.#joined = false
  }

  async rollback(): Promise<void> {
    this.#names = undefined
    if (!this.#joined || this.pinned.lost.aborted) return
    this.#joined = false
    await this.pinned.rollbackTo(START)
    await this.pinned.releaseSavepoint(START)
  }

  savepoint(level: number): Promise<void> {
    return this.pinned.savepoint(level)
  }

  release(level: number): Promise<void> {
    return this.pinned.releaseSavepoint(level)
  }

  async rollbackTo(level: number): Promise<void> {
    this.#names = undefined
    await this.pinned.rollbackTo(level)
  }

  /** Drops them all, and gives the connection back. */
  async end(): Promise<void> {
    this.#joined = false
    this.pinned.lost.removeEventListener('abort', this.#onLost)
    await this.pinned.release()
  }

  async #known(): Promise<ReadonlySet<string>> {
    if (this.#names !== undefined) return this.#names
    const rows = await this.pinned.query(
      'SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()',
    )
    this.#names = new Set(rows.map(({ relname }) => relname ?? ''))
    return this.#names
  }
}

/** Where the session's own catalogs are read: its uncommitted DDL and temporary tables are on connections of their own. */
export function catalogSource(
  state: SessionState,
): Pick<CompanionDatabase, 'analyse' | 'read' | 'readLoaded'> {
  return state.ddl?.pinned ?? state.temporary?.pinned ?? state.database.companion
}

/** A question of the proxy's own to the same catalogs. */
export function askCatalogs(
  state: SessionState,
  text: string,
  params: readonly string[],
): Promise<readonly ServiceRow[]> {
  const pinned = state.ddl?.pinned ?? state.temporary?.pinned
  return pinned === undefined
    ? state.database.companion.service(text, params)
    : pinned.query(text, params)
}

/** DISCARD TEMP. */
export async function discardTemporary(state: SessionState): Promise<void> {
  const { temporary } = state
  if (temporary === undefined) return
  if (state.block.state !== 'implicit') {
    throw notSupported('DISCARD TEMP in a transaction block', 'Drop the tables, or end the block.')
  }
  state.temporary = undefined
  await temporary.end()
}
