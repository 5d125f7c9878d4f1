import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ReadAnswer, StandIns } from '../companion/companion-types.ts'
import type { Plan } from '../plan/plan.ts'
import { type Answer, readyRows } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { notSupported } from './client-error.ts'
import { noticesBeside } from './notices-beside.ts'
import { isSessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'
import { textWithSessionValues, withoutMark } from './session-values.ts'
import { contextWithViews } from './session-views.ts'
import { catalogSource } from './temporary-tables.ts'

/** A text that the companion is to run with a statement's own parameters. */
export interface CompanionRun {
  readonly text: string
  readonly bound: BoundStatement
  readonly plan: Plan
  /** What stands in for the session's functions in the text. */
  readonly standIns?: StandIns | undefined
}

/** Lets the companion run `text`, and answers under the statement's own columns. */
export async function readFromCompanion(state: SessionState, run: CompanionRun): Promise<Answer> {
  const { rows, tag } = await rowsFromCompanion(state, run)
  return {
    fields: run.plan.fields,
    rows: readyRows(rows),
    // SHOW and EXPLAIN come here too: their tags have no count.
    tag: (rowCount) => tag.replace(/\d+$/, String(rowCount)),
  }
}

/**
 * The companion's answer to `text` with what the session knows of itself, its notices sent on. Rejects with 0A000 where a function has read tables: the
 * companion's are empty.
 */
export async function rowsFromCompanion(
  state: SessionState,
  { text, bound, plan, standIns }: CompanionRun,
): Promise<ReadAnswer> {
  const source = catalogSource(state)
  const route = plan.route.kind === 'catalog' ? plan.route : undefined
  const reading = source.read({
    text: await textWithSessionValues(state, text),
    paramTypes: plan.paramTypes,
    paramFormats: bound.params.formats,
    params: bound.params.values,
    resultFormats: bound.resultFormats,
    session: contextWithViews(state, route?.views ?? []),
    standIns,
    locksRows: route?.locksRows === true && !state.block.characteristics.readOnly,
    signal: state.scope.signal,
  })
  const answer = await reading.catch((error: unknown) => {
    throw refusedSessionFunction(state, error) ?? withoutMark(error)
  })
  for (const notice of noticesBeside(plan, answer.notices)) state.notice(notice)
  if (answer.touchedUserTables) {
    throw notSupported(
      'a function that reads tables, in a query of the system catalogs',
      'Read the tables in a statement of their own.',
    )
  }
  return answer
}

/** What the companion says where a query would call one of the session's functions. */
const REFUSALS: readonly RegExp[] = [
  /^permission denied for function (\w+)$/,
  /^cannot execute (\w+)\(\) in a read-only transaction$/,
]

function refusedSessionFunction(state: SessionState, error: unknown): PgError | undefined {
  if (!(error instanceof PgError)) return undefined
  if (error.code === SQL_STATE.readOnlySqlTransaction && state.block.characteristics.readOnly)
    return undefined
  const name = REFUSALS.map((pattern) => pattern.exec(error.message)?.[1]).find(Boolean)
  if (name === undefined || !isSessionFunction(name)) return undefined
  return notSupported(`function ${name} in a view of that name`, 'Call it in the query itself.')
}
