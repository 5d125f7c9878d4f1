import type { ParsedStatement } from '../sql/statement.ts'
import type { SessionState } from './session-state.ts'

/** Statements after which a cursor's query reads what it would have read before. */
const LEAVES_ROWS: ReadonlySet<ParsedStatement['category']> = new Set([
  'query',
  'show',
  'set',
  'cursor',
  'prepare',
  'deallocate',
  'listen',
])

/** Lets cursors whose query has not been run yet see the rows that are there, before a statement that may change them, or undo what they did. */
export async function openCursorsBefore(
  state: SessionState,
  statement: ParsedStatement,
): Promise<void> {
  if (state.portals.size === 0 || LEAVES_ROWS.has(statement.category)) return
  if (statement.category === 'transaction' && statement.tag !== 'SAVEPOINT') return
  for (const { cursor } of state.portals.values()) await cursor?.see()
}
