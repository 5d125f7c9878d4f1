import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { deallocateCommand, executeCommand, prepareCommand } from '../sql/prepared-commands.ts'
import { discardCommand } from '../sql/session-commands.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { splitDataRow } from '../wire/data-row.ts'
import type { Format } from '../wire/field-description.ts'
import { type Answer, tagOnly } from './answer.ts'
import { type BoundStatement, bindStatement } from './bound-statement.ts'
import { mustBe } from './client-error.ts'
import { describeStatement } from './describe.ts'
import { mustFindPrepared, storePrepared } from './prepared-statement.ts'
import { preventInBlock } from './run-transaction.ts'
import type { SessionState } from './session-state.ts'

/** PREPARE name [(types)] AS statement. */
export async function runPrepare(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  const command = mustBe(prepareCommand(statement.text, statement.node))
  const [inner] = parseStatements(command.text)
  const declaredTypes = await resolveTypes(state, command.argumentTypes)
  const described = await describeStatement(state, inner, declaredTypes)
  storePrepared(state, {
    name: command.name,
    statement: inner,
    declaredTypes,
    described,
    fromSql: true,
  })
  return tagOnly(statement.tag)
}

/** The OIDs of type names as PREPARE writes them. */
async function resolveTypes(
  state: SessionState,
  names: readonly string[],
): Promise<readonly number[]> {
  if (names.length === 0) return []
  const analysis = await state.database.companion.analyse({
    text: `SELECT ${names.map((name) => `NULL::${name}`).join(', ')}`,
    paramTypes: [],
    session: state.context(),
    signal: state.scope.signal,
  })
  return (analysis.fields ?? []).map((field) => field.typeOid)
}

/** EXECUTE name [(expressions)]: binds the values that the companion computes, and gives what is to be run. */
export async function bindExecute(
  state: SessionState,
  statement: ParsedStatement,
  resultFormats: readonly Format[],
): Promise<BoundStatement> {
  const command = mustBe(executeCommand(statement.text, statement.node))
  const prepared = mustFindPrepared(state, command.name)
  const { paramTypes } = prepared.described
  if (command.argumentTexts.length !== paramTypes.length) {
    throw new PgError(
      SQL_STATE.syntaxError,
      `wrong number of parameters for prepared statement "${command.name}"`,
      {
        detail: `Expected ${paramTypes.length} parameters but got ${command.argumentTexts.length}.`,
      },
    )
  }
  const values = await computeArguments(state, command.argumentTexts, paramTypes)
  return bindStatement(state, prepared, { formats: [1], values }, resultFormats)
}

async function computeArguments(
  state: SessionState,
  args: readonly string[],
  types: readonly number[],
): Promise<readonly (Buffer | null)[]> {
  if (args.length === 0) return []
  const names = await typeNames(state, types)
  const answer = await state.database.companion.read({
    text: `SELECT ${args.map((arg, index) => `CAST((${arg}) AS ${names[index]})`).join(', ')}`,
    paramTypes: [],
    paramFormats: [],
    params: [],
    resultFormats: [1],
    session: state.context(),
    signal: state.scope.signal,
  })
  const [row] = answer.rows
  return row === undefined ? [] : splitDataRow(row)
}

async function typeNames(
  state: SessionState,
  types: readonly number[],
): Promise<readonly string[]> {
  const rows = await state.database.companion.service(
    'SELECT pg_catalog.format_type(oid, NULL) AS name FROM unnest($1::oid[]) WITH ORDINALITY AS t(oid, n) ORDER BY n',
    [`{${types.join(',')}}`],
  )
  return rows.map((row) => row['name'] ?? 'text')
}

/** DEALLOCATE [PREPARE] {name | ALL}. */
export function runDeallocate(state: SessionState, statement: ParsedStatement): Answer {
  const { name } = mustBe(deallocateCommand(statement.node))
  if (name === undefined) state.prepared.clear()
  else {
    mustFindPrepared(state, name)
    state.prepared.delete(name)
  }
  return tagOnly(statement.tag)
}

/** DISCARD {ALL | PLANS | SEQUENCES | TEMP}. */
export function runDiscard(state: SessionState, statement: ParsedStatement): Answer {
  if (mustBe(discardCommand(statement.node)).target === 'all') {
    preventInBlock(state, 'DISCARD ALL')
    state.prepared.clear()
    for (const portal of state.portals.values()) portal.close()
    state.portals.clear()
    state.settings.resetAll()
    state.notifications.unlisten(undefined)
    state.locks.releaseAll()
  }
  return tagOnly(statement.tag)
}
