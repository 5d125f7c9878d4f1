import type { ReadAnswer } from '../companion/companion-types.ts'
import { findCallSites, findCalls } from '../sql/call-sites.ts'
import { parseStatements } from '../sql/statement.ts'
import {
  referencedFunctionsInTargetList,
  type TargetListFunction,
} from '../sql/target-list-functions.ts'
import { type Answer, whenRun } from './answer.ts'
import { type BoundStatement, bindStatement } from './bound-statement.ts'
import { runCallsAnywhere } from './calls-anywhere.ts'
import { areCalledByRow, type CallingQuery, runCallsByRow } from './calls-by-row.ts'
import { type CatalogQuery, runCallsInOrder } from './calls-in-order.ts'
import { notSupported } from './client-error.ts'
import { describeStatement } from './describe.ts'
import { gatherRows } from './gather-rows.ts'
import { readFromCompanion } from './read-from-companion.ts'
import { doesSomething, isSessionFunction, mustFindFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

/** Answers a query that calls session functions; undefined where it calls none, or none that does more than tell. */
export function runWithSessionFunctions(
  state: SessionState,
  query: CatalogQuery,
): Answer | undefined {
  const { plan } = query
  const { text, node } = query.statement
  const { once, others } = findCallSites(text, node, isSessionFunction)
  const isOnce = !query.route.returnsSets && ![...others].some(doesSomething)
  if (isOnce && once.some(({ name }) => doesSomething(name))) {
    checkSetConfig(query, once)
    return whenRun(plan.fields, () => runCallsInOrder(state, query, once))
  }
  const calls = findCalls(text, node, doesSomething)
  checkSetConfig(query, calls)
  if (calls.length === 0) return undefined
  for (const { name } of calls) mustFindFunction(name)
  return whenRun(plan.fields, () =>
    runCallsAnywhere(
      state,
      () => text,
      (run) => readFromCompanion(state, { ...query, ...run }),
    ),
  )
}

/**
 * Answers a SELECT of tables in which nothing but session functions as entries of the select list are in the way: `run` runs the statement without
 * them. undefined where it has none, or others.
 */
export function runWithCallsOverTables(
  state: SessionState,
  query: Omit<CallingQuery, 'calls' | 'text'>,
  run: RunQuery,
): Answer | undefined {
  const { text, node } = query.statement
  const calls = referencedFunctionsInTargetList(text, node, isSessionCall)
  const others = findCalls(text, node, doesSomething).length
  if (others === 0 || others > calls.filter(callDoesSomething).length) return undefined
  if (!areCalledByRow({ ...query, calls })) return undefined
  return whenRun(query.plan.fields, () =>
    runCallsByRow(state, { ...query, text, calls }, async ({ text: inner, bound, plan }) => {
      const [statement] = parseStatements(inner)
      const described = await describeStatement(state, statement, plan.paramTypes)
      const target = { statement, described }
      return collectRows(
        await run(await bindStatement(state, target, bound.params, bound.resultFormats)),
      )
    }),
  )
}

/** Runs a statement by the route that its plan found. */
export type RunQuery = (bound: BoundStatement) => Promise<Answer>

async function collectRows(answer: Answer): Promise<Pick<ReadAnswer, 'rows' | 'tag'>> {
  const { rows, written } = await gatherRows((sink) => answer.rows?.write(sink, 0))
  return { rows, tag: answer.tag(BigInt(written?.rowCount ?? 0)) }
}

function callDoesSomething({ name }: TargetListFunction): boolean {
  return doesSomething(name.at(-1) ?? '')
}

/** Whether a call is one that the companion must not see. */
function isSessionCall(name: readonly string[]): boolean {
  const [last = '', schema = 'pg_catalog', ...rest] = [...name].reverse()
  return schema === 'pg_catalog' && rest.length === 0 && isSessionFunction(last)
}

/** Elsewhere than here set_config() would set nothing but the companion's transaction, and nobody would know. */
function checkSetConfig(
  { route }: CatalogQuery,
  calls: readonly { readonly name: string }[],
): void {
  if (calls.filter(({ name }) => name === 'set_config').length >= route.setConfigCalls) return
  throw notSupported('set_config() in a view of that name', 'Call it in the query itself.')
}
