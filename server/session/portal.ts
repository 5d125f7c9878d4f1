import { nowMicros } from '../base/clock.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { Answer } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import type { DeclaredCursor } from './declared-cursor.ts'
import type { SessionState } from './session-state.ts'

/** A bound statement on its way through Execute: it may be run in several pieces. */
export class Portal {
  readonly name: string
  readonly bound: BoundStatement
  /** The level of the savepoint that it was opened under; 0 outside any. */
  level: number
  readonly createdMicros = nowMicros()
  /** What Execute made of it; undefined before the first one. */
  answer: Answer | undefined
  rowsSent = 0n
  /** What DECLARE says of it; undefined for a portal of the protocol. */
  readonly cursor: DeclaredCursor | undefined
  isDone = false

  constructor(
    name: string,
    bound: BoundStatement,
    place: { readonly level: number; readonly cursor?: DeclaredCursor },
  ) {
    this.name = name
    this.bound = bound
    this.level = place.level
    this.cursor = place.cursor
  }

  /** Back to where Bind left it, so that it can be run again. */
  rewind(): void {
    this.answer?.rows?.close()
    this.answer = undefined
    this.rowsSent = 0n
    this.isDone = false
  }

  close(): void {
    this.answer?.rows?.close()
    this.cursor?.close()
    this.isDone = true
  }
}

export function mustFindPortal(state: SessionState, name: string): Portal {
  const found = state.portals.get(name)
  if (found !== undefined) return found
  throw new PgError(SQL_STATE.invalidCursorName, `portal "${name}" does not exist`)
}

/** The unnamed portal is replaced, a named one must not exist (src/backend/utils/mmgr/portalmem.c, CreatePortal). */
export function storePortal(state: SessionState, portal: Portal): void {
  const present = state.portals.get(portal.name)
  if (present !== undefined && portal.name !== '') {
    throw new PgError(SQL_STATE.duplicateCursor, `cursor "${portal.name}" already exists`)
  }
  present?.close()
  state.portals.set(portal.name, portal)
}
