import { createConnection } from 'node:net'
import { asError } from '../base/as-error.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  BACKEND_TYPE,
  BackendDecoder,
  type BackendFrame,
  parseAuthentication,
  parseBackendKeyData,
  parseParameterStatus,
} from '../wire/backend-decoder.ts'
import { parseErrorResponse } from '../wire/error-fields.ts'
import { FrontendWriter } from './frontend-messages.ts'
import { ConnectionLostError, ServerConnection } from './server-connection.ts'

export interface ConnectToServerOptions {
  /** Path of the Unix socket. */
  readonly path: string
  readonly user: string
  readonly database: string
  /** Run-time settings of the session, sent in the startup packet. */
  readonly settings: Readonly<Record<string, string>>
  /** Ends the attempt. */
  readonly signal: AbortSignal
}

/** Opens a connection to a server that trusts its socket. Throws what the server says, or ConnectionLostError where it is not there. */
export function connectToServer(options: ConnectToServerOptions): Promise<ServerConnection> {
  const { path, user, database, settings, signal } = options
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(asError(signal.reason))
      return
    }
    const socket = createConnection(path)
    const startup = new Startup()
    const settle = () => {
      signal.removeEventListener('abort', abort)
      socket.removeAllListeners()
    }
    const fail = (error: unknown) => {
      settle()
      // What the socket still has to say after its end interests nobody.
      socket.on('error', () => undefined)
      socket.destroy()
      reject(asError(error))
    }
    const abort = () => fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.once('error', () => fail(new ConnectionLostError()))
    socket.once('close', () => fail(new ConnectionLostError()))
    socket.on('data', (chunk) => {
      try {
        if (!startup.receive(chunk)) return
        settle()
        resolve(new ServerConnection(socket, { path, ...startup.identity }))
      } catch (error) {
        fail(error)
      }
    })
    const parameters = { user, database, client_encoding: 'UTF8', ...settings }
    socket.write(new FrontendWriter().startup(parameters).take())
  })
}

/** What the server says until it is ready (manual, section 55.2.1). */
class Startup {
  readonly identity = {
    processId: 0,
    secretKey: Buffer.alloc(0),
    parameters: new Map<string, string>(),
  }
  readonly #decoder = new BackendDecoder()

  /** True when the server is ready; it says nothing more unasked. */
  receive(chunk: Buffer): boolean {
    this.#decoder.push(chunk)
    for (let frame = this.#decoder.pull(); frame !== undefined; frame = this.#decoder.pull()) {
      if (frame.type === BACKEND_TYPE.readyForQuery) return true
      this.#handle(frame)
    }
    return false
  }

  #handle(frame: BackendFrame): void {
    switch (frame.type) {
      case BACKEND_TYPE.errorResponse:
        throw parseErrorResponse(frame.body)
      case BACKEND_TYPE.authentication:
        if (parseAuthentication(frame.body).code === 0) return
        throw new PgError(
          SQL_STATE.invalidAuthorizationSpecification,
          'the server asks for a password',
        )
      case BACKEND_TYPE.parameterStatus: {
        const { name, value } = parseParameterStatus(frame.body)
        this.identity.parameters.set(name, value)
        return
      }
      case BACKEND_TYPE.backendKeyData: {
        const { processId, secretKey } = parseBackendKeyData(frame.body)
        this.identity.processId = processId
        this.identity.secretKey = Buffer.from(secretKey)
      }
    }
  }
}
