import type { Socket } from 'node:net'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { SocketEnds } from '../wire/client-io.ts'
import type { FrontendDecoder } from '../wire/frontend-decoder.ts'

/** Input that may wait while a message is handled; beyond it the socket is not read. */
const MAX_QUEUED_INPUT_BYTES = 1024 * 1024
/** How long a socket stays open for the client to read the last answer after we have closed our side. */
const LINGER_MS = 2000

/**
 * A client's socket as a conversation needs it: whole messages in, with the socket left unread while too much waits; bytes out,
 * with a wait while the client does not read; and one signal that says that the client has gone.
 *
 * The socket is read while a message is handled, because that is the only way to notice that the client went away. An end of
 * input then means that it has gone (as client_connection_check_interval does in PostgreSQL), unless its last word was
 * Terminate: then it left in good order, and what it asked for before is done. Sockets must be opened with allowHalfOpen.
 */
export class ClientSocket {
  /** Address and port, or `[local]`. */
  readonly remoteAddress: string
  /** Where the connection comes from and where it was accepted; undefined over a Unix socket. */
  readonly ends: SocketEnds | undefined
  readonly #socket: Socket
  readonly #decoder: FrontendDecoder
  readonly #gone = new AbortController()
  readonly #closed: Promise<void>
  #hasEnded = false
  #isDiscarding = false
  /** Set while somebody waits for input. */
  #onInput: (() => void) | undefined
  /** Set while somebody waits for the socket to take more. */
  #onDrain: (() => void) | undefined

  constructor(socket: Socket, decoder: FrontendDecoder) {
    this.#socket = socket
    this.#decoder = decoder
    this.remoteAddress = nameOf(socket)
    this.ends = endsOf(socket)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('end', () => this.#end())
    socket.on('drain', () => this.#onDrain?.())
    // 'close' follows and does what is to be done.
    socket.on('error', () => undefined)
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.abort(connectionLost())
        resolve()
      })
    })
  }

  /** Aborts when the client has gone, or when {@link abort} was called; the reason is a PgError. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /**
   * What `pull` makes of the input, as soon as it makes anything. Undefined when no more will come, and at once when the client
   * has gone. What `pull` throws is thrown.
   */
  async next<T>(pull: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      if (this.gone.aborted) return undefined
      const pulled = pull()
      if (pulled !== undefined || this.#hasEnded) return pulled
      await this.#input()
    }
  }

  /** Sends `bytes`; resolves when the socket has room for more, or the client has gone. */
  async send(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || !this.#socket.writable) return
    if (this.#socket.write(bytes) || this.gone.aborted) return
    await new Promise<void>((resolve) => {
      this.#onDrain = resolve
    })
    this.#onDrain = undefined
  }

  /** Ends the waits, as if the client had gone. What is sent afterwards is still sent where it can be. */
  abort(reason: PgError): void {
    if (this.gone.aborted) return
    this.#gone.abort(reason)
    this.#onInput?.()
    this.#onDrain?.()
  }

  /** Closes our side, lets the client read what was sent, and resolves when the socket is closed: within two seconds. */
  async close(): Promise<void> {
    this.#isDiscarding = true
    this.#socket.resume()
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS)
    await this.#closed
    clearTimeout(timer)
  }

  /** Closes the socket at once. */
  destroy(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    if (this.#isDiscarding) return
    this.#decoder.push(chunk)
    if (this.#onInput) this.#onInput()
    else if (this.#decoder.bufferedBytes > MAX_QUEUED_INPUT_BYTES) this.#socket.pause()
  }

  #end(): void {
    this.#hasEnded = true
    if (this.#onInput) this.#onInput()
    else if (!this.#decoder.endsWithTerminate) this.abort(connectionLost())
  }

  async #input(): Promise<void> {
    if (this.#socket.isPaused()) this.#socket.resume()
    await new Promise<void>((resolve) => {
      this.#onInput = resolve
    })
    this.#onInput = undefined
  }
}

function nameOf(socket: Socket): string {
  const { remoteAddress, remotePort, remoteFamily } = socket
  if (remoteAddress === undefined || remotePort === undefined) return '[local]'
  return remoteFamily === 'IPv6'
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`
}

function endsOf(socket: Socket): SocketEnds | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  if (localAddress === undefined || localPort === undefined) return undefined
  return {
    client: { address: withoutMapping(remoteAddress), port: remotePort },
    server: { address: withoutMapping(localAddress), port: localPort },
  }
}

/** A socket that listens for IPv6 and IPv4 names the latter as `::ffff:127.0.0.1`; PostgreSQL has a socket for each. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
}

function connectionLost(): PgError {
  return new PgError(SQL_STATE.connectionFailure, 'connection to client lost', {
    severity: 'FATAL',
  })
}
