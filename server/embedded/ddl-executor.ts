import { PgError } from '../base/pg-error.ts'
import type { ServiceRow } from '../companion/companion-types.ts'
import type { ServerConnection } from '../companion/server-connection.ts'
import type { EmbeddedDatabase } from './database.ts'
import type { DdlPlan } from './ddl-cursor.ts'
import { checkExpression } from './ddl-expression.ts'
import { translateDdl } from './ddl-translation.ts'
import type { GrpcStatus } from './grpc-status.ts'

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

/** Runs batches of DDL, one after the other. */
export class DdlExecutor {
  readonly #database: EmbeddedDatabase
  readonly #connect: () => Promise<ServerConnection>
  #tail: Promise<unknown> = Promise.resolve()

  constructor(database: EmbeddedDatabase, connect: () => Promise<ServerConnection>) {
    this.#database = database
    this.#connect = connect
  }

  /**
   * Runs a batch in one transaction of PostgreSQL. Rejects, and nothing stays, where a statement does not parse or contradicts the schema: Spanner
   * checks the whole batch first. Where it is the data that contradict, the statements before stay.
   */
  run(
    statements: readonly string[],
    afterwards: (connection: ServerConnection, outcome: DdlOutcome) => Promise<void>,
  ): Promise<DdlOutcome> {
    const plans = statements.map((sql) => translateDdl(sql, this.#database.profile))
    const result = this.#tail.then(() => this.#runBatch(plans, afterwards))
    this.#tail = result.catch(() => undefined)
    return result
  }

  async #runBatch(
    plans: readonly DdlPlan[],
    afterwards: (connection: ServerConnection, outcome: DdlOutcome) => Promise<void>,
  ): Promise<DdlOutcome> {
    const connection = await this.#connect()
    const guard = new ConflictGuard(this.#database, connection.processId)
    try {
      await connection.query('BEGIN')
      const outcome = await this.#runPlans(connection, plans)
      await afterwards(connection, outcome)
      this.#database.commitBegins()
      try {
        await connection.query('COMMIT')
      } finally {
        this.#database.commitEnds()
      }
      const [zone] = await connection.query(
        "SELECT value FROM _spanner_meta.options WHERE name = 'default_time_zone'",
      )
      this.#database.schemaChanged({ TimeZone: zone?.['value'] ?? DEFAULT_TIME_ZONE })
      return outcome
    } catch (error) {
      throw await this.#database.mapError(error)
    } finally {
      guard.end()
      // What has not been committed is rolled back with the connection.
      await connection.close()
    }
  }

  async #runPlans(connection: ServerConnection, plans: readonly DdlPlan[]): Promise<DdlOutcome> {
    const commitMicros: number[] = []
    for (const plan of plans) {
      await connection.query('SAVEPOINT statement')
      try {
        await this.#runPlan(connection, plan)
      } catch (error) {
        if (!isDataError(error)) throw error
        await connection.query('ROLLBACK TO statement')
        return { commitMicros, error: await this.#database.mapError(error) }
      }
      await connection.query('RELEASE statement')
      commitMicros.push(this.#database.nextTimestamp())
    }
    return { commitMicros, error: undefined }
  }

  async #runPlan(connection: ServerConnection, plan: DdlPlan): Promise<void> {
    if (plan.skipIf !== undefined && isTrue(await connection.query(plan.skipIf))) return
    for (const statement of plan.statements) await connection.query(statement)
    for (const expression of plan.expressions ?? [])
      await checkExpression(connection, expression, this.#database.statements.acceptance)
  }
}

/** Spanner's, where the database has no option of its own. */
export const DEFAULT_TIME_ZONE = 'America/Los_Angeles'

function isTrue(rows: readonly ServiceRow[]): boolean {
  return Object.values(rows[0] ?? {})[0] === 't'
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
