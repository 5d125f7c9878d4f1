import { emulationEvents } from '../base/channels.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { LoadedAnswer, LoadedReadRequest } from '../companion/companion-types.ts'
import { addLoad, type LoadedRows, NOTHING_LOADED } from '../emulate/load-rows.ts'
import { keysOf } from '../emulate/scratch-schema.ts'
import type { EmulateRoute, Load, Plan } from '../plan/plan.ts'
import { findCalls, inPlaceOfCall, replaceSites } from '../sql/call-sites.ts'
import type { ExplainCommand } from '../sql/session-commands.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { type Answer, readyRows, whenRun } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { withoutStandIns } from './call-stand-ins.ts'
import { runCallsAnywhere } from './calls-anywhere.ts'
import { notSupported } from './client-error.ts'
import { companionText } from './companion-text.ts'
import { noticesBeside } from './notices-beside.ts'
import { ownSetting } from './own-settings.ts'
import { rowsFromCompanion } from './read-from-companion.ts'
import type { SessionState } from './session-state.ts'
import { isSessionValue, mayAskForSession, sessionValueType } from './session-values.ts'
import { contextWithViews } from './session-views.ts'
import { sizeInBytes } from './setting-kinds.ts'
import { catalogSource, TemporaryTables } from './temporary-tables.ts'

/** A SELECT that Spanner cannot run. */
export interface EmulatedRun {
  readonly bound: BoundStatement
  readonly statement: ParsedStatement
  readonly plan: Plan
  readonly route: EmulateRoute
  readonly isSole: boolean
}

/** Loads the rows that a SELECT needs, in the client's transaction, and runs it over them in a PostgreSQL of ours. */
export function runEmulated(state: SessionState, run: EmulatedRun): Answer {
  if (ownSetting(state.settings, 'spanwire.emulation') === 'off') throw run.route.refusal
  return whenRun(run.plan.fields, () => loadAndRun(state, run))
}

async function loadAndRun(state: SessionState, run: EmulatedRun): Promise<Answer> {
  const { bound, plan, route } = run
  if (bound.refusal !== undefined) throw bound.refusal
  const startedAt = performance.now()
  const loaded = await loadAll(state, run)
  const answer = await runWithCalls(state, run, loaded)
  for (const notice of noticesBeside(plan, answer.notices)) state.notice(notice)
  tell(state, run, loaded)
  emulationEvents.publish({
    connId: state.io.processId,
    name: route.name,
    rows: loaded.rowCount,
    sizeBytes: loaded.sizeBytes,
    durationMs: performance.now() - startedAt,
  })
  const rows = readyRows(answer.rows, answer.error)
  return { fields: plan.fields, rows, tag: (rowCount) => `SELECT ${rowCount}` }
}

/** The plan of the statement over its tables, and what is loaded into them. */
export interface ExplainedEmulation {
  readonly rows: readonly Buffer[]
  readonly loads: readonly { readonly name: string; readonly sql: string }[]
}

/** Lets the PostgreSQL that would run the statement explain it, over the rows where it is run. */
export async function explainEmulated(
  state: SessionState,
  run: EmulatedRun,
  { head, analyze }: ExplainCommand,
): Promise<ExplainedEmulation> {
  if (ownSetting(state.settings, 'spanwire.emulation') === 'off') throw run.route.refusal
  const loaded = analyze ? await loadAll(state, run) : NOTHING_LOADED
  const { rows: told, error } = await runWithCalls(state, run, { ...loaded, head })
  if (error !== undefined) throw error
  const rows = run.route.callsPerformed ? withoutStandIns(told) : told
  if (analyze) tell(state, run, loaded)
  return {
    rows,
    loads: run.route.loads.map((load) => ({ name: nameOfLoaded(load), sql: load.read.sql })),
  }
}

/** `head`: what stands before the statement in EXPLAIN. */
async function runWithCalls(
  state: SessionState,
  run: EmulatedRun,
  { head = '', ...loaded }: LoadedRows & { readonly head?: string },
): Promise<LoadedAnswer> {
  const write = async () => `${head}${await textOverRows(state, run)}`
  if (!run.route.callsPerformed) return runInPlace(state, run, { ...loaded, text: await write() })
  return runCallsAnywhere(state, write, (statement) =>
    runInPlace(state, run, { ...loaded, ...statement }),
  )
}

