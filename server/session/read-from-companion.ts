import type { Plan } from '../plan/plan.ts'
import { type Answer, readyRows } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { notSupported } from './client-error.ts'
import type { SessionState } from './session-state.ts'

/** Lets the companion run `text` with the statement's own parameters, and answers under the statement's own columns. */
export async function readFromCompanion(
  state: SessionState,
  run: { readonly text: string; readonly bound: BoundStatement; readonly plan: Plan },
): Promise<Answer> {
  const { bound, plan } = run
  const source = state.ddl?.pinned ?? state.database.companion
  const answer = await source.read({
    text: run.text,
    paramTypes: plan.paramTypes,
    paramFormats: bound.params.formats,
    params: bound.params.values,
    resultFormats: bound.resultFormats,
    session: state.context(),
    signal: state.scope.signal,
  })
  for (const notice of answer.notices) state.notice(notice)
  if (answer.touchedUserTables) {
    throw notSupported(
      'a function that reads tables, in a query of the system catalogs',
      'Read the tables in a statement of their own.',
    )
  }
  return {
    fields: plan.fields,
    rows: readyRows(answer.rows),
    // SHOW and EXPLAIN come here too: their tags have no count.
    tag: (rowCount) => answer.tag.replace(/\d+$/, String(rowCount)),
  }
}
