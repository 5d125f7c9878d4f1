import type { RowBatch, RowStream, SpannerParam, SpannerStatement } from '../backend/backend.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { Bug, type PgError } from '../base/pg-error.ts'
import { unreachable } from '../base/unreachable.ts'
import type { CatalogRoute, Plan, PushdownRoute } from '../plan/plan.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import type { RowsSeen } from '../transaction/rows-seen.ts'
import { type CellWriter, cellWriter } from '../types/cell-writer.ts'
import { beginDataRow, endDataRow } from '../wire/backend-messages.ts'
import { type Answer, formatAt, type RowSource, tagOnly, whenRun } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { carryWrite } from './carried-write.ts'
import { companionText } from './companion-text.ts'
import { inDeclaredIntegers } from './declared-integers.ts'
import { explainFailedWrite } from './failed-write.ts'
import { readFromCompanion } from './read-from-companion.ts'
import { recordDraws } from './record-draws.ts'
import { type EmulatedRun, runEmulated } from './run-emulated.ts'
import { orEmulated } from './run-fallback.ts'
import { runWithCallsOverTables, runWithSessionFunctions } from './run-session-functions.ts'
import type { SessionState } from './session-state.ts'
import { mayAskForSession } from './session-values.ts'

/** Runs SELECT, VALUES, INSERT, UPDATE, DELETE by the route that their plan found. */
export async function runQuery(
  state: SessionState,
  bound: BoundStatement,
  isSole: boolean,
): Promise<Answer> {
  const { statement } = bound
  const { plan } = bound.described
  if (plan === undefined || statement === undefined) throw new Bug('a query without a plan')
  for (const notice of plan.notices) state.notice(notice)
  state.block.noteQuery()
  const { route } = plan
  switch (route.kind) {
    case 'unsupported':
      return runUnsupported(state, { bound, statement, plan, isSole }, route.error)
    case 'catalog':
      return runCatalog(state, { bound, statement, plan, route })
    case 'pushdown':
      return runPushdown(state, { bound, plan, route, isSole })
    case 'emulate':
      return runEmulation(state, { bound, statement, plan, route, isSole })
    default:
      return unreachable(route)
  }
}

function runEmulation(state: SessionState, run: EmulatedRun): Answer {
  const byRow = run.route.callsPerformed && runByRow(state, run)
  if (byRow) return byRow
  const { fields, rows } = runEmulated(state, run)
  if (rows === undefined) throw new Bug('an emulation without rows')
  const sql = run.route.loads.map(({ read }) => read.sql).join('; ')
  return {
    fields,
    rows: orEmulated(state, { bound: run.bound, sql, isSole: run.isSole }, rows),
    tag: (rowCount) => `SELECT ${rowCount}`,
  }
}

/** undefined where the session's functions do not stand alone in the select list, or are not called at all. */
function runByRow(state: SessionState, run: UnsupportedRun): Answer | undefined {
  return runWithCallsOverTables(state, run, (bound) => runQuery(state, bound, run.isSole))
}

interface CatalogRun {
  readonly bound: BoundStatement
  readonly statement: ParsedStatement
  readonly plan: Plan
  readonly route: CatalogRoute
}

async function runCatalog(state: SessionState, run: CatalogRun): Promise<Answer> {
  const { bound, plan, route } = run
  const statement = await companionText(state, run.statement, route.mustExpandViews)
  const viaFunctions = runWithSessionFunctions(state, { bound, plan, statement, route })
  if (viaFunctions !== undefined) return viaFunctions
  const read = () => readFromCompanion(state, { text: statement.text, bound, plan })
  return mayAskForSession(statement.text) ? whenRun(plan.fields, read) : read()
}

interface UnsupportedRun {
  readonly bound: BoundStatement
  readonly statement: ParsedStatement
  readonly plan: Plan
  readonly isSole: boolean
}

async function runUnsupported(
  state: SessionState,
  run: UnsupportedRun,
  refusal: PgError,
): Promise<Answer> {
  const answer =
    runByRow(state, run) ??
    (await carryWrite(state, { ...run, refusal }, (bound, isSole) =>
      runQuery(state, bound, isSole),
    ))
  if (answer === undefined) throw refusal
  return answer
}

interface PushdownRun {
  readonly bound: BoundStatement
  readonly plan: Plan
  readonly route: PushdownRoute
  readonly isSole: boolean
}

async function runPushdown(state: SessionState, run: PushdownRun): Promise<Answer> {
  const { bound, plan, route } = run
  const isDml = route.command !== 'SELECT'
  if (isDml && run.isSole && isPartitioned(state, run)) return runPartitioned(state, run)
  const { refusal } = bound
  if (refusal !== undefined) {
    return whenRun(plan.fields, async () => {
      throw refusal
    })
  }
  // nextval() fails where the first row is made: PostgreSQL has told the columns by then.
  if (isDrawingQuery(route)) return whenRun(plan.fields, () => sendPushdown(state, run))
  return sendPushdown(state, run)
}

/** A SELECT that draws from sequences. */
function isDrawingQuery({ command, draws }: PushdownRoute): boolean {
  return command === 'SELECT' && draws !== undefined
}

