import {
  type ClientHttp2Stream,
  constants,
  createServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { BackendConnection } from './backend-connection.ts'
import { exitAtOnce } from './exit-at-once.ts'
import { FRAME_HEAD_BYTES, FrameReader, readAll, splitFrames } from './grpc-frames.ts'
import { cutNow, type Fault, passUntilCut, resetConnection, respondStatus } from './proxy-fault.ts'
import { decodeRequest, type Message } from './spanner-protos.ts'

/** One call that went through. */
export interface RecordedCall {
  /** Full path without the first slash, `google.spanner.v1.Spanner/Commit`. */
  readonly path: string
  /** The part after the slash. */
  readonly method: string
  readonly metadata: IncomingHttpHeaders
  /** Which of the clients' connections it came over, counted from 0. */
  readonly connection: number
  /** The messages of the request, as they came. */
  readonly messages: readonly Buffer[]
  /** The first message of the request, decoded with Google's protos. */
  request(): Message
}

/** Asked before a call is passed on; it may call the backend itself first. */
export type Intercept = (call: RecordedCall) => Fault | undefined | Promise<Fault | undefined>

/** Told of the first message of an answer, whether or not it reaches the client. */
export type Observe = (call: RecordedCall, message: Buffer) => void

/**
 * Stands between a client and any gRPC backend, passes every call on byte by byte, and keeps a record: for tests that count
 * RPCs and for tests that make them fail. It knows HTTP/2 and gRPC's framing, and nothing of Spanner but how to decode a
 * request when it is asked to.
 */
export class RecordingProxy {
  readonly address: string
  readonly calls: RecordedCall[] = []
  /** Whether `calls` grows: a long run under load does without. */
  isRecording = true
  readonly #server: Http2Server
  readonly #backend: BackendConnection
  readonly #sessions = new Map<Http2Session, number>()
  #connections = 0
  #intercept: Intercept = () => undefined
  #observe: Observe | undefined

  private constructor(server: Http2Server, target: string, address: string) {
    this.#server = server
    this.#backend = new BackendConnection(target)
    this.address = address
    server.on('session', (session) => {
      this.#sessions.set(session, this.#connections++)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => session.destroy())
    })
    server.on('stream', (stream, headers) => void this.#serve(stream, headers))
  }

  /** In front of `target`: `host:port`, or the path of a Unix socket; on a free port, or on that of a proxy that was stopped. */
  static async start(target: string, wantedPort = 0): Promise<RecordingProxy> {
    exitAtOnce()
    const server = createServer()
    const port = await new Promise<number>((resolve, reject) => {
      server.once('error', reject)
      server.listen(wantedPort, '127.0.0.1', () => {
        const address = server.address()
        if (address === null || typeof address === 'string') reject(new Error('no port'))
        else resolve(address.port)
      })
    })
    return new RecordingProxy(server, target, `127.0.0.1:${port}`)
  }

  /** From now on, asked before each call is passed on. */
  intercept(hook: Intercept): void {
    this.#intercept = hook
  }

  /** From now on, told of answers. */
  observe(hook: Observe): void {
    this.#observe = hook
  }

  /** A call of the proxy's own: no fault happens to it and no record is kept. Rejects with a BackendRefusal. */
  callBackend(path: string, request: object): Promise<Message> {
    return this.#backend.call(path, request)
  }

  /** The names of the methods called since `clear`, without those that manage sessions. */
  methods(): string[] {
    return this.calls.map(({ method }) => method).filter((method) => !method.includes('Session'))
  }

  /** How many clients' connections are open. */
  get connectionCount(): number {
    return this.#sessions.size
  }

  /** Asks every client to go: calls under way are finished, new ones need another connection. */
  sendGoaway(): void {
    for (const session of this.#sessions.keys()) session.goaway(constants.NGHTTP2_NO_ERROR)
  }

  /** Every client's connection breaks, with what is under way on it. */
  resetConnections(): void {
    for (const session of this.#sessions.keys()) session.socket.resetAndDestroy()
  }

  clear(): void {
    this.calls.length = 0
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions.keys()) session.destroy()
    this.#backend.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => stream.close())
    const body = await readAll(stream)
    if (body === undefined || stream.destroyed) return
    const path = String(headers[':path'] ?? '').slice(1)
    const messages = splitFrames(body)
    const call: RecordedCall = {
      path,
      method: path.slice(path.indexOf('/') + 1),
      metadata: headers,
      connection: stream.session === undefined ? -1 : (this.#sessions.get(stream.session) ?? -1),
      messages,
      request: () => decodeRequest(path, messages[0] ?? Buffer.alloc(0)),
    }
    if (this.isRecording) this.calls.push(call)
    try {
      const asked = await this.#intercept(call)
      if (asked?.kind === 'hold') await asked.until
      if (stream.destroyed) return
      const fault = asked?.kind === 'hold' ? undefined : asked
      if (fault?.kind === 'status') respondStatus(stream, fault)
      else if (fault?.kind === 'reset' && !fault.isDelivered) resetConnection(stream)
      else this.#forward(stream, { call, body, fault })
    } catch (error) {
      respondStatus(stream, { code: 13, message: `the proxy failed: ${String(error)}` })
    }
  }

  #forward(
    stream: ServerHttp2Stream,
    forwarded: {
      readonly call: RecordedCall
      readonly body: Buffer
      readonly fault: Exclude<Fault, { kind: 'status' | 'hold' }> | undefined
    },
  ): void {
    const { call, body, fault } = forwarded
    const upstream = this.#backend.request(call.metadata)
    let trailers: IncomingHttpHeaders = {}
    upstream.on('error', (error) => {
      if (stream.headersSent) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      else respondStatus(stream, { code: 14, message: `no backend: ${error.message}` })
    })
    stream.on('close', () => upstream.close(stream.rstCode))
    upstream.on('trailers', (received) => {
      trailers = received
    })
    upstream.on('response', (received, flags) => {
      if (this.#observe !== undefined) tellFirstMessage(upstream, call, this.#observe)
      if (fault?.kind === 'lose-answer' || fault?.kind === 'reset') {
        upstream.resume()
        upstream.on('end', () => {
          if (fault.kind === 'reset') resetConnection(stream)
          else respondStatus(stream, fault)
        })
        return
      }
      // A call that fails at once has its trailers where others have their headers, and no body.
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
        stream.respond(received, { endStream: true })
        return
      }
      stream.respond(received, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      if (fault === undefined || fault.how === 'drain') upstream.pipe(stream)
      if (fault !== undefined) cut(upstream, stream, fault)
    })
    upstream.end(body)
  }
}

function cut(
  upstream: ClientHttp2Stream,
  stream: ServerHttp2Stream,
  { afterMessages, how }: Extract<Fault, { kind: 'cut' }>,
): void {
  const now = () => cutNow(stream, how)
  if (how === 'drain') now()
  else passUntilCut(upstream, stream, { afterMessages, now })
}

function tellFirstMessage(upstream: ClientHttp2Stream, call: RecordedCall, observe: Observe): void {
  const reader = new FrameReader()
  const onData = (chunk: Buffer): void => {
    const [first] = reader.push(chunk)
    if (first === undefined) return
    upstream.off('data', onData)
    observe(call, first.subarray(FRAME_HEAD_BYTES))
  }
  upstream.on('data', onData)
}
