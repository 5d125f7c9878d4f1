import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { connect as connectSocket } from 'node:net'
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

/** What happens to a call instead of being passed through. */
export type Fault =
  /** Answered with a status; the backend never sees it. */
  | { readonly kind: 'status'; readonly code: number; readonly message: string }
  /** The backend does its work, and its answer is lost. */
  | { readonly kind: 'lose-answer'; readonly code: number; readonly message: string }
  /** The client's connection is reset; the backend does its work first, or never sees the call. */
  | { readonly kind: 'reset'; readonly isDelivered: boolean }
  /** Passed on later, unless the client has given the call up by then. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }

/**
 * Stands between a client and any gRPC backend, passes every call on byte by byte, and keeps a record: for tests that count
 * RPCs and for tests that make them fail. It knows HTTP/2 and gRPC's framing, and nothing of Spanner but how to decode a
 * request when it is asked to.
 */
export class RecordingProxy {
  readonly address: string
  readonly calls: RecordedCall[] = []
  readonly #server: Http2Server
  readonly #target: string
  #upstream: ClientHttp2Session | undefined
  readonly #sessions = new Map<Http2Session, number>()
  #connections = 0
  #intercept: (call: RecordedCall) => Fault | undefined = () => undefined

  private constructor(server: Http2Server, target: string, address: string) {
    this.#server = server
    this.#target = target
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
  intercept(hook: (call: RecordedCall) => Fault | undefined): void {
    this.#intercept = hook
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
    this.#upstream?.destroy()
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
    this.calls.push(call)
    const fault = this.#intercept(call)
    if (fault?.kind === 'hold') await fault.until
    if (stream.destroyed) return
    if (fault?.kind === 'status') respondStatus(stream, fault)
    else if (fault?.kind === 'reset' && !fault.isDelivered) reset(stream)
    else {
      const lost = fault?.kind === 'hold' ? undefined : fault
      this.#forward(stream, { headers, body, lost })
    }
  }

  /** The connection to the backend; a new one where the last has gone. */
  #connection(): ClientHttp2Session {
    if (this.#upstream !== undefined && !this.#upstream.destroyed && !this.#upstream.closed) {
      return this.#upstream
    }
    const target = this.#target
    const upstream = target.startsWith('/')
      ? connect('http://localhost', { createConnection: () => connectSocket(target) })
      : connect(`http://${target}`)
    upstream.on('error', () => upstream.destroy())
    this.#upstream = upstream
    return upstream
  }

  #forward(
    stream: ServerHttp2Stream,
    call: {
      readonly headers: IncomingHttpHeaders
      readonly body: Buffer
      /** What the client gets in place of the answer. */
      readonly lost: Exclude<Fault, { readonly kind: 'hold' }> | undefined
    },
  ): void {
    const upstream = this.#connection().request(call.headers, { endStream: false })
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
      const { lost } = call
      if (lost !== undefined) {
        upstream.resume()
        upstream.on('end', () => {
          if (lost.kind === 'reset') reset(stream)
          else respondStatus(stream, lost)
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
      upstream.pipe(stream)
    })
    upstream.end(call.body)
  }
}

/** Undefined where the client gave up before the end. */
function readAll(stream: ServerHttp2Stream): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.on('close', () => resolve(undefined))
  })
}

/** gRPC's frames: a flag byte, four bytes of length, a message. */
function splitFrames(body: Buffer): Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at + 5 <= body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1)
    messages.push(body.subarray(at + 5, end))
    at = end
  }
  return messages
}

function reset(stream: ServerHttp2Stream): void {
  stream.session?.socket.resetAndDestroy()
}

function respondStatus(
  stream: ServerHttp2Stream,
  status: { readonly code: number; readonly message: string },
): void {
  if (stream.destroyed) return
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc+proto',
      'grpc-status': String(status.code),
      'grpc-message': encodeURIComponent(status.message),
    },
    { endStream: true },
  )
}
