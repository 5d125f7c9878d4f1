import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { durationMs } from './session-defaults.ts'
import type { SessionState } from './session-state.ts'

/**
 * Ends a connection whose client sends nothing for too long: idle_in_transaction_session_timeout inside a transaction block,
 * idle_session_timeout outside (src/backend/tcop/postgres.c, ProcessInterrupts).
 */
export class IdleTimeout {
  #timer: NodeJS.Timeout | undefined

  /** The client has been answered, and it is its turn. */
  start(state: SessionState): void {
    const isInBlock = state.block.status !== 'I'
    const setting = isInBlock ? 'idle_in_transaction_session_timeout' : 'idle_session_timeout'
    const timeoutMs = durationMs(state.settings.get(setting))
    if (timeoutMs === 0) return
    this.#timer = setTimeout(() => state.io.terminate(isInBlock ? IN_BLOCK : OUTSIDE), timeoutMs)
  }

  /** The client has sent something, or has gone. */
  stop(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

const IN_BLOCK = new PgError(
  SQL_STATE.idleInTransactionSessionTimeout,
  'terminating connection due to idle-in-transaction timeout',
  { severity: 'FATAL' },
)

const OUTSIDE = new PgError(
  SQL_STATE.idleSessionTimeout,
  'terminating connection due to idle-session timeout',
  { severity: 'FATAL' },
)
