import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** Ends the connection of a transaction that lasts too long (PostgreSQL 17: src/backend/tcop/postgres.c, ProcessInterrupts). */
export class TransactionTimeout {
  readonly #timeoutMs: () => number
  readonly #terminate: (error: PgError) => void
  #isInTransaction = false
  #timer: NodeJS.Timeout | undefined

  constructor(timeoutMs: () => number, terminate: (error: PgError) => void) {
    this.#timeoutMs = timeoutMs
    this.#terminate = terminate
  }

  /** A transaction begins. */
  start(): void {
    this.#isInTransaction = true
    this.follow()
  }

  /** The setting may have changed: what is under way gets the whole time from now (assign_transaction_timeout). */
  follow(): void {
    const timeoutMs = this.#isInTransaction ? this.#timeoutMs() : 0
    if (timeoutMs === 0) this.#stop()
    else this.#timer ??= setTimeout(() => this.#terminate(TOO_LONG), timeoutMs)
  }

  /** It is over. */
  end(): void {
    this.#isInTransaction = false
    this.#stop()
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

const TOO_LONG = new PgError(
  SQL_STATE.transactionTimeout,
  'terminating connection due to transaction timeout',
  { severity: 'FATAL' },
)
