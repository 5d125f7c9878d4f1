import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  writeBindComplete,
  writeCloseComplete,
  writeCommandComplete,
  writeEmptyQueryResponse,
  writeNoData,
  writeParameterDescription,
  writeParseComplete,
  writePortalSuspended,
  writeRowDescription,
} from '../wire/backend-messages.ts'
import type { FrontendMessage } from '../wire/frontend-message.ts'
import { bindStatement, checkBindCounts } from './bound-statement.ts'
import { runInClientBatch } from './client-batch.ts'
import { describeStatement, parseText } from './describe.ts'
import { isBatchable } from './dml-batch.ts'
import type { ImplicitUnit } from './implicit-unit.ts'
import { mustFindPortal, Portal, storePortal } from './portal.ts'
import { mustFindPrepared, type PreparedStatement, storePrepared } from './prepared-statement.ts'
import { revalidate } from './revalidate.ts'
import { checkNotFailed, runStatement } from './run-statement.ts'
import type { SessionState } from './session-state.ts'
import { readsSession } from './session-values.ts'
import { observeStatement } from './statement-events.ts'

type Message<K extends FrontendMessage['kind']> = Extract<FrontendMessage, { kind: K }>

/** exec_parse_message. */
export async function parseMessage(
  state: SessionState,
  message: Message<'Parse'>,
  unit: ImplicitUnit,
): Promise<void> {
  // What has a name outlives an error; after one, PostgreSQL would never have come here.
  if (message.statement !== '') await unit.runBatch()
  const statements = await parseText(state, message.text)
  const [statement] = statements
  if (statements.length > 1) {
    throw new PgError(
      SQL_STATE.syntaxError,
      'cannot insert multiple commands into a prepared statement',
    )
  }
  checkNotFailed(state, statement)
  state.block.startStatement()
  const described = await describeStatement(state, statement, message.paramTypes)
  storePrepared(state, {
    name: message.statement,
    statement,
    declaredTypes: message.paramTypes,
    described,
    fromSql: false,
  })
  writeParseComplete(state.io.output)
}

/** exec_bind_message. */
export async function bindMessage(
  state: SessionState,
  message: Message<'Bind'>,
  unit: ImplicitUnit,
): Promise<void> {
  if (message.portal !== '') await unit.runBatch()
  const prepared = await revalidate(state, mustFindPrepared(state, message.statement))
  const { statement, described, source } = prepared
  state.activity.run(source)
  const params = {
    portal: message.portal,
    formats: message.paramFormats,
    values: message.params,
  }
  checkBindCounts(params, { count: described.paramTypes.length, statement: prepared.name })
  const columnCount = described.fields?.length ?? 0
  if (message.resultFormats.length > 1 && message.resultFormats.length !== columnCount) {
    throw new PgError(
      SQL_STATE.protocolViolation,
      `bind message has ${message.resultFormats.length} result formats but query has ${columnCount} columns`,
    )
  }
  checkNotFailed(state, statement)
  state.block.startStatement()
  if (described.plan !== undefined && readsSession(described.plan)) await unit.runBatch()
  const bound = await bindStatement(state, { statement, described }, params, message.resultFormats)
  storePortal(state, new Portal(message.portal, bound, { level: state.block.savepointLevel }))
  writeBindComplete(state.io.output)
}

export function describeMessage(state: SessionState, message: Message<'Describe'>): void {
  const { output } = state.io
  if (message.target === 'portal') {
    const { bound } = mustFindPortal(state, message.name)
    writeFields(state, bound.described.fields, bound.resultFormats)
    return
  }
  const { described } = mustFindPrepared(state, message.name)
  writeParameterDescription(output, described.paramTypes)
  writeFields(state, described.fields, [])
}

function writeFields(
  state: SessionState,
  fields: PreparedStatement['described']['fields'],
  formats: Message<'Bind'>['resultFormats'],
): void {
  if (fields === undefined) writeNoData(state.io.output)
  else writeRowDescription(state.io.output, fields, formats)
}

/** exec_execute_message: runs a portal, or goes on with one that was suspended. */
export async function executeMessage(
  state: SessionState,
  message: Message<'Execute'>,
  unit: ImplicitUnit,
): Promise<void> {
  await executePortal(state, message, unit)
  state.block.statementExecuted()
}

async function executePortal(
  state: SessionState,
  message: Message<'Execute'>,
  unit: ImplicitUnit,
): Promise<void> {
  const portal = mustFindPortal(state, message.portal)
  const { statement } = portal.bound
  state.activity.run(statement?.text ?? '')
  if (statement === undefined) {
    writeEmptyQueryResponse(state.io.output)
    return
  }
  checkNotFailed(state, statement)
  if (portal.isDone && portal.answer?.fields === undefined) {
    throw new PgError(
      SQL_STATE.objectNotInPrerequisiteState,
      `portal "${portal.name}" cannot be run`,
    )
  }
  state.block.startStatement()
  const batchTag = await runInClientBatch(state, portal.bound, unit)
  if (batchTag !== undefined) {
    portal.isDone = true
    writeCommandComplete(state.io.output, batchTag)
    return
  }
  if (isBatchable(portal.bound)) {
    portal.isDone = true
    return unit.defer(portal.bound)
  }
  const isFirst = portal.answer === undefined
  const isSole =
    state.block.state === 'implicit' && unit.size === 0 && state.io.peek()?.kind === 'Sync'
  await observeStatement(state, portal.bound, async () => {
    const before = portal.rowsSent
    await unit.run(async () => {
      if (isFirst) {
        portal.rewind()
        portal.answer = await runStatement(state, { ...portal.bound, statement }, isSole)
      }
      await writePortalRows(state, { portal, unit, maxRows: message.maxRows })
    })
    return Number(portal.rowsSent - before)
  })
}

async function writePortalRows(
  state: SessionState,
  run: { readonly portal: Portal; readonly unit: ImplicitUnit; readonly maxRows: number },
): Promise<void> {
  const { portal, unit } = run
  const { answer } = portal
  if (answer === undefined) return
  let rowCount = 0
  if (answer.rows !== undefined && !portal.isDone) {
    const sink = {
      output: state.io.output,
      relieve: () => unit.relieve(),
      flush: () => unit.flush(),
    }
    const written = await answer.rows.write(sink, run.maxRows)
    rowCount = written.rowCount
    portal.rowsSent += BigInt(rowCount)
    if (!written.isDone) {
      writePortalSuspended(state.io.output)
      return
    }
  }
  portal.isDone = true
  // The rows of this Execute alone (src/backend/tcop/pquery.c, PortalRun).
  writeCommandComplete(state.io.output, answer.tag(BigInt(rowCount)))
}

/** Closing what does not exist is no error (manual, section 55.2.3). */
export function closeMessage(state: SessionState, message: Message<'Close'>): void {
  if (message.target === 'statement') state.prepared.delete(message.name)
  else {
    state.portals.get(message.name)?.close()
    state.portals.delete(message.name)
  }
  writeCloseComplete(state.io.output)
}
