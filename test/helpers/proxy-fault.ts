import { type ClientHttp2Stream, constants, type ServerHttp2Stream } from 'node:http2'
import { FrameReader } from './grpc-frames.ts'
import { type StatusTrailers, statusHeaders } from './rpc-status.ts'

/** What happens to a call instead of being passed through. */
export type Fault =
  /** Answered with a status; the backend never sees it. */
  | ({ readonly kind: 'status' } & StatusTrailers)
  /** The backend does its work, and its answer is lost. */
  | ({ readonly kind: 'lose-answer' } & StatusTrailers)
  /** The client's connection is reset; the backend does its work first, or never sees the call. */
  | { readonly kind: 'reset'; readonly isDelivered: boolean }
  /** Passed on later, unless the client has given the call up by then. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }
  /** The backend does its work; of its answer come at most `afterMessages` messages and no status. */
  | { readonly kind: 'cut'; readonly afterMessages: number; readonly how: Cut }

/**
 * How an answer is cut short: `stream` by RST_STREAM, `reset` by a TCP reset, `goaway` by GOAWAY and the end of the connection,
 * the last two with all other calls on it. `drain` cuts nothing: GOAWAY, and what is under way may finish.
 */
export type Cut = 'stream' | 'reset' | 'goaway' | 'drain'

/** Ends a call with nothing but a status. */
export function respondStatus(stream: ServerHttp2Stream, status: StatusTrailers): void {
  if (!stream.destroyed) stream.respond(statusHeaders(status), { endStream: true })
}

/** RST on the TCP connection, with everything that is under way on it. */
export function resetConnection({ session }: ServerHttp2Stream): void {
  if (session?.destroyed === false) session.socket.resetAndDestroy()
}

/** Passes whole messages on up to the fault's number (or the end of the answer), then cuts. */
export function passUntilCut(
  upstream: ClientHttp2Stream,
  stream: ServerHttp2Stream,
  cut: { readonly afterMessages: number; readonly now: () => void },
): void {
  const reader = new FrameReader()
  let left = cut.afterMessages
  const end = (): void => {
    upstream.off('data', onData)
    upstream.resume()
    // What was written before is on its way when the next turn begins.
    setImmediate(cut.now)
  }
  const onData = (chunk: Buffer): void => {
    for (const frame of reader.push(chunk).slice(0, left)) {
      left--
      stream.write(frame)
    }
    if (left === 0) end()
  }
  upstream.on('data', onData)
  upstream.once('end', () => {
    if (left > 0) end()
  })
}

/** Does to the client's stream, or to the connection below it, what the cut says. */
export function cutNow(stream: ServerHttp2Stream, how: Cut): void {
  const { session } = stream
  switch (how) {
    case 'stream':
      stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      return
    case 'reset':
      resetConnection(stream)
      return
    case 'goaway':
      if (session === undefined || session.destroyed) return
      session.goaway(constants.NGHTTP2_NO_ERROR)
      // The session's own end would reset each stream first. By then the client may have ended the connection.
      setImmediate(() => {
        if (!session.destroyed) session.socket.destroySoon()
      })
      return
    case 'drain':
      if (session?.destroyed === false) session.close()
  }
}
