import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { deallocateCommand, executeCommand, prepareCommand } from '../sql/prepared-commands.ts'
import { discardCommand } from '../sql/session-commands.ts'
import { type ParsedStatement, parseStatements } from '../sql/statement.ts'
import type { Format } from '../wire/field-description.ts'
import { type Answer, tagOnly } from './answer.ts'
import { type BoundStatement, bindStatement } from './bound-statement.ts'
import { mustBe, shiftPosition } from './client-error.ts'
import { describeStatement } from './describe.ts'
import { executeArguments } from './execute-arguments.ts'
import { mustFindPrepared, storePrepared } from './prepared-statement.ts'
import { resolveTypes, revalidate } from './revalidate.ts'
import { preventInBlock } from './run-transaction.ts'
import type { SessionState } from './session-state.ts'
import { discardTemporary } from './temporary-tables.ts'

/** PREPARE name [(types)] AS statement. */
export async function runPrepare(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  const command = mustBe(prepareCommand(statement.text, statement.node))
  const [inner] = parseStatements(command.text)
  const types = await resolveTypes(state, command.argumentTypes)
  const described = await describeStatement(state, inner, types.declaredTypes).catch(
    (error: unknown) => {
      // PostgreSQL points into the whole PREPARE.
      const before = [...statement.text.slice(0, command.textOffset)].length
      throw error instanceof PgError ? shiftPosition(error, before) : error
    },
  )
  storePrepared(state, {
    name: command.name,
    statement: inner,
    ...types,
    described,
    fromSql: true,
  })
  return tagOnly(statement.tag)
}

/** EXECUTE name [(expressions)]: binds the values that the companion computes, and gives what is to be run. */
export async function bindExecute(
  state: SessionState,
  statement: ParsedStatement,
  resultFormats: readonly Format[],
): Promise<BoundStatement> {
  const command = mustBe(executeCommand(statement.text, statement.node))
  const prepared = await revalidate(state, mustFindPrepared(state, command.name))
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
  const types = paramTypes.map((type, index) => prepared.argumentTypes?.[index] ?? type)
  const values = await executeArguments(state, command.args, types)
  return bindStatement(state, prepared, values, resultFormats)
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
