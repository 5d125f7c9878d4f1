import { createConnection, type Socket } from 'node:net'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { FRAME, type Frame, FrameSplitter } from './backend-frames.ts'
import {
  bodyOf,
  decodeError,
  decodeRowDescription,
  decodeTextRow,
  decodeTransactionStatus,
} from './backend-messages.ts'
import type { ServiceRow } from './companion-types.ts'
import { FrontendWriter } from './frontend-messages.ts'

export interface ConnectToServerOptions {
  /** Path of the Unix socket. */
  readonly path: string
  readonly user: string
  readonly database: string
  readonly settings: Readonly<Record<string, string>>
  /** Ends the attempt. */
  readonly signal: AbortSignal
}

/** Rejects what was under way when a connection is lost: 57P01, or what the server said last (57P02 after a crash of a sibling). */
export class ConnectionLostError extends PgError {
  constructor(reason?: PgError) {
    const code = reason?.code ?? SQL_STATE.adminShutdown
    const text = reason?.message ?? 'terminating connection due to administrator command'
    super(code, text, { severity: 'FATAL', cause: reason })
    this.name = 'ConnectionLostError'
  }
}

/** Sees the frames of an exchange as they come. Where it returns a promise, reading stops until that resolves. */
export type FrameListener = (frame: Frame) => void | Promise<void>

interface Exchange {
  syncsLeft: number
  readonly listener: FrameListener
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  /** The caller no longer wants the answer: to be cancelled as soon as it is the one that runs. */
  isAborted: boolean
}

/** How long a cancelled exchange may go on before the connection is given up. */
const CANCEL_DEADLINE_MS = 5_000
const CANCEL_REPEAT_MS = 100

/**
 * A connection to a server of ours: whole conversations are written at once and queue up behind one another (pipelining), and their answers
 * are told apart by counting ReadyForQuery. Bytes stay bytes: rows that only pass through are never decoded. COPY FROM STDIN is not spoken.
 */
export class ServerConnection {
  readonly processId: number
  readonly openedAtMs = performance.now()
  readonly #path: string
  readonly #secretKey: Buffer
  readonly #socket: Socket
  readonly #splitter: FrameSplitter
  readonly #queue: Exchange[] = []
  readonly #lost = new AbortController()
  #lastWords: PgError | undefined
  #transactionStatus = 'I'
  #cancelSent: Promise<void> | undefined

