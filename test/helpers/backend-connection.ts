import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { frame, splitFrames } from './grpc-frames.ts'
import { decodeReply, encodeRequest, type Message } from './spanner-protos.ts'

/** A call of the proxy's own that the backend answered with an error. */
export class BackendRefusal extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** The way from a proxy to the gRPC server behind it; connects anew where the last connection has gone. */
export class BackendConnection {
  readonly #target: string
  #session: ClientHttp2Session | undefined

  /** To `host:port`, or to the path of a Unix socket. */
  constructor(target: string) {
    this.#target = target
  }

  /** Opens a stream with the headers of a call; the body is the caller's to send. */
  request(headers: IncomingHttpHeaders): ClientHttp2Stream {
    return this.#connected().request(headers, { endStream: false })
  }

  /** A call of our own. Rejects with a {@link BackendRefusal}. */
  async call(path: string, request: object): Promise<Message> {
    const stream = this.request({
      ':method': 'POST',
      ':path': `/${path}`,
      te: 'trailers',
      'content-type': 'application/grpc+proto',
    })
    const chunks: Buffer[] = []
    let trailers: IncomingHttpHeaders = {}
    stream.on('response', (headers) => {
      trailers = headers
    })
    stream.on('trailers', (headers) => {
      trailers = headers
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.end(frame(encodeRequest(path, request)))
    await new Promise<void>((resolve, reject) => {
      stream.once('close', resolve)
      stream.once('error', reject)
    })
    const code = Number(trailers['grpc-status'] ?? 14)
    if (code !== 0) throw new BackendRefusal(code, String(trailers['grpc-message'] ?? ''))
    const [message = Buffer.alloc(0)] = splitFrames(Buffer.concat(chunks))
    return decodeReply(path, message)
  }

  destroy(): void {
    this.#session?.destroy()
  }

  #connected(): ClientHttp2Session {
    const present = this.#session
    if (present !== undefined && !present.destroyed && !present.closed) return present
    const target = this.#target
    const session = target.startsWith('/')
      ? connect('http://localhost', { createConnection: () => connectSocket(target) })
      : connect(`http://${target}`)
    session.on('error', () => session.destroy())
    this.#session = session
    return session
  }
}