async function sendPushdown(state: SessionState, run: PushdownRun): Promise<Answer> {
  const { bound, plan, route } = run
  const isDml = route.command !== 'SELECT'
  const answered = await execute(state, run).catch(async (error: unknown) => {
    throw await explainFailedWrite(state, bound, inDeclaredIntegers(error, route))
  })
  const stream = await recordDraws(state, route, answered)
  if (plan.fields === undefined) {
    await drain(stream)
    return { fields: undefined, rows: undefined, tag: () => dmlTag(route, stream.rowCount()) }
  }
  const formats = state.formatSettings()
  const writers = route.columns.map((column, index) =>
    cellWriter(column, formatAt(bound.resultFormats, index), formats),
  )
  const rows = speakingOfIntegers(streamRows(stream, writers), route)
  return {
    fields: plan.fields,
    rows: isDml
      ? rows
      : orEmulated(state, { ...run, sql: route.sql, saysLess: route.saysLess }, rows),
    tag: (rowCount) => (isDml ? dmlTag(route, rowCount) : `SELECT ${rowCount}`),
  }
}

/** The same rows, whose errors name the types of the client. */
function speakingOfIntegers(rows: RowSource, route: PushdownRoute): RowSource {
  if (route.integerName === undefined) return rows
  return {
    write: (sink, maxRows) =>
      rows.write(sink, maxRows).catch((error: unknown) => {
        throw inDeclaredIntegers(error, route)
      }),
    close: () => rows.close(),
  }
}

function execute(
  state: SessionState,
  { bound, plan, route, isSole }: PushdownRun,
): Promise<RowStream> {
  return state.block.execute(
    { sql: route.draws?.sql ?? route.sql, params: bound.spannerParams },
    {
      command: route.command,
      isDml: route.command !== 'SELECT',
      returnsRows: plan.fields !== undefined,
      locksRows: route.locksRows,
      draws: isDrawingQuery(route) ? 'with rows' : undefined,
      written: route.written?.table,
      writesDrawn: route.writesDrawn,
      isOrdered: route.isOrdered,
      requestTag: state.settings.get('spanner.statement_tag') || undefined,
      isSole,
      again: (rows) => sendAgain(route, bound.spannerParams, rows),
    },
    state.scope.callOptions(),
  )
}

/** The statement with what Spanner drew in it bound as values, where that is all there. */
function sendAgain(
  { again }: PushdownRoute,
  params: readonly SpannerParam[],
  rows: RowsSeen,
): SpannerStatement | undefined {
  if (again === undefined || rows.rowCount !== again.rowCount) return undefined
  const cells = rows.cells()
  if (cells === undefined) return undefined
  const drawn = again.params.map(({ row, column, type }) => {
    const value = cells[row]?.[column]
    if (value === undefined) throw new Bug('RETURNING has fewer columns than its plan')
    return { type, value }
  })
  return { sql: again.sql, params: [...params, ...drawn] }
}

/** A backend that cannot cut DML in pieces runs it as one piece, in a transaction. */
function isPartitioned(state: SessionState, { plan, route }: PushdownRun): boolean {
  return (
    state.database.backend.capabilities.partitionedDml &&
    state.settings.get('spanner.autocommit_dml_mode') === 'PARTITIONED_NON_ATOMIC' &&
    route.command !== 'INSERT' &&
    plan.fields === undefined
  )
}

async function runPartitioned(state: SessionState, { bound, route }: PushdownRun): Promise<Answer> {
  const count = await state.block.executePartitioned(
    { sql: route.sql, params: bound.spannerParams },
    {
      command: route.command,
      requestTag: state.settings.get('spanner.statement_tag') || undefined,
    },
    state.scope.callOptions(),
  )
  return tagOnly(dmlTag(route, count))
}

/** CommandComplete's tag of INSERT, UPDATE and DELETE. */
export function dmlTag(route: PushdownRoute, count: bigint | undefined): string {
  if (count === undefined) throw new Bug('DML ended without a row count')
  return route.command === 'INSERT' ? `INSERT 0 ${count}` : `${route.command} ${count}`
}

async function drain(stream: RowStream): Promise<void> {
  while ((await stream.next()) !== undefined);
}

/** One DataRow message. */
function writeRow(
  output: ByteWriter,
  batch: RowBatch,
  { row, writers }: { readonly row: number; readonly writers: readonly CellWriter[] },
): void {
  const offset = beginDataRow(output, writers.length)
  let cell = row * writers.length
  for (const write of writers) {
    write(output, batch.bytes, batch.starts[cell] ?? 0, batch.ends[cell] ?? 0)
    cell++
  }
  endDataRow(output, offset)
}

/** Rows of Spanner, from encoded values to DataRow messages without anything in between. */
function streamRows(stream: RowStream, writers: readonly CellWriter[]): RowSource {
  let batch: RowBatch | undefined
  let row = 0
  let isDone = false
  const advance = async (): Promise<RowBatch | undefined> => {
    while (!isDone && (batch === undefined || row >= batch.rowCount)) {
      batch = await stream.next()
      row = 0
      if (batch === undefined) isDone = true
      else if (batch.rowCount > 0 && batch.columnCount !== writers.length) {
        throw new Bug(`Spanner sent ${batch.columnCount} columns, the plan has ${writers.length}`)
      }
    }
    return isDone ? undefined : batch
  }
  return {
    async write(sink, maxRows) {
      let rowCount = 0
      for (;;) {
        // As PostgreSQL: a portal that gave just as many rows as asked for does not know yet that it is at its end.
        if (maxRows > 0 && rowCount >= maxRows) return { rowCount, isDone: false }
        const current = await advance()
        if (current === undefined) return { rowCount, isDone: true }
        const { length } = sink.output
        try {
          writeRow(sink.output, current, { row, writers })
        } catch (error) {
          // A value that its type cannot have: what there is of the row must not go out before the error.
          sink.output.truncate(length)
          stream.cancel()
          throw error
        }
        row++
        rowCount++
        const relief = sink.relieve()
        if (relief !== undefined) await relief
      }
    },
    close() {
      isDone = true
      stream.cancel()
    },
  }
}
