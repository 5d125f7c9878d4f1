import { cursorCommand } from '../sql/cursor-commands.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { mustBe } from './client-error.ts'
import type { Described } from './prepared-statement.ts'
import type { SessionState } from './session-state.ts'

/** What Parse finds out about DECLARE, FETCH and their relatives: the types of parameters, the columns. */
export async function describeCursor(
  state: SessionState,
  statement: ParsedStatement,
  declaredTypes: readonly number[],
): Promise<Described> {
  const command = mustBe(cursorCommand(statement.text, statement.node))
  const nothing = { paramTypes: [], fields: undefined, plan: undefined }
  if (command.kind === 'fetch') {
    return { ...nothing, fields: state.portals.get(command.name)?.bound.described.fields }
  }
  if (command.kind !== 'declare') return nothing
  // PostgreSQL analyses the whole, and says what it has against the options and the query.
  const { pinned } = state.ddl ?? state.temporary ?? {}
  const { paramTypes } = await (pinned ?? state.database.companion).analyse({
    text: statement.text,
    paramTypes: declaredTypes,
    session: state.context(),
    signal: state.scope.signal,
  })
  return { ...nothing, paramTypes }
}
