import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { unreachable } from '../base/unreachable.ts'
import { writeError, writeReadyForQuery } from '../wire/backend-messages.ts'
import type { ClientIo, Conversation } from '../wire/client-io.ts'
import type {
  FrontendMessage,
  FrontendMessageKind,
  UnreadableMessage,
} from '../wire/frontend-message.ts'
import { clientError, notSupported, SynchronizationLost } from './client-error.ts'
import {
  bindMessage,
  closeMessage,
  describeMessage,
  executeMessage,
  parseMessage,
} from './extended-query.ts'
import { IdleTimeout } from './idle-timeout.ts'
import { ImplicitUnit } from './implicit-unit.ts'
import { Inbox } from './inbox.ts'
import { KeepAlive } from './keep-alive.ts'
import { ParameterStatusReporter } from './parameter-status.ts'
import { PHASE_TABLE, type Phase } from './phases.ts'
import type { DatabaseDirectory } from './served-database.ts'
import { statementTimeoutMs } from './session-defaults.ts'
import type { SessionState } from './session-state.ts'
import { simpleQuery } from './simple-query.ts'
import { startSession } from './startup.ts'

/** A transaction whose server does not answer is lost; its next statement begins it anew. */
const KEEP_ALIVE_TIMEOUT_MS = 10_000

export interface SessionOptions {
  readonly directory: DatabaseDirectory
  /** Told of every error that is a defect of ours, with its stack. */
  readonly onBug: (error: Error, processId: number) => void
}

/** One client from startup to its end: takes messages one by one, and decides by phase what becomes of them. */
export class Session implements Conversation {
  readonly #io: ClientIo
  readonly #options: SessionOptions
  readonly #reporter: ParameterStatusReporter
  readonly #inbox: Inbox
  readonly #idleTimeout = new IdleTimeout()
  readonly #keepAlive = new KeepAlive()
  #state: SessionState | undefined
  #phase: Phase = 'ready'
  /** The pipeline under way: from the first message after Sync up to the next. */
  #unit: ImplicitUnit | undefined

  constructor(io: ClientIo, options: SessionOptions) {
    this.#io = io
    this.#options = options
    this.#reporter = new ParameterStatusReporter(io)
    this.#inbox = new Inbox(io)
  }

