import { BackendError } from '../backend/backend-error.ts'
import { fallbackEvents } from '../base/channels.ts'
import type { Answer, RowSource } from './answer.ts'
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
}

/**
 * The rows of a SELECT that Spanner is asked for; where it refuses the statement as one that it does not have, before any row came, the rows
 * of its emulation over whole tables. That is a hole in the dialect's table: {@link fallbackEvents} tells of it. A value that leaves Spanner's
 * range on the way is none: PostgreSQL has more dates, and an infinite numeric.
 */
export function orEmulated(state: SessionState, select: SentSelect, asked: RowSource): RowSource {
  let rows = asked
  let mayFallBack = ownSetting(state.settings, 'spanwire.emulation') !== 'off'
  return {
    async write(sink, maxRows) {
      try {
        return await rows.write(sink, maxRows)
      } catch (error) {
        if (!mayFallBack || !(isRefused(state, error) || isBeyondSpanner(error))) throw error
        rows.close()
        rows = (await emulate(state, select, error)).rows ?? rows
        return await rows.write(sink, maxRows)
      } finally {
        mayFallBack = false
      }
    },
    close: () => rows.close(),
  }
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
  refusal: BackendError,
): Promise<Answer> {
  const { statement, described, params, resultFormats } = bound
  if (statement === undefined) throw refusal
  const request = planRequest(state, statement, described.paramTypes)
  const { planner } = state.database
  const isHole = refusal.failure.kind === 'unsupported'
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
