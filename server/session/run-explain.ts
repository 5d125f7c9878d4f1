import { Bug } from '../base/pg-error.ts'
import { type Explained, linesOf, remotePlan } from '../plan/explained-plan.ts'
import type { PushdownRoute } from '../plan/plan.ts'
import { findCalls } from '../sql/call-sites.ts'
import { type ExplainCommand, explainCommand } from '../sql/session-commands.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { type Answer, readyRows } from './answer.ts'
import { type BoundStatement, bindStatement } from './bound-statement.ts'
import { mustBe, notSupported } from './client-error.ts'
import { describeStatement } from './describe.ts'
import type { Described } from './prepared-statement.ts'
import { rowsFromCompanion } from './read-from-companion.ts'
import { refuseStatement } from './refuse-statement.ts'
import { explainEmulated } from './run-emulated.ts'
import { runQuery } from './run-query.ts'
import { isSessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'
import { textCells, textRow } from './text-answer.ts'

interface ExplainRun {
  readonly bound: BoundStatement & { readonly statement: ParsedStatement }
  readonly command: ExplainCommand
  readonly explained: ParsedStatement
  readonly described: Described
}

/**
 * EXPLAIN: of what the companion runs by itself its plan, of what is emulated the plan over loaded rows and what is loaded, of what Spanner runs one node.
 * ANALYZE is for the first alone.
 */
export async function runExplain(
  state: SessionState,
  bound: BoundStatement & { readonly statement: ParsedStatement },
): Promise<Answer> {
  const { statement } = bound
  const command = mustBe(explainCommand(statement.text, statement.node))
  const { text, query, analyze } = command
  const isDml = ['InsertStmt', 'UpdateStmt', 'DeleteStmt'].some((name) => name in query)
  const isQuery = 'SelectStmt' in query && query.SelectStmt.intoClause === undefined
  if (!isQuery && !isDml) return refuseStatement(state, statement)
  const explained = mustBe(parseStatements(text)[0])
  const described = await describeStatement(state, explained, bound.described.paramTypes)
  const route = described.plan?.route
  if (route?.kind === 'catalog') {
    // The proxy calls these, not the companion.
    const callsProxy = findCalls(text, explained.node, isSessionFunction).length > 0
    if (analyze && callsProxy) return refuseStatement(state, statement)
    return runQuery(state, bound, false)
  }
  if (analyze || route === undefined || route.kind === 'unsupported')
    return refuseStatement(state, statement)
  if (command.format !== 'text' && command.format !== 'json') {
    throw notSupported('EXPLAIN of tables in this format', 'FORMAT TEXT and JSON there are.')
  }
  const run = { bound, command, explained, described }
  return route.kind === 'pushdown' ? explainRemote(state, run, route) : explainLoads(state, run)
}

/** Spanner runs it: the companion says what PostgreSQL expects of the result. */
async function explainRemote(
  state: SessionState,
  { bound, command }: ExplainRun,
  route: PushdownRoute,
): Promise<Answer> {
  const plan = mustBe(bound.described.plan)
  const { rows } = await rowsFromCompanion(state, {
    text: `${command.jsonHead}${command.text}`,
    bound: { ...bound, resultFormats: [] },
    plan,
  })
  const explained = remotePlan(explainedIn(rows), route)
  return answerOf(bound, command.format === 'text' ? linesOf(explained) : jsonOf(explained))
}

/** A PostgreSQL runs it over rows that Spanner gives. */
async function explainLoads(
  state: SessionState,
  { bound, command, explained, described }: ExplainRun,
): Promise<Answer> {
  const inner = await bindStatement(state, { statement: explained, described }, bound.params, [])
  const plan = mustBe(inner.described.plan)
  if (plan.route.kind !== 'emulate') throw new Bug('an emulated statement is not any more')
  const run = { bound: inner, statement: explained, plan, route: plan.route, isSole: false }
  const told = await explainEmulated(state, run, command.head)
  const sql = command.verbose ? told.loads.map((load) => load.sql) : []
  if (command.format === 'text') {
    const over = told.loads.length === 0 ? '' : ' over '
    return answerOf(bound, [
      ...told.rows.flatMap(textCells),
      `Emulation: ${plan.route.name}${over}${told.loads.map(({ name }) => name).join(', ')}`,
      ...sql.map((text) => `Remote SQL: ${text}`),
    ])
  }
  const remote = command.verbose ? { 'Remote SQL': sql } : {}
  const loads = { Emulation: plan.route.name, Loads: told.loads.map(({ name }) => name), ...remote }
  return answerOf(bound, jsonOf({ ...explainedIn(told.rows), ...loads }))
}

/** Of FORMAT JSON: one row, and in it one statement. */
function explainedIn(rows: readonly Buffer[]): Explained {
  const [row] = rows
  const [json] = row === undefined ? [] : textCells(row)
  const [explained] = JSON.parse(json ?? '[]') as readonly (Explained | undefined)[]
  if (explained === undefined) throw new Bug('PostgreSQL explains nothing')
  return explained
}

function jsonOf(explained: Explained): readonly string[] {
  return [JSON.stringify([explained], undefined, 2)]
}

function answerOf({ described }: BoundStatement, lines: readonly string[]): Answer {
  const rows = readyRows(lines.map((line) => textRow([line])))
  return { fields: described.fields, rows, tag: () => 'EXPLAIN' }
}
