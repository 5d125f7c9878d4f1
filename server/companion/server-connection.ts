import { createConnection, type Socket } from 'node:net'
import { asError } from '../base/as-error.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  BACKEND_TYPE,
  BackendDecoder,
  type BackendFrame,
  parseReadyForQuery,
} from '../wire/backend-decoder.ts'
import type { TransactionStatus } from '../wire/backend-messages.ts'
import { parseErrorResponse } from '../wire/error-fields.ts'
import type { QueryOptions, ServiceRow } from './companion-types.ts'
import { FrontendWriter } from './frontend-messages.ts'
import { decodeRows, throwFirstError } from './service-rows.ts'

/** Rejects what was under way when a connection is lost: 57P01, or what the server said last (57P02 after a crash of a sibling). */
export class ConnectionLostError extends PgError {
  constructor(reason?: PgError) {
    const code = reason?.code ?? SQL_STATE.adminShutdown
    const text = reason?.message ?? 'terminating connection due to administrator command'
    super(code, text, { severity: 'FATAL', cause: reason })
    this.name = 'ConnectionLostError'
  }
}

/** Sees the messages of an exchange as they come. Where it returns a promise, reading stops until that resolves. */
export type FrameListener = (frame: BackendFrame) => void | Promise<void>

/** What identifies a connection to its server. */
export interface ServerIdentity {
  /** Path of the server's socket. */
  readonly path: string
  readonly processId: number
  readonly secretKey: Buffer
  /** ParameterStatus as of the start: `server_version` and others. */
  readonly parameters: ReadonlyMap<string, string>
}

/** One conversation to be sent in one write. */
export interface ExchangeRequest {
  readonly bytes: Buffer
  /** Sync messages and simple queries in `bytes`: as many ReadyForQuery end the answer. */
  readonly syncs: number
  readonly signal?: AbortSignal | undefined
  /** The data of COPY FROM STDIN is in `bytes`. */
  readonly hasCopyData?: boolean | undefined
}

/** One statement of the proxy's own. */
export interface Question extends QueryOptions {
  readonly text: string
  readonly params?: readonly (string | null)[] | undefined
  readonly signal?: AbortSignal | undefined
}

interface Exchange {
  syncsLeft: number
  readonly hasCopyData: boolean
  readonly listener: FrameListener
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  /** The caller no longer wants the answer: to be cancelled as soon as it is the one that runs. */
  isAborted: boolean
}

/** How long a cancelled exchange may go on before the connection is given up. */
const CANCEL_DEADLINE_MS = 5_000
const CANCEL_REPEAT_MS = 100
const CLOSE_DEADLINE_MS = 1_000

/**
 * A connection to a server of ours: whole conversations are written at once and queue up behind one another (pipelining), and their answers
 * are told apart by counting ReadyForQuery. Bytes stay bytes: rows that only pass through are never decoded. The data of COPY FROM STDIN goes with the
 * conversation, or not at all.
 */
export class ServerConnection {
  readonly processId: number
  readonly parameters: ReadonlyMap<string, string>
  readonly openedAtMs = performance.now()
  readonly #identity: ServerIdentity
  readonly #socket: Socket
  readonly #decoder = new BackendDecoder()
  readonly #queue: Exchange[] = []
  /** Text -> name. */
  readonly #prepared = new Map<string, string>()
  #preparedCount = 0
  readonly #lost = new AbortController()
  #lastWords: PgError | undefined
  #transactionStatus: TransactionStatus = 'I'
  #cancelSent: Promise<void> | undefined

