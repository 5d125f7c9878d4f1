import type { EmbeddedConnection } from './connections.ts'
import type { TransactionMark } from './incarnations.ts'
import { timestampText } from './spanner-answers.ts'
import { type Prelude, runPrelude } from './statement-run.ts'

export type TransactionMode = 'read-write' | 'read-only'

/** What a transaction block needs of its database. */
export interface BlockHost {
  acquire(mode: TransactionMode): Promise<EmbeddedConnection>
  release(mode: TransactionMode, connection: EmbeddedConnection): void
  /** Number of the start of PostgreSQL that connections of now belong to. */
  readonly incarnation: number
  /** Strictly rising microseconds since 1970: the next commit's timestamp. */
  nextTimestamp(): number
}

const BEGIN: Readonly<Record<TransactionMode, string>> = {
  'read-write': 'BEGIN ISOLATION LEVEL SERIALIZABLE',
  'read-only': 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
}
const BEGIN_REPEATABLE_READ = 'BEGIN ISOLATION LEVEL REPEATABLE READ'
const RELEASE: Prelude = { sql: 'RELEASE s' }
const ROLLBACK_TO: Prelude = { sql: 'ROLLBACK TO s' }

/** PostgreSQL's side of a transaction: the connection that it holds, and the SQL that begins it and stands around its statements. */
export class TransactionBlock {
  connection: EmbeddedConnection | undefined
  /** PostgreSQL's transaction, once {@link beginning} has run. */
  mark: TransactionMark = { incarnation: 0, xid: '' }
  hasSavepoint = false
  /** The timestamp that its statements have written as that of the commit. */
  pendingMicros: number | undefined
  readonly #host: BlockHost
  readonly #mode: TransactionMode
  readonly #begin: string

  constructor(host: BlockHost, mode: TransactionMode, isRepeatableRead: boolean) {
    this.#host = host
    this.#mode = mode
    this.#begin = mode === 'read-write' && isRepeatableRead ? BEGIN_REPEATABLE_READ : BEGIN[mode]
  }

  async open(): Promise<EmbeddedConnection> {
    this.connection ??= await this.#host.acquire(this.#mode)
    return this.connection
  }

  letGo(): void {
    const { connection } = this
    this.connection = undefined
    if (connection !== undefined) this.#host.release(this.#mode, connection)
  }

  /** BEGIN, and for a read-write transaction its PostgreSQL id. */
  beginning(): Prelude[] {
    // Taken now: the connection is of this start of the server, or is lost before it answers.
    const { incarnation } = this.#host
    const begin = { sql: this.#begin }
    // A snapshot is taken by the first query: by this one, so that BeginTransaction fixes it.
    if (this.#mode === 'read-only') return [begin, { sql: 'SELECT 1' }]
    const onRow: Prelude['onRow'] = ([xid]) => {
      this.mark = { incarnation, xid: xid ?? '' }
    }
    return [begin, { sql: 'SELECT pg_current_xact_id()', onRow }]
  }

  /** A savepoint in the place of the one before. That it is there is known when PostgreSQL says so: the statement may fail before anything is sent. */
  savepoint(): Prelude[] {
    const onDone = () => {
      this.hasSavepoint = true
    }
    return [...(this.hasSavepoint ? [RELEASE] : []), { sql: 'SAVEPOINT s', onDone }]
  }

  /** Back to the savepoint. */
  goBack(connection: EmbeddedConnection): Promise<void> {
    return runPrelude(connection, [ROLLBACK_TO])
  }

  /** What the commit's timestamp will be, for statements that write it. */
  commitTimestamp(): Prelude {
    this.pendingMicros ??= this.#host.nextTimestamp()
    const text = timestampText(this.pendingMicros)
    return { sql: `SELECT set_config('spanner.commit_timestamp', '${text}', true)` }
  }
}
