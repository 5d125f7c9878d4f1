import { statementEvents } from '../base/channels.ts'
import type { BoundStatement } from './bound-statement.ts'
import { clientError } from './client-error.ts'
import type { SessionState } from './session-state.ts'

/** Runs one statement and tells whoever observes how it went. `run` gives the number of rows. */
export async function observeStatement(
  state: SessionState,
  bound: BoundStatement,
  run: () => Promise<number>,
): Promise<void> {
  const startedAt = performance.now()
  try {
    publishStatement(state, bound, { startedAt, rows: await run() })
  } catch (error) {
    publishStatement(state, bound, { startedAt, error })
    throw error
  }
}

/** How a statement went. */
interface StatementOutcome {
  /** By performance.now(). */
  readonly startedAt: number
  readonly rows?: number
  readonly error?: unknown
}

/** Tells whoever observes how one statement went. */
export function publishStatement(
  state: SessionState,
  bound: BoundStatement,
  { startedAt, rows = 0, error }: StatementOutcome,
): void {
  if (!statementEvents.hasSubscribers) return
  statementEvents.publish({
    connId: state.io.processId,
    tag: bound.statement?.tag ?? '',
    route: bound.described.plan?.route.kind ?? routeOf(bound),
    durationMs: performance.now() - startedAt,
    rows,
    sqlState:
      error === undefined ? undefined : clientError(error, state.schema, state.scope.signal).code,
    text: bound.statement?.text ?? '',
  })
}

function routeOf(bound: BoundStatement): string {
  return bound.statement?.category === 'ddl' ? 'ddl' : 'control'
}