  /** Takes over a socket whose startup phase is done. */
  constructor(socket: Socket, identity: ServerIdentity) {
    this.#socket = socket
    this.#identity = identity
    this.processId = identity.processId
    this.parameters = identity.parameters
    socket.on('data', (chunk) => {
      this.#decoder.push(chunk)
      this.#deliver()
    })
    socket.on('error', () => this.#lose())
    socket.on('close', () => this.#lose())
  }

  /** Aborts, with a {@link ConnectionLostError}, when the connection is over for whatever reason. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  get isLost(): boolean {
    return this.#lost.signal.aborted
  }

  /** `I`dle, in `T`ransaction or in a failed one (`E`), as of the last ReadyForQuery. */
  get transactionStatus(): TransactionStatus {
    return this.#transactionStatus
  }

  /** Whether exchanges are under way. */
  get isBusy(): boolean {
    return this.#queue.length > 0
  }

  /**
   * Sends `bytes`, which hold `syncs` Sync messages (or simple queries), and returns all messages up to and with the last ReadyForQuery. Errors of
   * the server are messages like others. When `signal` aborts, the server is asked to cancel; once it has (or after five seconds), the promise
   * rejects with the signal's reason. PostgreSQL signals a process and its group, so that a cancellation may also hit an exchange that was queued
   * behind the cancelled one, never one that is sent after the rejection. Loss of the connection is {@link ConnectionLostError}.
   */
  async exchange(
    bytes: Buffer,
    syncs: number,
    signal?: AbortSignal,
  ): Promise<readonly BackendFrame[]> {
    const frames: BackendFrame[] = []
    await this.stream({ bytes, syncs, signal }, (frame) => {
      frames.push(frame)
    })
    return frames
  }

  /** As `exchange`, for a conversation that is still in its writer. */
  converse(writer: FrontendWriter, signal?: AbortSignal): Promise<readonly BackendFrame[]> {
    const syncs = writer.syncs
    return this.exchange(writer.take(), syncs, signal)
  }

  /** As `exchange`, but hands out each message as it comes. A listener that throws ends the connection. */
  stream(request: ExchangeRequest, listener: FrameListener): Promise<void> {
    const { bytes, syncs, signal } = request
    if (this.isLost) return Promise.reject(asError(this.#lost.signal.reason))
    if (signal?.aborted === true) return Promise.reject(asError(signal.reason))
    return new Promise((resolve, reject) => {
      const abort = () => this.#abort(exchange)
      const settle = () => signal?.removeEventListener('abort', abort)
      const exchange: Exchange = {
        syncsLeft: syncs,
        hasCopyData: request.hasCopyData === true,
        listener,
        isAborted: false,
        resolve: () => {
          settle()
          if (exchange.isAborted) reject(asError(signal?.reason))
          else resolve()
        },
        reject: (error) => {
          settle()
          reject(asError(exchange.isAborted ? signal?.reason : error))
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#queue.push(exchange)
      this.#socket.write(bytes)
    })
  }

  /** Runs one statement with text parameters and returns its rows as text. Throws what the server says. */
  query(
    text: string,
    params?: readonly (string | null)[],
    signal?: AbortSignal,
  ): Promise<ServiceRow[]> {
    return this.ask(new FrontendWriter(), { text, params, signal })
  }

  /** The same after what is in the writer, in one write. */
  async ask(
    writer: FrontendWriter,
    { text, params = [], signal, isPrepared = false }: Question,
  ): Promise<ServiceRow[]> {
    const name = isPrepared ? this.#prepare(writer, text) : ''
    if (!isPrepared) writer.parse(text)
    writer.bindText(name, params).describePortal().execute().sync()
    try {
      return decodeRows(await this.converse(writer, signal))
    } catch (error) {
      // Nobody knows whether it got as far as Parse.
      if (this.#prepared.get(text) === name) this.#prepared.delete(text)
      throw error
    }
  }

  /** Sends Parse for a text that is new; returns the statement's name. */
  #prepare(writer: FrontendWriter, text: string): string {
    const known = this.#prepared.get(text)
    if (known !== undefined) return known
    const name = `spanwire:${++this.#preparedCount}`
    writer.parse(text, [], name)
    this.#prepared.set(text, name)
    return name
  }

  /** Runs statements separated by semicolons, as one simple query; one transaction unless they say otherwise. Rows are dropped. */
  async script(text: string, signal?: AbortSignal): Promise<void> {
    throwFirstError(await this.converse(new FrontendWriter().query(text), signal))
  }

  /** Says goodbye and closes; resolves when the server has closed too, or after a second. What is under way rejects. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    this.#socket.end(new FrontendWriter().terminate().take())
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_DEADLINE_MS)
    await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    clearTimeout(timer)
  }

  /** Closes at once. A statement that is running is cancelled, so that its locks go. */
  destroy(): void {
    if (this.isBusy && !this.isLost) void this.#cancel()
    this.#lose()
  }

  /** Hands whole messages to the exchange at the head; stops reading while a listener is busy. */
  #deliver(): void {
    try {
      let frame = this.#decoder.pull()
      for (; frame !== undefined; frame = this.#decoder.pull()) {
        const pause = this.#handle(frame)
        if (pause === undefined) continue
        this.#waitFor(pause)
        return
      }
    } catch (error) {
      this.#giveUp(error)
    }
  }

  #waitFor(pause: Promise<void>): void {
    this.#socket.pause()
    void pause.then(
      () => {
        this.#socket.resume()
        this.#deliver()
      },
      (error: unknown) => this.#giveUp(error),
    )
  }

  /** A listener threw, or the bytes make no sense: what is left of the conversation cannot be told apart any more. */
  #giveUp(error: unknown): void {
    const exchange = this.#queue[0]
    exchange?.reject(error)
    this.destroy()
  }

  #handle(frame: BackendFrame): Promise<void> | undefined {
    const exchange = this.#queue[0]
    if (frame.type === BACKEND_TYPE.errorResponse) {
      const error = parseErrorResponse(frame.body)
      // A server that is being stopped says so unasked, and then closes.
      if (error.severity !== 'ERROR') this.#lastWords = error
    }
    if (exchange === undefined) return undefined
    if (frame.type === BACKEND_TYPE.copyInResponse && !exchange.hasCopyData) {
      throw new PgError(SQL_STATE.featureNotSupported, 'COPY FROM STDIN is not possible here')
    }
    const pause = exchange.isAborted ? undefined : exchange.listener(frame)
    if (frame.type === BACKEND_TYPE.readyForQuery) {
      this.#transactionStatus = parseReadyForQuery(frame.body)
      exchange.syncsLeft--
      if (exchange.syncsLeft === 0) this.#finish(exchange)
    }
    return pause instanceof Promise ? pause : undefined
  }

  #finish(exchange: Exchange): void {
    this.#queue.shift()
    const next = this.#queue[0]
    // A late cancellation must not hit whoever uses the connection next.
    if (this.#cancelSent === undefined) exchange.resolve()
    else void this.#cancelSent.then(() => exchange.resolve())
    if (next?.isAborted === true) this.#cancelHead(next)
  }

  #abort(exchange: Exchange): void {
    exchange.isAborted = true
    if (this.#queue[0] === exchange) this.#cancelHead(exchange)
  }

  /** Asks again until the exchange ends: a server that has not yet read the statement ignores the request. */
  #cancelHead(exchange: Exchange, deadlineMs = performance.now() + CANCEL_DEADLINE_MS): void {
    if (this.#queue[0] !== exchange || this.isLost) return
    if (performance.now() > deadlineMs) {
      this.destroy()
      return
    }
    this.#cancelSent = this.#cancel().then(() => {
      this.#cancelSent = undefined
      setTimeout(() => this.#cancelHead(exchange, deadlineMs), CANCEL_REPEAT_MS).unref()
    })
  }

  /** Sends a CancelRequest; resolves when the server has acted on it (it closes the connection). */
  #cancel(): Promise<void> {
    const { path, processId, secretKey } = this.#identity
    return new Promise((resolve) => {
      const socket = createConnection(path)
      socket.setTimeout(CANCEL_DEADLINE_MS, () => socket.destroy())
      socket.on('error', () => socket.destroy())
      socket.once('close', () => resolve())
      socket.resume()
      socket.end(new FrontendWriter().cancelRequest(processId, secretKey).take())
    })
  }

  #lose(): void {
    if (this.isLost) return
    const error = new ConnectionLostError(this.#lastWords)
    this.#lost.abort(error)
    this.#socket.destroy()
    for (const exchange of this.#queue.splice(0)) exchange.reject(error)
  }
}
