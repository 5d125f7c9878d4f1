import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ReadAnswer } from '../companion/companion-types.ts'
import { findCallSites } from '../sql/call-sites.ts'
import {
  deallocateCommand,
  type ExecuteArgument,
  executeCommand,
  prepareCommand,
} from '../sql/prepared-commands.ts'
import { discardCommand } from '../sql/session-commands.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import { splitDataRow } from '../wire/data-row.ts'
import type { Format } from '../wire/field-description.ts'
import { type Answer, tagOnly } from './answer.ts'
import { type BoundStatement, bindStatement } from './bound-statement.ts'
import { evaluateInOrder } from './calls-in-order.ts'
import { mustBe, withFields } from './client-error.ts'
import { companionText } from './companion-text.ts'
import { describeStatement } from './describe.ts'
import { mustFindPrepared, storePrepared } from './prepared-statement.ts'
import { preventInBlock } from './run-transaction.ts'
import { doesSomething, isSessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'
import { textWithSessionValues, withoutMark } from './session-values.ts'
import { discardTemporary } from './temporary-tables.ts'

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
  if (command.args.length !== paramTypes.length) {
    throw new PgError(
      SQL_STATE.syntaxError,
      `wrong number of parameters for prepared statement "${command.name}"`,
      {
        detail: `Expected ${paramTypes.length} parameters but got ${command.args.length}.`,
      },
    )
  }
  const values = await computeArguments(state, command.args, paramTypes)
  return bindStatement(state, prepared, { formats: [1], values }, resultFormats)
}

async function computeArguments(
  state: SessionState,
  args: readonly ExecuteArgument[],
  types: readonly number[],
): Promise<readonly (Buffer | null)[]> {
  if (args.length === 0) return []
  const names = await typeNames(state, types)
  const casts = args.map((arg, index) => `CAST((${arg.text}) AS ${names[index]})`)
  const [select] = parseStatements(`${SELECT}${casts.join(SEPARATOR)}`)
  const { text, node } = await companionText(state, mustBe(select), false)
  const { once } = findCallSites(text, node, isSessionFunction)
  const sites = once.some(({ name }) => doesSomething(name)) ? once : []
  const read = (evaluated: string) => readArguments(state, evaluated)
  const answer = await evaluateInOrder(state, { text, sites }, read).catch((error: unknown) => {
    throw error instanceof PgError ? inExecute(error, args, casts) : error
  })
  const [row] = answer.rows
  return row === undefined ? [] : splitDataRow(row)
}

async function readArguments(state: SessionState, text: string): Promise<ReadAnswer> {
  const reading = state.database.companion.read({
    text: await textWithSessionValues(state, text),
    paramTypes: [],
    paramFormats: [],
    params: [],
    resultFormats: [1],
    session: state.context(),
    signal: state.scope.signal,
  })
  return reading.catch((error: unknown) => {
    throw withoutMark(error)
  })
}

const SELECT = 'SELECT '
const CAST = 'CAST(('
const SEPARATOR = ', '

/** An error in the SELECT of the arguments points into the EXECUTE instead: to its place in the argument, or to the whole of it. */
function inExecute(
  error: PgError,
  args: readonly ExecuteArgument[],
  casts: readonly string[],
): PgError {
  const { position } = error.fields
  if (position === undefined) return error
  let castStart = SELECT.length
  for (const [index, { text, offset }] of args.entries()) {
    const castEnd = castStart + [...(casts[index] ?? '')].length
    if (position <= castEnd) {
      const inside = position - castStart - CAST.length
      const isInside = inside >= 1 && inside <= [...text].length
      return withFields(error, { position: offset + (isInside ? inside : 1) })
    }
    castStart = castEnd + SEPARATOR.length
  }
  return error
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
export async function runDiscard(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  const { target } = mustBe(discardCommand(statement.node))
  if (target === 'all') {
    preventInBlock(state, 'DISCARD ALL')
    state.prepared.clear()
    for (const portal of state.portals.values()) portal.close()
    state.portals.clear()
    state.settings.resetAll()
    state.notifications.unlisten(undefined)
    state.locks.releaseAll()
  }
  if (target === 'all' || target === 'sequences') state.sequences.forget()
  if (target === 'all' || target === 'temp') await discardTemporary(state)
  return tagOnly(statement.tag)
}
