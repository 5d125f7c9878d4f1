import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { cursorCommand } from '../sql/cursor-commands.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { mustBe, notSupported } from './client-error.ts'
import { demandRelations } from './demand-relations.ts'
import type { SessionState } from './session-state.ts'

const HINTS: Readonly<Partial<Record<ParsedStatement['category'], string>>> = {
  cursor: 'Use a portal with a row limit (a driver’s own cursor), or LIMIT.',
  explain: 'Look at the query plan in the Cloud console.',
  'create-as': 'Create the table first, then use INSERT .. SELECT.',
  do: 'Run the statements of the block one by one.',
  call: 'Spanner has no procedures.',
  shared: 'Where data lie, and how the server runs, is Spanner’s affair.',
  constraints: 'Constraints are checked after each statement.',
}

/** Rejects a statement that is not built: with 0A000, unless PostgreSQL would not run it either. */
export async function refuseStatement(
  state: SessionState,
  statement: ParsedStatement,
): Promise<never> {
  await demandRelations(state, statement)
  if (statement.category === 'cursor') demandCursor(state, statement)
  const what = statement.category === 'create-as' ? 'CREATE TABLE AS' : statement.tag
  throw notSupported(what, HINTS[statement.category] ?? 'See docs/limitations.md.')
}

/** FETCH, MOVE and CLOSE find portals of the protocol as well (src/backend/commands/portalcmds.c). */
function demandCursor(state: SessionState, statement: ParsedStatement): void {
  const command = mustBe(cursorCommand(statement.text, statement.node))
  const { kind, name } = command
  if (kind === 'declare' || name === undefined || state.portals.has(name)) return
  throw new PgError(SQL_STATE.invalidCursorName, `cursor "${name}" does not exist`)
}
