import { ByteWriter } from '../base/byte-writer.ts'
import { Bug } from '../base/pg-error.ts'
import { type ActualRun, type Explained, linesOf, remotePlan } from '../plan/explained-plan.ts'
import type { PushdownRoute } from '../plan/plan.ts'
import { findCalls } from '../sql/call-sites.ts'
import { type ExplainCommand, explainCommand } from '../sql/session-commands.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { type Answer, readyRows } from './answer.ts'
import {
  type BoundStatement,
  bindStatement,
  type RunnableStatement,
  type RunStatement,
} from './bound-statement.ts'
import { withoutStandIns } from './call-stand-ins.ts'
import { runCallsAnywhere } from './calls-anywhere.ts'
import { mustBe, notSupported } from './client-error.ts'
import { companionText } from './companion-text.ts'
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
  readonly bound: RunnableStatement
  readonly command: ExplainCommand
  readonly explained: ParsedStatement
  readonly described: Described
  readonly isSole: boolean
  readonly runStatement: RunStatement
}

/**
 * EXPLAIN: of what the companion runs by itself its plan, of what is emulated the plan over loaded rows and what is loaded, of what Spanner runs one node.
 */
export async function runExplain(
  state: SessionState,
  bound: RunnableStatement,
  { isSole, runStatement }: Pick<ExplainRun, 'isSole' | 'runStatement'>,
): Promise<Answer> {
  const { statement } = bound
  const command = mustBe(explainCommand(statement.text, statement.node))
  const { text, query, analyze, format } = command
  const isDml = ['InsertStmt', 'UpdateStmt', 'DeleteStmt'].some((name) => name in query)
  const isQuery = 'SelectStmt' in query && query.SelectStmt.intoClause === undefined
  if (!isQuery && !isDml) return refuseStatement(state, statement)
  const explained = mustBe(parseStatements(text)[0])
  const described = await describeStatement(state, explained, bound.described.paramTypes)
  const route = described.plan?.route
  if (route?.kind === 'catalog') return explainCatalog(state, bound, { command, explained })
  if (route === undefined || route.kind === 'unsupported') return refuseStatement(state, statement)
  if (format !== 'text' && format !== 'json') {
    throw notSupported('EXPLAIN of tables in this format', 'FORMAT TEXT and JSON there are.')
  }
  const calls = route.kind === 'emulate' && route.callsPerformed
  if (analyze && calls) return refuseStatement(state, statement)
  const run = { bound, command, explained, described, isSole, runStatement }
  return route.kind === 'pushdown' ? explainRemote(state, run, route) : explainLoads(state, run)
}

async function explainCatalog(
  state: SessionState,
  bound: RunnableStatement,
  { command, explained }: Pick<ExplainRun, 'command' | 'explained'>,
): Promise<Answer> {
  // The proxy calls these, not the companion.
  const callsProxy = findCalls(command.text, explained.node, isSessionFunction).length > 0
  if (!callsProxy) return runQuery(state, bound, false)
  return command.analyze ? refuseStatement(state, bound.statement) : explainCalls(state, bound)
}

/** Nothing is called: functions that the companion would not let anybody call have stand-ins. */
async function explainCalls(state: SessionState, bound: RunnableStatement): Promise<Answer> {
  const { text } = await companionText(state, bound.statement, false)
  const plan = mustBe(bound.described.plan)
  const { rows } = await runCallsAnywhere(
    state,
    () => text,
    (run) => rowsFromCompanion(state, { bound, plan, ...run }),
  )
  return { fields: plan.fields, rows: readyRows(withoutStandIns(rows)), tag: () => 'EXPLAIN' }
}

/** Spanner runs it: the companion says what PostgreSQL expects of the result. */
async function explainRemote(
  state: SessionState,
  run: ExplainRun,
  route: PushdownRoute,
): Promise<Answer> {
  const { bound, command } = run
  const plan = mustBe(bound.described.plan)
  const inText = { bound: { ...bound, resultFormats: [] }, plan }
  // PostgreSQL reads the options first.
  await rowsFromCompanion(state, { ...inText, text: `${command.head}SELECT` })
  const options = ['verbose', 'costs', 'summary'] as const
  const list = options.map((option) => `${option} ${command[option] ? 'on' : 'off'}`).join(', ')
  const text = `EXPLAIN (${list}, format json) ${command.text}`
  const { rows } = await rowsFromCompanion(state, { ...inText, text })
  const actual = command.analyze ? await analyzeRemote(state, run) : undefined
  const { run: found, executionMs } = actual ?? {}
  const explained = remotePlan(explainedIn(rows), route, found)
  const told =
    command.summary && actual ? { ...explained, 'Execution Time': executionMs } : explained
  return answerOf(bound, command.format === 'text' ? linesOf(told) : jsonOf(told))
}

interface Analyzed {
  readonly run: ActualRun
  readonly executionMs: number
}

/** Runs the statement as by itself; its rows go nowhere. */
async function analyzeRemote(
  state: SessionState,
  { bound, command, explained, described, isSole, runStatement }: ExplainRun,
): Promise<Analyzed> {
  const startedAt = performance.now()
  const elapsed = () => Math.round((performance.now() - startedAt) * 1_000) / 1_000
  const target = { statement: explained, described }
  const inner = await bindStatement(state, target, bound.params, [])
  const answer = await runStatement(state, { ...inner, statement: explained }, isSole)
  const output = new ByteWriter()
  let firstRowMs: number | undefined
  const relieve = () => {
    firstRowMs ??= elapsed()
    output.truncate(0)
    return undefined
  }
  const written = await answer.rows?.write({ output, relieve, flush: async () => undefined }, 0)
  const rowCount = written?.rowCount ?? 0
  const totalMs = elapsed()
  const times = command.timing ? { firstRowMs: firstRowMs ?? totalMs, totalMs } : undefined
  const writtenCount = Number(answer.tag(BigInt(rowCount)).split(' ').at(-1))
  return { run: { times, rowCount, writtenCount }, executionMs: totalMs }
}

/** A PostgreSQL runs it over rows that Spanner gives. */
async function explainLoads(
  state: SessionState,
  { bound, command, explained, described, isSole }: ExplainRun,
): Promise<Answer> {
  const inner = await bindStatement(state, { statement: explained, described }, bound.params, [])
  const plan = mustBe(inner.described.plan)
  if (plan.route.kind !== 'emulate') throw new Bug('an emulated statement is not any more')
  const run = { bound: inner, statement: explained, plan, route: plan.route, isSole }
  const told = await explainEmulated(state, run, command)
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
