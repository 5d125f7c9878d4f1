import { emulationEvents } from '../base/channels.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { addLoad, type LoadedRows, NOTHING_LOADED } from '../emulate/load-rows.ts'
import { keysOf } from '../emulate/scratch-schema.ts'
import type { EmulateRoute, Plan } from '../plan/plan.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { type Answer, readyRows, whenRun } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { companionText } from './companion-text.ts'
import { ownSetting, sizeInBytes } from './own-settings.ts'
import type { SessionState } from './session-state.ts'

/** A SELECT that Spanner cannot run. */
export interface EmulatedRun {
  readonly bound: BoundStatement
  readonly statement: ParsedStatement
  readonly plan: Plan
  readonly route: EmulateRoute
  readonly isSole: boolean
}

/** Loads the rows that a SELECT needs into a scratch database, in the client's transaction, and runs it there. */
export function runEmulated(state: SessionState, run: EmulatedRun): Answer {
  if (ownSetting(state.settings, 'spanwire.emulation') === 'off') throw run.route.refusal
  return whenRun(run.plan.fields, () => loadAndRun(state, run))
}

async function loadAndRun(state: SessionState, run: EmulatedRun): Promise<Answer> {
  const { bound, statement, plan, route } = run
  const { schema, scratch } = state.database
  const startedAt = performance.now()
  const loaded = await loadAll(state, run)
  const answer = await scratch.run({
    schema: { version: schema.current.version, declared: schema.declared },
    keys: keysOf(route.relations),
    tables: loaded.tables,
    locksRows: route.loads.some(({ read }) => read.locksRows),
    text: (await companionText(state, statement, route.hasMomentInView)).text,
    paramTypes: plan.paramTypes,
    paramFormats: bound.params.formats,
    params: bound.params.values,
    resultFormats: bound.resultFormats,
    session: state.context(),
    signal: state.scope.signal,
  })
  for (const notice of answer.notices) state.notice(notice)
  tell(state, run, loaded)
  emulationEvents.publish({
    connId: state.io.processId,
    name: route.name,
    rows: loaded.rowCount,
    sizeBytes: loaded.sizeBytes,
    durationMs: performance.now() - startedAt,
  })
  return { fields: plan.fields, rows: readyRows(answer.rows, answer.error), tag: () => answer.tag }
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
  if (!state.emulationsTold.tell(statement.text)) return
  const tables = route.loads.map(({ table }) => `"${table.name}"`).join(', ')
  state.notice({
    severity: 'NOTICE',
    code: SQL_STATE.successfulCompletion,
    message: `emulated ${route.name} over ${rowCount} ${rowCount === 1 ? 'row' : 'rows'} of ${tables}`,
    hint: `${route.refusal.message}. SET spanwire.emulation = 'on' runs such statements without a word.`,
  })
}
