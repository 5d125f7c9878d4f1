import { Bug } from '../base/pg-error.ts'
import type { CatalogRoute, Plan } from '../plan/plan.ts'
import { type CallSite, inPlaceOfCall, replaceSites } from '../sql/call-sites.ts'
import type { Answer } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import type { StatementText } from './companion-text.ts'
import { readFromCompanion } from './read-from-companion.ts'
import { callFunction, mustFindFunction, type SessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'
import { failingSql, toldBy } from './telling-failure.ts'

/*
 * PostgreSQL:  SELECT coalesce(nextval('s'), 0) WHERE pg_try_advisory_lock(1)
 * companion:   SELECT coalesce((SELECT <fails with 'call 0 ["s"]'>), 0) WHERE (SELECT <fails with 'call 1 ["1"]'>)
 *              SELECT coalesce((SELECT <fails with 'call 0 ["s"]'>), 0) WHERE (SELECT 't'::bool)
 *              SELECT coalesce((SELECT '7'::int8), 0) WHERE (SELECT 't'::bool)
 *
 * Which call comes next PostgreSQL alone knows: WHERE, CASE, COALESCE, AND decide whether there is one at all. So it is asked. In place of
 * each call stands an expression that fails when it is evaluated, and says which one it is and what its arguments came to; the proxy evaluates that
 * call, its value takes its place, and the statement is run again until nothing is left to call.
 */

/** A query as the companion is to run it, with what the client bound to it. */
export interface CatalogQuery {
  readonly bound: BoundStatement
  readonly plan: Plan
  readonly statement: StatementText
  readonly route: CatalogRoute
}

/** Runs a query whose session functions are evaluated once at most, each where PostgreSQL comes to it. */
export function runCallsInOrder(
  state: SessionState,
  { bound, plan, statement }: CatalogQuery,
  sites: readonly CallSite[],
): Promise<Answer> {
  return evaluateInOrder(state, { text: statement.text, sites }, (text) =>
    readFromCompanion(state, { text, bound, plan }),
  )
}

/** What `read` gives for a query in which every call that PostgreSQL came to is evaluated. */
export async function evaluateInOrder<T>(
  state: SessionState,
  { text, sites }: { readonly text: string; readonly sites: readonly CallSite[] },
  read: (text: string) => Promise<T>,
): Promise<T> {
  const values = new Map<CallSite, string | null>()
  for (;;) {
    try {
      return await read(withValues(text, sites, values))
    } catch (error) {
      const call = callTold(error, sites)
      if (call === undefined) throw error
      if (values.has(call.site)) throw new Bug('a call is evaluated twice', { cause: error })
      values.set(call.site, await callFunction(state, call.site.name, call.args))
    }
  }
}

interface ToldCall {
  readonly site: CallSite
  readonly args: readonly (string | null)[]
}

function callTold(error: unknown, sites: readonly CallSite[]): ToldCall | undefined {
  const [, number, args = '[]'] = /^call (\d+) (.*)$/s.exec(toldBy(error) ?? '') ?? []
  const site = sites[Number(number)]
  return site && { site, args: JSON.parse(args) as readonly (string | null)[] }
}

function withValues(
  text: string,
  sites: readonly CallSite[],
  values: ReadonlyMap<CallSite, string | null>,
): string {
  return replaceSites(text, sites, (site, argument) => {
    const { type } = mustFindFunction(site.name)
    const value = values.get(site)
    if (value !== undefined) return inPlaceOfCall(site, literal(value, type))
    const args = site.args.map((_arg, i) => `CAST((${argument(i)}) AS pg_catalog.text)`)
    const told = `'call ${sites.indexOf(site)} ', pg_catalog.json_build_array(${args.join(', ')})`
    return inPlaceOfCall(site, failingSql(told, `pg_catalog.${type}`))
  })
}

function literal(value: string | null, type: SessionFunction['type']): string {
  if (value === null) return `CAST(NULL AS pg_catalog.${type})`
  const text = value.replaceAll("'", "''").replaceAll('\\', '\\\\')
  return `CAST(${value.includes('\\') ? 'E' : ''}'${text}' AS pg_catalog.${type})`
}
