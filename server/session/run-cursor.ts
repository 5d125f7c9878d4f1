import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { unreachable } from '../base/unreachable.ts'
import { type CursorCommand, cursorCommand } from '../sql/cursor-commands.ts'
import { parseStatements } from '../sql/statement.ts'
import { type Answer, type RowSink, type RowSource, readyRows, tagOnly } from './answer.ts'
import {
  type BoundStatement,
  bindStatement,
  type RunnableStatement,
  type RunStatement,
} from './bound-statement.ts'
import { mustBe, notSupported, shiftPosition } from './client-error.ts'
import type { Cursor } from './cursor.ts'
import { DeclaredCursor } from './declared-cursor.ts'
import { describeStatement } from './describe.ts'
import { gatherRows } from './gather-rows.ts'
import { Portal, storePortal } from './portal.ts'
import { requireBlock } from './run-transaction.ts'
import type { SessionState } from './session-state.ts'

type Declare = Extract<CursorCommand, { kind: 'declare' }>
type Move = Extract<CursorCommand, { direction: string }>

/** DECLARE, FETCH, MOVE and CLOSE (src/backend/commands/portalcmds.c). */
export async function runCursor(
  state: SessionState,
  bound: RunnableStatement,
  run: RunStatement,
): Promise<Answer> {
  const { statement } = bound
  const command = mustBe(cursorCommand(statement.text, statement.node))
  switch (command.kind) {
    case 'declare':
      await declare(state, { command, bound, run })
      return tagOnly(statement.tag)
    case 'fetch':
      return fetch(mustFindCursor(state, command.name), command, bound)
    case 'move': {
      const { cursor } = mustFindCursor(state, command.name)
      const moved = await cursor.go(cursor.currentFormats, (rows) => go(rows, undefined, command))
      return tagOnly(`${statement.tag} ${moved}`)
    }
    case 'close':
      close(state, command.name)
      return tagOnly(statement.tag)
    default:
      return unreachable(command)
  }
}

interface Declaration {
  readonly command: Declare
  readonly bound: RunnableStatement
  readonly run: RunStatement
}

async function declare(state: SessionState, declaration: Declaration): Promise<void> {
  const { command, bound, run } = declaration
  const { name, binary, scroll, hold } = command
  if (name === '') {
    throw new PgError(SQL_STATE.invalidCursorName, 'invalid cursor name: must not be empty')
  }
  if (!hold) requireBlock(state, 'DECLARE CURSOR')
  const asked = mustBe(parseStatements(command.text)[0])
  const described = await describeStatement(state, asked, bound.described.paramTypes).catch(
    (error: unknown) => {
      throw error instanceof PgError ? shiftPosition(error, command.textOffset) : error
    },
  )
  const statement = described.written ?? asked
  const query = { ...bound, statement, described }
  const locks =
    'SelectStmt' in statement.node && statement.node.SelectStmt.lockingClause !== undefined
  const cursor = new DeclaredCursor({
    name,
    binary,
    // Rows that are locked are read once (transformDeclareCursorStmt).
    scroll: locks ? false : scroll,
    hold,
    columnCount: described.fields?.length ?? 0,
    run: async (formats) => {
      // The rows are the client's from now on: the transaction cannot begin anew by itself.
      state.block.answerSent()
      const rebound = await bindStatement(state, { statement, described }, bound.params, formats)
      const answer = await run(state, { ...rebound, statement }, false)
      return answer.rows ?? readyRows([])
    },
  })
  const portal = new Portal(
    name,
    { ...query, statement: bound.statement },
    {
      level: state.block.savepointLevel,
      cursor,
    },
  )
  storePortal(state, portal)
  if (hold) await cursor.hold()
}

interface FoundCursor {
  readonly portal: Portal
  readonly cursor: DeclaredCursor
}

/** Portals of the protocol are found as well. */
function mustFindCursor(state: SessionState, name: string): FoundCursor {
  const portal = state.portals.get(name)
  if (portal === undefined) {
    throw new PgError(SQL_STATE.invalidCursorName, `cursor "${name}" does not exist`)
  }
  const { cursor } = portal
  if (cursor !== undefined) return { portal, cursor }
  throw notSupported('FETCH of a portal that the protocol made', 'Execute the portal.')
}

/** Rows of a FETCH that are there before the client hears of its columns: PostgreSQL tells of errors first (FillPortalStore). */
const GATHERED_ROWS = 2_000

async function fetch(
  { portal, cursor }: FoundCursor,
  command: Move,
  { params, resultFormats }: BoundStatement,
): Promise<Answer> {
  // Bind says what it wants, the simple protocol takes what comes.
  const formats = params.portal === undefined ? cursor.formats : resultFormats
  const { direction, count } = command
  const isLong = direction === 'forward' && (count === 'all' || count > GATHERED_ROWS)
  const first = isLong ? { ...command, count: GATHERED_ROWS } : command
  const { rows: gathered } = await gatherRows((sink) =>
    cursor.go(formats, (rows) => go(rows, sink, first)),
  )
  const hasMore = isLong && gathered.length === GATHERED_ROWS
  const left = count === 'all' ? count : count - GATHERED_ROWS
  const rest = (sink: RowSink) => cursor.go(formats, (rows) => rows.forward(sink, left))
  return {
    fields: portal.bound.described.fields,
    formats,
    rows: hasMore ? withMore(readyRows(gathered), rest) : readyRows(gathered),
    tag: (rowCount) => `FETCH ${rowCount}`,
  }
}

/** Rows that are there, and then others. Where Execute takes some at a time, all of these wait here. */
function withMore(first: RowSource, more: (sink: RowSink) => Promise<number>): RowSource {
  let rest: RowSource | undefined
  return {
    async write(sink, maxRows) {
      const written = await first.write(sink, maxRows)
      if (!written.isDone) return written
      if (maxRows === 0) return { rowCount: written.rowCount + (await more(sink)), isDone: true }
      rest ??= readyRows((await gatherRows(more)).rows)
      const others = await rest.write(sink, maxRows - written.rowCount)
      return { rowCount: written.rowCount + others.rowCount, isDone: others.isDone }
    },
    close: () => {
      first.close()
      rest?.close()
    },
  }
}

function go(
  cursor: Cursor,
  sink: RowSink | undefined,
  { direction, count }: Move,
): Promise<number> {
  switch (direction) {
    case 'forward':
      return cursor.forward(sink, count)
    case 'backward':
      return cursor.backward(sink, count)
    case 'absolute':
      return cursor.absolute(sink, Number(count))
    case 'relative':
      return cursor.relative(sink, Number(count))
    default:
      return unreachable(direction)
  }
}

function close(state: SessionState, name: string | undefined): void {
  if (name === undefined) {
    for (const portal of state.portals.values()) portal.close()
    state.portals.clear()
    return
  }
  const portal = state.portals.get(name)
  if (portal === undefined) {
    throw new PgError(SQL_STATE.invalidCursorName, `cursor "${name}" does not exist`)
  }
  portal.close()
  state.portals.delete(name)
}
