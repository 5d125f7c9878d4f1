import type { Answer } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { mustBe } from './client-error.ts'
import { runQuery } from './run-query.ts'
import { runTemporary } from './run-temporary.ts'
import type { SessionState } from './session-state.ts'

/** Runs what reads or writes rows by the route that it has: in the companion, where it is about temporary tables alone. */
export function runRows(
  state: SessionState,
  bound: BoundStatement,
  isSole: boolean,
): Promise<Answer> {
  return bound.described.isTemporary === true
    ? runTemporary(state, { ...bound, statement: mustBe(bound.statement) })
    : runQuery(state, bound, isSole)
}
