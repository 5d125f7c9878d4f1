import type { ParsedStatement } from '../sql/statement.ts'
import { notSupported } from './client-error.ts'
import { demandRelations } from './demand-relations.ts'
import type { SessionState } from './session-state.ts'

const HINTS: Readonly<Partial<Record<ParsedStatement['category'], string>>> = {
  explain: 'Statements that Spanner runs and queries that are emulated can be explained.',
  'create-as': 'Create the table first, then use INSERT .. SELECT.',
  do: 'Run the statements of the block one by one.',
  call: 'Spanner has no procedures.',
  shared: 'Where data lie, and how the server runs, is Spanner’s affair.',
}

/** Rejects a statement that is not built: with 0A000, unless PostgreSQL would not run it either. */
export async function refuseStatement(
  state: SessionState,
  statement: ParsedStatement,
): Promise<never> {
  await demandRelations(state, statement)
  const what = statement.category === 'create-as' ? 'CREATE TABLE AS' : statement.tag
  throw notSupported(what, HINTS[statement.category] ?? 'See docs/limitations.md.')
}
