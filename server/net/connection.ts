import type { Socket } from 'node:net'
import { ByteWriter } from '../base/byte-writer.ts'
import { bugEvents, clientEvents } from '../base/channels.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { writeError } from '../wire/backend-messages.ts'
import type { ClientIo, Conversation, StartConversation } from '../wire/client-io.ts'
import { FrontendDecoder } from '../wire/frontend-decoder.ts'
import type { FrontendMessage, UnreadableMessage } from '../wire/frontend-message.ts'
import { UnansweredError } from '../wire/startup-packet.ts'
import type { Admission, ClientRegistry } from './client-registry.ts'
import { ClientSocket } from './client-socket.ts'
import { MessageInput } from './message-input.ts'
import { negotiateProtocol, readStartupMessage, type StartupMessage } from './startup-phase.ts'

/** What the connections of a server share. */
export interface ConnectionHost {
  readonly registry: ClientRegistry
  readonly startConversation: StartConversation
  /** From the first byte to the end of the conversation's startup. */
  readonly authenticationTimeoutMs: number
  readonly maxMessageSizeBytes: number
}

/** One client from the first byte to the last: the startup phase, then one message after the other to its conversation. */
export class Connection {
  readonly #host: ConnectionHost
  readonly #decoder: FrontendDecoder
  readonly #socket: ClientSocket
  readonly #input: MessageInput
  readonly #output = new ByteWriter()
  readonly #since = performance.now()
  #admission: Admission | undefined
  #conversation: Conversation | undefined
  /** Set where we end it: the last words to the client. */
  #farewell: PgError | undefined
  /** Set where we end it as soon as the client has its answer. */
  #ending: PgError | undefined
  #isHandling = false

  /** The socket must have been accepted with allowHalfOpen. */
  constructor(socket: Socket, host: ConnectionHost) {
    this.#host = host
    this.#decoder = new FrontendDecoder({ largeMessageLimitBytes: host.maxMessageSizeBytes })
    this.#input = new MessageInput(this.#decoder)
    this.#socket = new ClientSocket(socket, this.#decoder)
  }