  async startup(parameters: ReadonlyMap<string, string>): Promise<boolean> {
    try {
      this.#state = await startSession({
        io: this.#io,
        directory: this.#options.directory,
        parameters,
        reporter: this.#reporter,
        listener: this.#inbox,
      })
    } catch (error) {
      this.#writeError(error, 'FATAL')
      await this.#io.flush()
      return false
    }
    const state = this.#state
    state.database.users.add(this)
    state.directory.clients.add({
      state,
      cancel: () => this.cancel(),
      terminate: () => this.#io.terminate(terminated()),
    })
    await this.#becomeReady(state)
    return true
  }

  async message(message: FrontendMessage): Promise<boolean> {
    const state = this.#state
    if (state === undefined) return false
    this.#idleTimeout.stop()
    const call = this.#keepAlive.stop()
    if (call !== undefined) await call
    this.#inbox.close()
    const verdict = PHASE_TABLE[this.#phase][message.kind]
    if (verdict === 'skip') return true
    if (verdict === 'fatal' || message.kind === 'Terminate') {
      if (verdict === 'fatal') this.#writeError(unexpected(message), 'FATAL')
      await this.#io.flush()
      this.#phase = 'closed'
      return false
    }
    return this.#attempt(state, message.kind, () => this.#handle(state, message))
  }

  async unreadable(unreadable: UnreadableMessage): Promise<boolean> {
    const state = this.#state
    if (state === undefined) return false
    if (PHASE_TABLE[this.#phase][unreadable.of] === 'skip') return true
    return this.#attempt(state, unreadable.of, () => Promise.reject(unreadable.error))
  }

  get isIdle(): boolean {
    return this.#phase === 'ready' && this.#unit === undefined
  }

  cancel(): void {
    this.#state?.scope.cancel()
  }

  async close(): Promise<void> {
    this.#phase = 'closed'
    this.#idleTimeout.stop()
    await this.#keepAlive.stop()
    const state = this.#state
    if (state === undefined) return
    state.database.users.delete(this)
    state.notifications.close()
    state.locks.releaseAll()
    state.directory.clients.remove(this.#io.processId)
    for (const portal of state.portals.values()) portal.close()
    await state.block.rollback()
    await state.locks.settled()
    await state.temporary?.end()
  }

  /** Handles one message under statement_timeout; false where the connection is over. */
  async #attempt(
    state: SessionState,
    kind: FrontendMessageKind,
    handle: () => Promise<void> | void,
  ): Promise<boolean> {
    return state.scope.run(statementTimeoutMs(state.settings), async () => {
      try {
        await handle()
        return true
      } catch (error) {
        return this.#fail(state, kind, await this.#firstError(error))
      }
    })
  }

  /** What was kept back came before what failed now: its own error comes first. */
  async #firstError(error: unknown): Promise<unknown> {
    try {
      await this.#unit?.runBatch()
      return error
    } catch (earlier) {
      return earlier
    }
  }

  async #handle(state: SessionState, message: FrontendMessage): Promise<void> {
    switch (message.kind) {
      case 'Query':
        state.activity.run(message.text)
        await simpleQuery(state, message.text)
        return this.#becomeReady(state)
      case 'Parse':
        state.activity.run(message.text)
        return parseMessage(state, message, this.#pipeline(state))
      case 'Bind':
        return bindMessage(state, message, this.#pipeline(state))
      case 'Describe':
        this.#pipeline(state)
        return describeMessage(state, message)
      case 'Execute':
        return executeMessage(state, message, this.#pipeline(state))
      case 'Close':
        return closeMessage(state, message)
      case 'Flush':
        return this.#unit === undefined ? this.#io.flush() : this.#unit.flush()
      case 'Sync':
        return this.#sync(state)
      case 'FunctionCall':
        throw notSupported('the function call protocol', 'Call the function with SELECT.')
      case 'Terminate':
      case 'CopyData':
      case 'CopyDone':
      case 'CopyFail':
      case 'PasswordMessage':
        return
      default:
        return unreachable(message)
    }
  }

  #pipeline(state: SessionState): ImplicitUnit {
    this.#unit ??= new ImplicitUnit(state)
    return this.#unit
  }

  async #sync(state: SessionState): Promise<void> {
    const unit = this.#pipeline(state)
    this.#unit = undefined
    this.#phase = 'ready'
    await unit.commit()
    await this.#becomeReady(state)
  }

  /** Tells the client, ends or fails the transaction, and goes where the protocol goes after an error. */
  async #fail(state: SessionState, kind: FrontendMessageKind, error: unknown): Promise<boolean> {
    const reported = this.#writeError(error)
    await state.block.fail()
    await this.#lookAgain(state, error)
    if (state.block.status === 'E') state.clientBatch = undefined
    if (reported.cause instanceof SynchronizationLost) {
      writeError(this.#io.output, reported.cause)
      await this.#io.flush()
      return false
    }
    const isExtended = !['Query', 'Sync', 'FunctionCall'].includes(kind)
    if (reported.severity === 'ERROR' && !isExtended) {
      await this.#becomeReady(state)
      return true
    }
    // Clients send Sync when they have seen the error (src/backend/utils/error/elog.c, send_message_to_frontend).
    await this.#io.flush()
    this.#phase = 'skip-to-sync'
    return reported.severity === 'ERROR'
  }

  /** The client has its error, and must not wait for longer than Spanner takes: a look that fails says nothing. */
  async #lookAgain({ database: { planner } }: SessionState, error: unknown): Promise<void> {
    try {
      await planner.noteRefusal(error, this.#io.gone)
    } catch {
      // The next statement that fails looks again.
    }
  }

  async #becomeReady(state: SessionState): Promise<void> {
    this.#unit = undefined
    await state.locks.settled()
    state.activity.rest()
    state.transactionTimeout.follow()
    this.#reporter.report(state.settings)
    this.#inbox.deliver(state)
    writeReadyForQuery(this.#io.output, state.block.status)
    await this.#io.flush()
    this.#idleTimeout.start(state)
    if (state.settings.get('spanner.keep_transaction_alive') === 'on' && state.block.status === 'T')
      this.#keepAlive.start(() =>
        state.block.keepAlive({ timeoutMs: KEEP_ALIVE_TIMEOUT_MS, signal: this.#io.gone }),
      )
    this.#inbox.open(state)
  }

  #writeError(error: unknown, severity?: 'FATAL'): PgError {
    const state = this.#state
    const told = clientError(error, state?.schema, state?.scope.signal)
    if (told.code === SQL_STATE.internalError && told.cause instanceof Error) {
      this.#options.onBug(told.cause, this.#io.processId)
    }
    // Who ended the connection tells the client why.
    if (told === this.#io.gone.reason) return told
    const { message, code, fields } = told
    writeError(
      this.#io.output,
      severity === undefined ? told : new PgError(code, message, { ...fields, severity }),
    )
    return told
  }
}

/** src/backend/tcop/postgres.c, ProcessInterrupts. */
function terminated(): PgError {
  return new PgError(
    SQL_STATE.adminShutdown,
    'terminating connection due to administrator command',
    { severity: 'FATAL' },
  )
}

function unexpected(message: FrontendMessage): PgError {
  return new PgError(SQL_STATE.protocolViolation, `unexpected message ${message.kind}`, {
    severity: 'FATAL',
  })
}
