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
  const publish = (rows: number, sqlState: string | undefined) =>
    statementEvents.publish({
      connId: state.io.processId,
      tag: bound.statement?.tag ?? '',
      route: bound.described.plan?.route.kind ?? routeOf(bound),
      durationMs: performance.now() - startedAt,
      rows,
      sqlState,
      text: bound.statement?.text ?? '',
    })
  try {
    publish(await run(), undefined)
  } catch (error) {
    publish(0, clientError(error, state.database.schema.current, state.scope.signal).code)
    throw error
  }
}

function routeOf(bound: BoundStatement): string {
  return bound.statement?.category === 'ddl' ? 'ddl' : 'control'
}
