import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { namesMoment } from '../plan/moment-literals.ts'
import type { PlanRequest } from '../plan/planner.ts'
import type { LogicalSchema } from '../schema/logical-schema.ts'
import { executeCommand } from '../sql/prepared-commands.ts'
import { showCommand } from '../sql/session-commands.ts'
import { type ParsedStatement, parseStatements, SyntaxProblem } from '../sql/statement.ts'
import { mustBe } from './client-error.ts'
import { describeCursor } from './describe-cursor.ts'
import { isOwnName } from './own-settings.ts'
import { type Described, mustFindPrepared } from './prepared-statement.ts'
import { describeTemporary, isTemporary } from './run-temporary.ts'
import type { SessionState } from './session-state.ts'
import { EMULATION_FIELDS, isShownAsTable } from './show-emulations.ts'
import { TemporaryTables } from './temporary-tables.ts'
import { textField } from './text-answer.ts'

const NOTHING: Described = { paramTypes: [], fields: undefined, plan: undefined }

/** What Parse finds out about a statement before any value is known. */
export async function describeStatement(
  state: SessionState,
  statement: ParsedStatement | undefined,
  declaredTypes: readonly number[],
): Promise<Described> {
  const written = statement && (await withMoments(state, statement, declaredTypes))
  if (written === undefined || written === statement)
    return describeWritten(state, statement, { declaredTypes, isMomentary: false })
  const described = await describeWritten(state, written, { declaredTypes, isMomentary: true })
  return { ...described, written }
}

/** The statement with 'now' and its like as what they mean in the transaction. */
async function withMoments(
  state: SessionState,
  statement: ParsedStatement,
  declaredTypes: readonly number[],
): Promise<ParsedStatement> {
  const { category, text } = statement
  const { startMicros } = state.block
  const isAnalysed = category === 'query' || category === 'dml' || category === 'explain'
  if (!isAnalysed || startMicros === undefined || !namesMoment(text)) return statement
  const request = planRequest(state, statement, declaredTypes)
  const isOnes = await isTemporary(state, statement)
  const { pinned } = isOnes ? await TemporaryTables.of(state) : request
  const written = await state.database.planner.writeMoments({ ...request, pinned }, startMicros)
  return written === text ? statement : mustBe(parseStatements(written)[0])
}

interface Asked {
  readonly declaredTypes: readonly number[]
  /** The statement is of this moment alone. */
  readonly isMomentary: boolean
}

async function describeWritten(
  state: SessionState,
  statement: ParsedStatement | undefined,
  asked: Asked,
): Promise<Described> {
  const { declaredTypes } = asked
  if (statement !== undefined && (await isTemporary(state, statement))) {
    return describeTemporary(state, statement, declaredTypes)
  }
  switch (statement?.category) {
    case 'show': {
      const { name } = mustBe(showCommand(statement.node))
      if (isShownAsTable(name)) return { ...NOTHING, fields: EMULATION_FIELDS }
      if (isOwnName(name)) return { ...NOTHING, fields: [textField(name)] }
      return describeByPlan(state, statement, asked)
    }
    case 'query':
    case 'dml':
    case 'explain':
      return describeByPlan(state, statement, asked)
    case 'cursor':
      return describeCursor(state, statement, declaredTypes)
    case 'execute': {
      const { name } = mustBe(executeCommand(statement.text, statement.node))
      return { ...NOTHING, fields: mustFindPrepared(state, name).described.fields }
    }
    default:
      return NOTHING
  }
}

async function describeByPlan(
  state: SessionState,
  statement: ParsedStatement,
  { declaredTypes, isMomentary }: Asked,
): Promise<Described> {
  const asked = { ...planRequest(state, statement, declaredTypes), isMomentary }
  const request = { ...asked, schema: await schemaFor(state, statement) }
  const { planner } = state.database
  const plan = await planner.plan(request).catch((error: unknown) => {
    // A regclass may be that of a temporary table.
    const isUnknown = error instanceof PgError && error.code === SQL_STATE.undefinedTable
    const pinned = request.pinned === undefined ? state.temporary?.pinned : undefined
    if (!isUnknown || pinned === undefined) throw error
    return planner.plan({ ...request, pinned })
  })
  return { paramTypes: plan.paramTypes, fields: plan.fields, plan }
}

/** What the planner is asked about a statement of this session, as things stand. */
export function planRequest(
  state: SessionState,
  { text }: ParsedStatement,
  paramTypes: readonly number[],
): PlanRequest {
  const { pinned, plans, inSpanner, added } = state.ddl ?? {}
  return {
    text,
    paramTypes,
    session: state.context(),
    pinned,
    plans,
    schema: inSpanner?.logical,
    added,
    signal: state.scope.signal,
  }
}

/** The schema that Spanner will have when it gets the statement: what the transaction declared is made before it changes rows. */
async function schemaFor(
  { ddl, scope }: SessionState,
  { category }: ParsedStatement,
): Promise<LogicalSchema | undefined> {
  return category === 'dml' ? ddl?.declared(scope.callOptions()) : ddl?.inSpanner?.logical
}

/**
 * Splits a query string. What the parser does not take goes to PostgreSQL, whose words and position the client gets; where
 * PostgreSQL takes it after all, the parser's own complaint stands.
 */
export async function parseText(
  state: SessionState,
  text: string,
): Promise<readonly ParsedStatement[]> {
  try {
    return parseStatements(text)
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    await state.database.companion.analyse({
      text,
      paramTypes: [],
      session: state.context(),
      signal: state.scope.signal,
    })
    throw grammarError(error)
  }
}

function grammarError(cause: SyntaxProblem): PgError {
  const { message, position } = cause
  return new PgError(SQL_STATE.syntaxError, message, { position, cause })
}
