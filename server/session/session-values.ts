import type { Plan, PushdownRoute } from '../plan/plan.ts'
import { type CallSite, findCalls, inPlaceOfCall, replaceSites } from '../sql/call-sites.ts'
import { parseStatements } from '../sql/statement.ts'
import { unseenDraw } from './session-sequences.ts'
import type { SessionState } from './session-state.ts'
import { failingSql, toldBy } from './telling-failure.ts'

/*
 * PostgreSQL:  INSERT INTO child (parent_id) VALUES (currval('parent_id_seq'))
 * companion:   SELECT (SELECT CASE 'parent_id_seq'::regclass::oid WHEN 16400 THEN 7 ELSE currval('parent_id_seq') END)
 *
 * What the proxy knows of the session is written into what the companion runs. PostgreSQL evaluates it where it evaluates the call; in the
 * companion nobody draws from sequences, so that its own currval() and lastval() have the right words for a session that did not either.
 */

/** Functions that tell of the session without doing anything, by name in pg_catalog, with their types. */
const SESSION_VALUES: ReadonlyMap<string, string> = new Map([
  ['currval', 'int8'],
  ['lastval', 'int8'],
  ['txid_current', 'int8'],
  ['txid_current_if_assigned', 'int8'],
  ['pg_current_xact_id', 'xid8'],
  ['pg_current_xact_id_if_assigned', 'xid8'],
])

const MAY_ASK = new RegExp(`\\b(?:${[...SESSION_VALUES.keys()].join('|')})\\b`, 'i')

const NONE: ReadonlySet<number> = new Set()

/** Whether a function of pg_catalog tells of the session without doing anything. */
export function isSessionValue(name: string): boolean {
  return SESSION_VALUES.has(name)
}

/** The type of its result, in pg_catalog. */
export function sessionValueType(name: string): string {
  return SESSION_VALUES.get(name) ?? 'text'
}

/**
 * A query with what the session knows in the place of each such call. `drawn`: sequences that the statement itself draws from
 * at Spanner. `isAsked`: which of the functions the session answers.
 */
export async function textWithSessionValues(
  state: SessionState,
  text: string,
  drawn = NONE,
  isAsked = isSessionValue,
): Promise<string> {
  if (!MAY_ASK.test(text)) return text
  const [statement] = parseStatements(text)
  const sites = statement === undefined ? [] : findCalls(text, statement.node, isAsked)
  if (sites.length === 0) return text
  const literals = await literalsFor(state, sites, drawn)
  const cases = casesOf(state, drawn)
  return replaceSites(text, sites, (site, argument) => {
    const { name } = site
    if (name === 'currval') return inPlaceOfCall(site, currvalSql(argument(0), cases))
    return inPlaceOfCall(site, literals.get(name) ?? `${name}()`)
  })
}

/** Whether a statement is bound to what the session knows: what was kept back must run before. */
export function readsSession({ route }: Plan): boolean {
  switch (route.kind) {
    case 'pushdown':
      return asksIn(route)
    case 'emulate':
      return route.loads.some(({ read }) => asksIn(read))
    default:
      return false
  }
}

function asksIn({ computed }: PushdownRoute): boolean {
  return computed !== undefined && mayAskForSession(computed.text)
}

/** Whether a text could ask for what the session knows. */
export function mayAskForSession(text: string): boolean {
  return MAY_ASK.test(text)
}

/** What a failure means that {@link textWithSessionValues} wrote into a statement; any other error stays. */
export function withoutMark(error: unknown): unknown {
  return toldBy(error) === UNSEEN ? unseenDraw() : error
}

/** What the session knows of a sequence; undefined where it was drawn from and nobody knows what came. What is told must stay true. */
export function knownValue(state: SessionState, sequence: number): string | undefined {
  const { block, sequences } = state
  const drawn = sequences.find(sequence)
  if (drawn === undefined || drawn.kind === 'unseen') return undefined
  if (drawn.kind === 'known-after') {
    return drawn.transaction === block.transactionNumber ? undefined : drawn.value
  }
  if (block.hasWritten) block.answerSent()
  return drawn.value
}

/** The sequence that lastval() is about; undefined where there is none, or none any more. */
export function lastSequence({ sequences, schema }: SessionState): number | undefined {
  const { last } = sequences
  return last !== undefined && schema.sequences.has(last) ? last : undefined
}

/** SQL of the functions without arguments; those that are left out answer for themselves. */
async function literalsFor(
  state: SessionState,
  sites: readonly CallSite[],
  drawn: ReadonlySet<number>,
): Promise<ReadonlyMap<string, string>> {
  const literals = new Map<string, string>()
  for (const { name } of sites) {
    if (name === 'currval' || literals.has(name)) continue
    const type = `pg_catalog.${SESSION_VALUES.get(name)}`
    if (name !== 'lastval') {
      const id = await state.xactId.of(state, { assigns: !name.endsWith('_if_assigned') })
      literals.set(name, `CAST(${id === undefined ? 'NULL' : `'${id}'`} AS ${type})`)
      continue
    }
    const sequence = lastSequence(state)
    if (drawn.size > 0) literals.set(name, UNSEEN_SQL)
    else if (sequence !== undefined) literals.set(name, valueSql(state, sequence))
  }
  return literals
}

const UNSEEN = 'unseen'
const UNSEEN_SQL = failingSql(`'${UNSEEN}'`)

function valueSql(state: SessionState, sequence: number): string {
  const value = knownValue(state, sequence)
  return value === undefined ? UNSEEN_SQL : `CAST('${value}' AS pg_catalog.int8)`
}

function currvalSql(argument: string, cases: readonly string[]): string {
  const call = `pg_catalog.currval(${argument})`
  if (cases.length === 0) return call
  const oid = `CAST(CAST((${argument}) AS pg_catalog.regclass) AS pg_catalog.oid)`
  return `CASE ${oid} ${cases.join(' ')} ELSE ${call} END`
}

function casesOf(state: SessionState, drawn: ReadonlySet<number>): readonly string[] {
  const others = [...state.sequences.all()].filter((sequence) => !drawn.has(sequence))
  return [
    ...[...drawn].map((sequence) => `WHEN '${sequence}' THEN ${UNSEEN_SQL}`),
    ...others.map((sequence) => `WHEN '${sequence}' THEN ${valueSql(state, sequence)}`),
  ]
}
