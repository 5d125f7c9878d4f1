import type { SpannerStatement } from '../backend/backend.ts'
import { isAborted } from '../backend/backend-error.ts'
import { Bug } from '../base/pg-error.ts'
import type { PushdownRoute } from '../plan/plan.ts'
import type { BoundStatement, RunnableStatement } from './bound-statement.ts'
import { clientError, withFields } from './client-error.ts'
import { explainFailedWrite } from './failed-write.ts'
import { openCursorsBefore } from './open-cursors.ts'
import { recordUnseen } from './record-draws.ts'
import { beforeRows } from './run-ddl.ts'
import { dmlTag } from './run-query.ts'
import { runStatement } from './run-statement.ts'
import type { SessionState } from './session-state.ts'

/** What one ExecuteBatchDml may take ("Quotas and limits" has no number for statements; requests are bounded by 10 MiB). */
const MAX_STATEMENTS = 1000
const MAX_SIZE_BYTES = 4 * 1024 * 1024

/** DML without RETURNING that waits to be sent with what follows it. */
export interface WaitingStatement {
  readonly bound: RunnableStatement
  /** Where its CommandComplete belongs in the output, relative to the start of the unit. */
  readonly at: number
  /** Its number in the client's own batch (START BATCH DML): it was answered when it came, nothing is written for it. */
  readonly batchNumber?: number | undefined
}

/** Whether nothing but a count will come of a statement, so that it can be sent together with others like it. */
export function isBatchable(bound: BoundStatement): bound is RunnableStatement {
  const isDml = bound.statement?.category === 'dml' && routeOf(bound) !== undefined
  return isDml && bound.refusal === undefined
}

function routeOf({ described }: BoundStatement): PushdownRoute | undefined {
  const { plan } = described
  if (plan?.fields !== undefined || plan?.route.kind !== 'pushdown') return undefined
  return plan.route.command === 'SELECT' ? undefined : plan.route
}

/** The statements that wait. */
export class DmlBatch {
  #waiting: WaitingStatement[] = []
  #sizeBytes = 0

  get size(): number {
    return this.#waiting.length
  }

  /** Whether it may be sent together with those that wait; the first always may. */
  hasRoomFor(bound: RunnableStatement): boolean {
    if (this.#waiting.length === 0) return true
    return (
      this.#waiting.length < MAX_STATEMENTS && this.#sizeBytes + sizeOf(bound) <= MAX_SIZE_BYTES
    )
  }

  add(statement: WaitingStatement): void {
    this.#waiting.push(statement)
    this.#sizeBytes += sizeOf(statement.bound)
  }

  /** All of them, in order; none waits afterwards. */
  take(): readonly WaitingStatement[] {
    const taken = this.#waiting
    this.#waiting = []
    this.#sizeBytes = 0
    return taken
  }
}

function sizeOf(bound: RunnableStatement): number {
  const sql = routeOf(bound)?.sql.length ?? 0
  return bound.spannerParams.reduce((sum, param) => sum + param.value.length, sql)
}

/** How far a batch came: tags of the statements that ran, and why the one after them failed. */
export interface BatchOutcome {
  readonly tags: readonly string[]
  readonly error: unknown
}

/** Runs statements together. `isSole`: nothing else will be in their implicit transaction. */
export async function runDmlBatch(
  state: SessionState,
  statements: readonly RunnableStatement[],
  isSole: boolean,
): Promise<BatchOutcome> {
  const [first, ...others] = statements
  if (first === undefined) return { tags: [], error: undefined }
  if (others.length === 0) {
    const answer = await runStatement(state, first, isSole)
    return { tags: [answer.tag(0n)], error: undefined }
  }
  await openCursorsBefore(state, first.statement)
  await beforeRows(state)
  for (const { described } of statements) {
    for (const notice of described.plan?.notices ?? []) state.notice(notice)
  }
  const { rowCounts, error } = await state.block.executeBatch(
    statements.map(toSpanner),
    routeOf(first)?.command ?? 'DML',
    {
      ...state.scope.callOptions(),
      isLast: isSole,
      written: statements.flatMap((statement) => mustRoute(statement).written?.table ?? []),
      writesDrawn: statements.some((statement) => mustRoute(statement).writesDrawn),
      requestTag: state.settings.get('spanner.statement_tag') || undefined,
    },
  )
  const tags = rowCounts.map((count, index) => tagOf(statements[index], count))
  for (const statement of statements.slice(0, tags.length))
    recordUnseen(state, mustRoute(statement))
  const failed = statements[tags.length]
  if (failed === undefined) return { tags, error }
  return { tags, error: await explainFailedWrite(state, failed, error) }
}

function toSpanner(bound: RunnableStatement): SpannerStatement {
  return { sql: mustRoute(bound).sql, params: bound.spannerParams }
}

function tagOf(bound: RunnableStatement | undefined, count: bigint): string {
  if (bound === undefined) throw new Bug('a batch has more counts than statements')
  return dmlTag(mustRoute(bound), count)
}

function mustRoute(bound: RunnableStatement): PushdownRoute {
  const route = routeOf(bound)
  if (route === undefined) throw new Bug('a statement in a batch does not go to Spanner')
  return route
}

/** What a client is told of a statement that failed in its own batch: which one it was. */
export function failureInClientBatch(
  state: SessionState,
  { bound, batchNumber }: WaitingStatement,
  error: unknown,
): unknown {
  if (batchNumber === undefined || isAborted(error)) return error
  const told = clientError(error, state.schema, state.scope.signal)
  const where = `statement ${batchNumber} of the batch: ${bound.statement.text}`
  return withFields(told, { where, position: undefined })
}
