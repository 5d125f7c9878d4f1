import { PgError } from '../base/pg-error.ts'
import type { EmbeddedConnection } from './connections.ts'
import type { EmbeddedDatabase } from './database.ts'
import type { DdlPlan } from './ddl-cursor.ts'
import { checkExpression } from './ddl-expression.ts'
import { translateDdl } from './ddl-translation.ts'
import type { GrpcStatus } from './grpc-status.ts'
import { type Prelude, runPrelude } from './statement-run.ts'

/** What became of a batch. */
export interface DdlOutcome {
  /** When each statement that took effect did, in microseconds since 1970. */
  readonly commitMicros: readonly number[]
  /** The error of the statement that failed; those before it stay. */
  readonly error: GrpcStatus | undefined
}

/** Open transactions that are in the way of DDL are ended after this long, single-use reads after a while longer. */
const CONFLICT_MS = 50
const READ_CONFLICT_MS = 5_000

/** SQLSTATE classes of errors that depend on the rows: the statements before stay, as Spanner keeps them. */
const DATA_ERRORS = ['22', '23']

const SAVEPOINT: Prelude = { sql: 'SAVEPOINT statement' }
const RELEASE: Prelude = { sql: 'RELEASE statement' }

/** Runs batches of DDL, one after the other. */
export class DdlExecutor {
  readonly #database: EmbeddedDatabase
  #tail: Promise<unknown> = Promise.resolve()

  constructor(database: EmbeddedDatabase) {
    this.#database = database
  }

  /**
   * Runs a batch in one transaction of PostgreSQL, and in it at the end what `record` gives. Rejects, and nothing stays, where a statement does not
   * parse or contradicts the schema: Spanner checks the whole batch first. Where it is the data that contradict, the statements before stay.
   */
  run(statements: readonly string[], record: (outcome: DdlOutcome) => string): Promise<DdlOutcome> {
    const plans = statements.map((sql) => translateDdl(sql, this.#database.profile))
    const result = this.#tail.then(() => this.#runBatch(plans, record))
    this.#tail = result.catch(() => undefined)
    return result
  }

  async #runBatch(
    plans: readonly DdlPlan[],
    record: (outcome: DdlOutcome) => string,
  ): Promise<DdlOutcome> {
    const connection = await this.#database.ddl.acquire()
    const guard = new ConflictGuard(this.#database, connection.server.processId)
    try {
      const outcome = await this.#runPlans(connection, plans)
      await this.#commit(connection, record(outcome))
      return outcome
    } catch (error) {
      // Where that fails, the connection is lost, and the transaction with it.
      await runPrelude(connection, [{ sql: 'ROLLBACK' }]).catch(() => undefined)
      throw await this.#database.mapError(error)
    } finally {
      guard.end()
      this.#database.ddl.release(connection)
    }
  }

  async #runPlans(connection: EmbeddedConnection, plans: readonly DdlPlan[]): Promise<DdlOutcome> {
    const commitMicros: number[] = []
    let before: Prelude = { sql: 'BEGIN' }
    for (const plan of plans) {
      try {
        await this.#runPlan(connection, plan, [before, SAVEPOINT])
      } catch (error) {
        if (!isDataError(error)) throw error
        await runPrelude(connection, [{ sql: 'ROLLBACK TO statement' }])
        return { commitMicros, error: await this.#database.mapError(error) }
      }
      before = RELEASE
      commitMicros.push(this.#database.nextTimestamp())
    }
    return { commitMicros, error: undefined }
  }

  /** Runs `opening` and the plan's statements, in one write where nothing has to be known before. */
  async #runPlan(
    connection: EmbeddedConnection,
    plan: DdlPlan,
    opening: readonly Prelude[],
  ): Promise<void> {
    const statements = plan.statements.map((sql): Prelude => ({ sql }))
    if (plan.skipIf === undefined) {
      await runPrelude(connection, [...opening, ...statements])
    } else {
      if (await isTrue(connection, plan.skipIf, opening)) return
      await runPrelude(connection, statements)
    }
    const { expressions = [] } = plan
    if (expressions.length === 0) return
    const { acceptance } = this.#database.statements
    const names = await acceptance.namesWithin(connection.server)
    for (const expression of expressions)
      await checkExpression(connection.server, expression, { names, profile: acceptance.profile })
  }

  async #commit(connection: EmbeddedConnection, record: string): Promise<void> {
    const locked = new Set<number>()
    let settings: Readonly<Record<string, string>> = {}
    let isAnswered = false
    const onRow = ([zone]: readonly (string | null)[]) => {
      if (typeof zone === 'string') settings = { TimeZone: zone }
    }
    this.#database.commitBegins()
    try {
      await runPrelude(connection, [
        { sql: record },
        { sql: LOCKED, onRow: ([oid]) => void locked.add(Number(oid)) },
        { sql: 'COMMIT' },
        { sql: ZONE, onRow },
      ])
      isAnswered = true
    } finally {
      this.#database.commitEnds()
      // Also where the answer was lost: it may have committed.
      this.#database.schemaChanged(isAnswered ? locked : 'all', settings)
    }
  }
}

/** Spanner's, where the database has no option of its own. */
export const DEFAULT_TIME_ZONE = 'America/Los_Angeles'

/** Whatever changes what a relation is locks it against others who would; rows are read and written under the three modes that are left out. */
const LOCKED = `SELECT relation::text FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
  AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')`

const ZONE = `SELECT COALESCE((SELECT value FROM _spanner_meta.options WHERE name = 'default_time_zone'), '${DEFAULT_TIME_ZONE}')`

/** What the one value of a query says, which is run after `opening`. */
async function isTrue(
  connection: EmbeddedConnection,
  sql: string,
  opening: readonly Prelude[],
): Promise<boolean> {
  let value: string | null | undefined
  const onRow = (row: readonly (string | null)[]) => {
    value = row[0]
  }
  await runPrelude(connection, [...opening, { sql, onRow }])
  return value === 't'
}

function isDataError(error: unknown): boolean {
  return error instanceof PgError && DATA_ERRORS.some((prefix) => error.code.startsWith(prefix))
}

/** Ends whoever holds a lock that the DDL waits for. */
class ConflictGuard {
  readonly #database: EmbeddedDatabase
  readonly #processId: number
  readonly #timer: NodeJS.Timeout
  readonly #startedMs = performance.now()
  #isLooking = false

  constructor(database: EmbeddedDatabase, processId: number) {
    this.#database = database
    this.#processId = processId
    this.#timer = setInterval(() => {
      if (this.#isLooking) return
      this.#isLooking = true
      // A look that fails is followed by the next one.
      void this.#look()
        .catch(() => undefined)
        .finally(() => {
          this.#isLooking = false
        })
    }, CONFLICT_MS)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const rows = await this.#database.query(
      'SELECT unnest(pg_blocking_pids($1::int))::text AS pid',
      [String(this.#processId)],
    )
    for (const { pid } of rows) {
      if (pid === undefined || pid === null) continue
      const holder = this.#database
        .openTransactions()
        .find((transaction) => String(transaction.processId) === pid)
      holder?.terminate('aborted')
      if (holder === undefined && performance.now() - this.#startedMs < READ_CONFLICT_MS) continue
      await this.#database.query('SELECT pg_terminate_backend($1::int)', [pid])
    }
  }
}
