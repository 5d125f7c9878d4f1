import { BackendError } from '../backend/backend-error.ts'
import { fallbackEvents } from '../base/channels.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Answer, RowSink, RowSource } from './answer.ts'
import { type BoundStatement, bindStatement } from './bound-statement.ts'
import { planRequest } from './describe.ts'
import { ownSetting } from './own-settings.ts'
import { runEmulated } from './run-emulated.ts'
import type { SessionState } from './session-state.ts'

/** A SELECT on its way to Spanner. */
export interface SentSelect {
  readonly bound: BoundStatement
  /** What Spanner is asked for: the statement, or the rows that it is emulated over. */
  readonly sql: string
  readonly isSole: boolean
  /** Whether what Spanner says of its failures does not tell what PostgreSQL tells. */
  readonly saysLess?: boolean | undefined
}

/**
 * The rows of a SELECT that Spanner is asked for; where it refuses the statement as one that it does not have, before any row came, the rows
 * of its emulation over whole tables. That is a hole in the dialect's table: {@link fallbackEvents} tells of it. A value that leaves Spanner's
 * range on the way is none: PostgreSQL has more dates, and an infinite numeric. Nor is a failure of which Spanner says less than PostgreSQL.
 */
export function orEmulated(state: SessionState, select: SentSelect, asked: RowSource): RowSource {
  let rows = asked
  let mayFallBack = ownSetting(state.settings, 'spanwire.emulation') !== 'off'
  return {
    async write(sink, maxRows) {
      if (!mayFallBack) return rows.write(sink, maxRows)
      mayFallBack = false
      const attempt = retractable(sink)
      try {
        return await rows.write(attempt.sink, maxRows)
      } catch (error) {
        const isCured = isRefused(state, error) || isBeyondSpanner(error)
        const isTold = select.saysLess === true && isOfValues(error)
        if (!(isCured || isTold) || !attempt.retract()) throw error
        rows.close()
        const { rows: emulated = rows } = await emulate(state, select, error)
        rows = emulated
        return await rows.write(sink, maxRows).catch((second: unknown) => {
          throw isCured || isOfPostgres(second) ? second : error
        })
      }
    },
    close: () => rows.close(),
  }
}

/** A sink whose rows can be taken back until the first of them has left. */
function retractable(sink: RowSink): { readonly sink: RowSink; retract(): boolean } {
  const { output } = sink
  const start = output.length
  let hasLeft = false
  return {
    sink: {
      output,
      relieve: () => {
        const relief = sink.relieve()
        if (relief !== undefined) hasLeft = true
        return relief
      },
      flush: () => {
        hasLeft = true
        return sink.flush()
      },
    },
    retract: () => {
      if (!hasLeft) output.truncate(start)
      return !hasLeft
    },
  }
}

/** Whether the companion said it: the bounds of emulation come with a hint. */
function isOfPostgres(error: unknown): boolean {
  if (!(error instanceof PgError)) return false
  return error.code !== SQL_STATE.programLimitExceeded || error.fields.hint === undefined
}

/** Whether it is a data exception, or a value that is too long. */
function isOfValues(error: unknown): error is Error {
  const isSql = error instanceof BackendError && error.failure.kind === 'sql'
  const code = isSql ? error.failure.sqlState : error instanceof PgError ? error.code : ''
  return code.startsWith('22') || code === SQL_STATE.programLimitExceeded
}

function isRefused(state: SessionState, error: unknown): error is BackendError {
  return (
    error instanceof BackendError &&
    error.failure.kind === 'unsupported' &&
    ownSetting(state.settings, 'spanwire.fallback') === 'on'
  )
}

function isBeyondSpanner(error: unknown): error is BackendError {
  return (
    error instanceof BackendError &&
    error.failure.kind === 'sql' &&
    error.failure.isBeyondSpanner === true
  )
}

/** Rejects with the refusal where the statement cannot be emulated either. */
async function emulate(
  state: SessionState,
  { bound, sql, isSole }: SentSelect,
  refusal: Error,
): Promise<Answer> {
  const { statement, described, params, resultFormats } = bound
  if (statement === undefined) throw refusal
  const request = planRequest(state, statement, described.paramTypes)
  const { planner } = state.database
  const isHole = refusal instanceof BackendError && refusal.failure.kind === 'unsupported'
  const plan = await (isHole
    ? planner.planEmulation(request, refusal.message)
    : planner.planBeyondSpanner(request))
  if (plan?.route.kind !== 'emulate') throw refusal
  if (isHole) {
    const reason = refusal.message
    fallbackEvents.publish({ connId: state.io.processId, reason, sql })
  }
  await state.block.forgetFailure()
  const target = { statement, described: { ...described, plan } }
  const rebound = await bindStatement(state, target, params, resultFormats)
  return runEmulated(state, { bound: rebound, statement, plan, route: plan.route, isSole })
}