  constructor(socket: Socket, splitter: FrameSplitter, identity: ServerIdentity) {
    this.#socket = socket
    this.#splitter = splitter
    this.#path = identity.path
    this.processId = identity.processId
    this.#secretKey = identity.secretKey
    socket.on('data', (chunk) => this.#receive(chunk))
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

  /** `I`, `T` or `E` as of the last ReadyForQuery. */
  get transactionStatus(): string {
    return this.#transactionStatus
  }

  /** Whether exchanges are under way. */
  get isBusy(): boolean {
    return this.#queue.length > 0
  }

  /**
   * Sends `bytes`, which hold `syncs` Sync messages (or simple queries), and returns all frames up to and with the last ReadyForQuery. Errors of the
   * server are frames like others. When `signal` aborts, the server is asked to cancel; once it has (or after five seconds), the promise rejects with
   * the signal's reason. PostgreSQL signals a process and its group, so that a cancellation may also hit an exchange that was queued behind the
   * cancelled one, never one that is sent after the rejection. Loss of the connection is {@link ConnectionLostError}.
   */
  async exchange(bytes: Buffer, syncs: number, signal?: AbortSignal): Promise<readonly Frame[]> {
    const frames: Frame[] = []
    await this.stream({ bytes, syncs, signal }, (frame) => {
      frames.push(frame)
    })
    return frames
  }

  /** As `exchange`, but hands out each frame as it comes. */
  stream(
    request: { bytes: Buffer; syncs: number; signal?: AbortSignal | undefined },
    listener: FrameListener,
  ): Promise<void> {
    const { bytes, syncs, signal } = request
    if (this.isLost) return Promise.reject(this.#lost.signal.reason)
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const abort = () => this.#abort(exchange)
      const settle = () => signal?.removeEventListener('abort', abort)
      const exchange: Exchange = {
        syncsLeft: syncs,
        listener,
        isAborted: false,
        resolve: () => {
          settle()
          if (exchange.isAborted) reject(signal?.reason)
          else resolve()
        },
        reject: (error) => {
          settle()
          reject(exchange.isAborted ? signal?.reason : error)
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#queue.push(exchange)
      this.#socket.write(bytes)
    })
  }

  /** Runs one statement with text parameters and returns its rows as text. Throws what the server says. */
  async query(
    text: string,
    params: readonly (string | null)[] = [],
    signal?: AbortSignal,
  ): Promise<ServiceRow[]> {
    const bytes = new FrontendWriter()
      .parse(text)
      .bindText('', params)
      .describePortal()
      .execute()
      .sync()
      .take()
    return decodeRows(await this.exchange(bytes, 1, signal))
  }

  /** Runs statements separated by semicolons, as one simple query; one transaction unless they say otherwise. Rows are dropped. */
  async script(text: string, signal?: AbortSignal): Promise<void> {
    throwFirstError(await this.exchange(new FrontendWriter().query(text).take(), 1, signal))
  }

  /** Says goodbye and closes. What is under way rejects. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    if (!this.isLost) this.#socket.end(new FrontendWriter().terminate().take())
    const timer = setTimeout(() => this.#socket.destroy(), 1_000)
    await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    clearTimeout(timer)
  }

  /** Closes at once; the server notices when it next reads or writes. */
  destroy(): void {
    this.#socket.destroy()
    this.#lose()
  }

  #receive(chunk: Buffer): void {
    let frames: Frame[]
    try {
      frames = this.#splitter.push(chunk)
    } catch (error) {
      this.#lastWords = error instanceof PgError ? error : undefined
      this.destroy()
      return
    }
    this.#deliver(frames, 0)
  }

  /** Hands frames to the exchange at the head; stops reading while a listener is busy. */
  #deliver(frames: readonly Frame[], start: number): void {
    for (let index = start; index < frames.length; index++) {
      const frame = frames[index]
      if (frame === undefined) return
      const pause = this.#handle(frame)
      if (pause === undefined) continue
      this.#socket.pause()
      void pause.then(
        () => {
          this.#socket.resume()
          this.#deliver(frames, index + 1)
        },
        (error: unknown) => {
          this.#queue.shift()?.reject(error)
          this.destroy()
        },
      )
      return
    }
  }

  #handle(frame: Frame): Promise<void> | undefined {
    const exchange = this.#queue[0]
    if (frame.type === FRAME.errorResponse) {
      const error = decodeError(frame)
      // A server that is being stopped says so unasked, and then closes.
      if (error.severity !== 'ERROR') this.#lastWords = error
    }
    if (exchange === undefined) return undefined
    const pause = exchange.isAborted ? undefined : exchange.listener(frame)
    if (frame.type === FRAME.readyForQuery) {
      this.#transactionStatus = decodeTransactionStatus(frame)
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
    return new Promise((resolve) => {
      const socket = createConnection(this.#path)
      socket.setTimeout(CANCEL_DEADLINE_MS, () => socket.destroy())
      socket.on('error', () => socket.destroy())
      socket.once('close', () => resolve())
      socket.resume()
      socket.end(new FrontendWriter().cancelRequest(this.processId, this.#secretKey).take())
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

interface ServerIdentity {
  readonly path: string
  readonly processId: number
  readonly secretKey: Buffer
}

/** Rows of a conversation in text format, by column name. Throws the first error in it. */
export function decodeRows(frames: readonly Frame[]): ServiceRow[] {
  throwFirstError(frames)
  let names: readonly string[] = []
  const rows: ServiceRow[] = []
  for (const frame of frames) {
    if (frame.type === FRAME.rowDescription) {
      names = decodeRowDescription(frame).map((field) => field.name)
    } else if (frame.type === FRAME.dataRow) {
      const values = decodeTextRow(frame)
      rows.push(Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])))
    }
  }
  return rows
}

/** Throws the first ErrorResponse among `frames`. */
export function throwFirstError(frames: readonly Frame[]): void {
  const error = frames.find((frame) => frame.type === FRAME.errorResponse)
  if (error !== undefined) throw decodeError(error)
}

/** Opens a connection to a server that trusts its socket. Throws what the server says, or {@link ConnectionLostError} where it is not there. */
export function connectToServer(options: ConnectToServerOptions): Promise<ServerConnection> {
  const { path, user, database, settings, signal } = options
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const socket = createConnection(path)
    const splitter = new FrameSplitter()
    const identity = { path, processId: 0, secretKey: Buffer.alloc(0) }
    const settle = () => {
      signal.removeEventListener('abort', abort)
      socket.removeAllListeners()
    }
    const fail = (error: unknown) => {
      settle()
      socket.on('error', () => undefined)
      socket.destroy()
      reject(error)
    }
    const abort = () => fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.once('error', () => fail(new ConnectionLostError()))
    socket.once('close', () => fail(new ConnectionLostError()))
    socket.on('data', (chunk) => {
      try {
        for (const frame of splitter.push(chunk)) {
          if (!handleStartup(frame, identity)) continue
          settle()
          resolve(new ServerConnection(socket, splitter, identity))
        }
      } catch (error) {
        fail(error)
      }
    })
    socket.write(
      new FrontendWriter().startup({ user, database, client_encoding: 'UTF8', ...settings }).take(),
    )
  })
}

/** True when the server is ready. */
function handleStartup(frame: Frame, identity: { processId: number; secretKey: Buffer }): boolean {
  switch (frame.type) {
    case FRAME.errorResponse:
      throw decodeError(frame)
    case FRAME.authentication:
      if (bodyOf(frame).int32() === 0) return false
      throw new PgError(
        SQL_STATE.invalidAuthorizationSpecification,
        'the server asks for a password',
      )
    case FRAME.backendKeyData: {
      const reader = bodyOf(frame)
      identity.processId = reader.int32()
      identity.secretKey = Buffer.from(reader.bytes(reader.remaining))
      return false
    }
    default:
      return frame.type === FRAME.readyForQuery
  }
}