async function runInPlace(
  state: SessionState,
  { bound, plan, route }: EmulatedRun,
  { tables, text, standIns }: LoadedRows & Pick<LoadedReadRequest, 'text' | 'standIns'>,
): Promise<LoadedAnswer> {
  const { schema, scratch, mirrorRows } = state.database
  const request = {
    tables,
    locksRows: route.loads.some(({ read }) => read.locksRows),
    text,
    standIns,
    paramTypes: plan.paramTypes,
    paramFormats: bound.params.formats,
    params: bound.params.values,
    resultFormats: bound.resultFormats,
    session: contextWithViews(state, route.views),
    signal: state.scope.signal,
  }
  if (route.place === 'scratch') {
    const version = { version: schema.current.version, declared: schema.declared }
    const results = route.loads.filter(({ result }) => result !== undefined)
    const keys = keysOf(route.relations)
    return scratch.run({ ...request, schema: version, keys, results })
  }
  const isTemporary = route.place === 'temporary'
  const reader = isTemporary ? (await TemporaryTables.of(state)).pinned : catalogSource(state)
  const loaded = route.loads.map(({ table, changed }) => changed?.stored ?? table)
  return mirrorRows.run(reader, { ...request, loaded })
}

/** The statement as it is run over rows: where sequences are no part of that, the companion says what currval() is. */
async function textOverRows(state: SessionState, run: EmulatedRun): Promise<string> {
  const { bound, plan, statement, route } = run
  const [written = statement] = route.text === undefined ? [] : parseStatements(route.text)
  const { text, node } = await companionText(state, written, route.mustExpandViews)
  if (!mayAskForSession(text)) return text
  const sites = findCalls(text, node, isSessionValue)
  if (sites.length === 0) return text
  const calls = sites.map(({ start, end }) => Buffer.from(text).toString('utf8', start, end))
  const casts = calls.map((call) => `CAST(${call} AS pg_catalog.text)`)
  const computed = { ...bound, resultFormats: [] }
  const answer = await rowsFromCompanion(state, {
    text: `SELECT ${casts.join(', ')}`,
    bound: computed,
    plan,
  }).catch((error: unknown) => {
    throw dependsOnRows(error) ? ofRows() : error
  })
  const [row] = answer.rows
  const values = row === undefined ? [] : splitDataRow(row)
  return replaceSites(text, sites, (site) => {
    const value = values[sites.indexOf(site)]?.toString()
    const literal = value === undefined ? 'NULL' : `'${value}'`
    return inPlaceOfCall(site, `CAST(${literal} AS pg_catalog.${sessionValueType(site.name)})`)
  })
}

/** A column in an argument: the companion has no row to take it from. */
function dependsOnRows(error: unknown): boolean {
  const codes: readonly string[] = [SQL_STATE.undefinedColumn, SQL_STATE.undefinedTable]
  return (
    error instanceof PgError && codes.includes(error.code) && error.fields.position !== undefined
  )
}

function ofRows(): PgError {
  return notSupported('currval() of what a row holds, over tables', 'Name the sequence.')
}

async function loadAll(state: SessionState, run: EmulatedRun): Promise<LoadedRows> {
  const bounds = {
    maxRows: Number(ownSetting(state.settings, 'spanwire.emulation_max_rows')),
    maxBytes: sizeInBytes(ownSetting(state.settings, 'spanwire.emulation_max_bytes')) ?? 0,
  }
  let loaded = NOTHING_LOADED
  for (const [index, load] of run.route.loads.entries()) {
    const stream = await state.block.load(
      { sql: load.read.sql, params: run.bound.loadParams[index] ?? [] },
      {
        locksRows: load.read.locksRows,
        isSole: run.isSole,
        isOnly: run.route.loads.length === 1,
        requestTag: state.settings.get('spanner.statement_tag') || undefined,
      },
      state.scope.callOptions(),
    )
    loaded = await addLoad(loaded, load, stream, bounds)
  }
  return loaded
}

/** Counts it, and tells the client once for each text. */
function tell(
  state: SessionState,
  { route, statement }: EmulatedRun,
  { rowCount }: LoadedRows,
): void {
  state.database.emulations.add(route.name, { text: statement.text, rows: rowCount })
  if (ownSetting(state.settings, 'spanwire.emulation') !== 'notice') return
  if (
    route.loads.every(({ isSequence }) => isSequence === true) ||
    !state.emulationsTold.tell(statement.text)
  )
    return
  const tables = route.loads.map(nameOfLoaded).join(', ')
  state.notice({
    severity: 'NOTICE',
    code: SQL_STATE.successfulCompletion,
    message: `emulated ${route.name} over ${rowCount} ${rowCount === 1 ? 'row' : 'rows'} of ${tables}`,
    hint: `${route.refusal.message}. SET spanwire.emulation = 'on' runs such statements without a word.`,
  })
}

function nameOfLoaded({ table, result }: Load): string {
  if (result === undefined) return `"${table.name}"`
  return `a query of ${result.tables.map((name) => `"${name}"`).join(', ')}`
}