  /**
   * Serves the client; resolves when the conversation, which is closed exactly once whatever happened, and the socket are closed.
   * Never rejects.
   */
  async run(): Promise<void> {
    let reason: string
    try {
      reason = await this.#serve()
    } catch (error) {
      reason = this.#report(error)
    }
    const lastWords = this.#farewell ?? this.#lossWhileHandling()
    if (lastWords) writeError(this.#output, lastWords)
    await this.#flush()
    await this.#release(this.#farewell?.message ?? reason)
    await this.#socket.close()
  }

  /** Ends the connection: what it waits for is aborted, and the client is told `error`. Returns at once; `run` resolves later. */
  terminate(error: PgError): void {
    this.#farewell ??= error
    this.#socket.abort(error)
  }

  /** Ends the connection, but not before what runs has been answered, up to the Sync of a pipeline. */
  endWhenIdle(error: PgError): void {
    this.#ending = error
    if (!this.#isHandling && this.#conversation?.isIdle !== false) this.terminate(error)
  }

  /** Closes the socket at once, for those that did not end in time. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** A client may have closed its side alone: it reads that what it asked for was given up. */
  #lossWhileHandling(): PgError | undefined {
    const { reason } = this.#socket.gone
    return reason instanceof PgError ? reason : undefined
  }

  async #serve(): Promise<string> {
    const deadline = setTimeout(() => this.#timeOut(), this.#host.authenticationTimeoutMs)
    try {
      const startup = await readStartupMessage(this.#socket, this.#decoder, this.#host.registry)
      if (!startup) return 'no startup'
      if (!(await this.#start(startup))) return 'refused'
    } finally {
      clearTimeout(deadline)
    }
    for (;;) {
      const message = await this.#socket.next(() => this.#input.pull())
      if (!message) return this.#socket.gone.aborted ? 'connection lost' : 'end of input'
      if (!(await this.#handle(message))) return 'terminated'
      if (this.#ending && this.#conversation?.isIdle) throw this.#ending
    }
  }

  async #start(startup: StartupMessage): Promise<boolean> {
    const keySizeBytes = negotiateProtocol(this.#output, startup)
    this.#admission = this.#host.registry.admit(keySizeBytes, () => this.#conversation?.cancel())
    if (!this.#admission) {
      throw new PgError(SQL_STATE.tooManyConnections, 'sorry, too many clients already', {
        severity: 'FATAL',
      })
    }
    const { remoteAddress } = this.#socket
    clientEvents.publish({ kind: 'connected', connId: this.#admission.processId, remoteAddress })
    this.#conversation = this.#host.startConversation(this.#io(this.#admission))
    return await this.#conversation.startup(startup.parameters)
  }

  async #handle(message: FrontendMessage | UnreadableMessage): Promise<boolean> {
    const conversation = this.#conversation
    if (!conversation) return false
    this.#isHandling = true
    try {
      if (message.kind !== 'Unreadable') return await conversation.message(message)
      if (conversation.unreadable) return await conversation.unreadable(message)
      throw message.error
    } finally {
      this.#isHandling = false
    }
  }

  #io({ processId, secretKey }: Admission): ClientIo {
    return {
      output: this.#output,
      flush: () => this.#flush(),
      terminate: (error) => this.terminate(error),
      peek: () => this.#input.peek(),
      next: () => this.#socket.next(() => this.#input.pull()),
      gone: this.#socket.gone,
      remoteAddress: this.#socket.remoteAddress,
      ends: this.#socket.ends,
      processId,
      secretKey,
    }
  }

  async #flush(): Promise<void> {
    if (this.#output.length > 0) await this.#socket.send(this.#output.take())
  }

  /** PostgreSQL, too, says nothing to a client that has not sent its StartupMessage in time. */
  #timeOut(): void {
    if (!this.#conversation) {
      this.#socket.destroy()
      return
    }
    const message = 'canceling authentication due to timeout'
    this.terminate(new PgError(SQL_STATE.queryCanceled, message, { severity: 'FATAL' }))
  }

  /** Turns what ended the connection into last words for the client and a reason for the log. */
  #report(thrown: unknown): string {
    if (this.#farewell) return this.#farewell.message
    if (this.#socket.gone.aborted && isAbortError(thrown)) return 'connection lost'
    const error = thrown instanceof PgError ? thrown : internalError(thrown)
    if (!(thrown instanceof PgError)) {
      bugEvents.publish({ connId: this.#admission?.processId, error: thrown })
    }
    if (!(error instanceof UnansweredError)) this.#farewell = fatal(error)
    if (!this.#conversation) {
      const { remoteAddress } = this.#socket
      const { code: sqlState, message: reason } = error
      clientEvents.publish({ kind: 'refused', remoteAddress, sqlState, reason })
    }
    return error.message
  }

  async #release(reason: string): Promise<void> {
    if (!this.#admission) return
    const connId = this.#admission.processId
    try {
      await this.#conversation?.close()
    } catch (error) {
      bugEvents.publish({ connId, error })
    }
    this.#host.registry.remove(connId)
    const durationMs = performance.now() - this.#since
    clientEvents.publish({ kind: 'disconnected', connId, durationMs, reason })
  }
}

/** An error that ends the connection is FATAL whatever it was before. */
function fatal(error: PgError): PgError {
  if (error.severity !== 'ERROR') return error
  return new PgError(error.code, error.message, {
    ...error.fields,
    severity: 'FATAL',
    cause: error,
  })
}

/** What waits of the platform reject with when their signal aborts. */
function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError'
}

function internalError(cause: unknown): PgError {
  return new PgError(SQL_STATE.internalError, 'internal error', { severity: 'FATAL', cause })
}
