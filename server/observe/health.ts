import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { listenError } from '../base/listen-error.ts'

/** How long an answer to /readyz may take. */
const READINESS_TIMEOUT_MS = 5000
const MAX_SOCKETS = 100

/** Where the health server listens; host `*` is every address, port 0 any free port. */
export interface HealthEndpoint {
  readonly host: string
  readonly port: number
}

/** What the health server asks. */
export interface HealthSource {
  /** Undefined where clients can be served; else why not, in a few words. It may throw: that is a reason, too. */
  readonly whyNotReady: (signal: AbortSignal) => Promise<string | undefined>
  /** Counts in Prometheus' text format. */
  readonly metricsText: () => string
}

export interface HealthServer {
  /** `host:port`, with the port that was bound. */
  readonly address: string
  /** Resolves when the port is free again; requests under way are cut off. */
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/**
 * Serves /healthz (200 as long as the process answers), /readyz (200 or 503) and /metrics over HTTP. Throws a ListenError where
 * the address cannot be had.
 */
export async function startHealthServer(
  { host, port }: HealthEndpoint,
  source: HealthSource,
): Promise<HealthServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 })
  server.maxConnections = MAX_SOCKETS
  server.on('request', (request, response) => {
    answer(request, source).then(
      (result) => send(response, request, result),
      (error: unknown) => send(response, request, text(500, `internal error: ${error}\n`)),
    )
  })
  const shown = host.includes(':') ? `[${host}]` : host
  await listen(server, { port, ...(host !== '*' && { host }) }, `${shown}:${port}`)
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return {
    address: `${shown}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage, source: HealthSource): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'GET only\n')
  const path = request.url?.split('?')[0]
  if (path === '/healthz') return text(200, 'ok\n')
  if (path === '/readyz') return await readiness(source)
  if (path === '/metrics') {
    return {
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: source.metricsText(),
    }
  }
  return text(404, 'try /healthz, /readyz or /metrics\n')
}

async function readiness({ whyNotReady }: HealthSource): Promise<Answer> {
  const reason = await whyNot(whyNotReady)
  return reason === undefined ? text(200, 'ready\n') : text(503, `not ready: ${reason}\n`)
}

async function whyNot(ask: HealthSource['whyNotReady']): Promise<string | undefined> {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      controller.abort()
      resolve(`no answer within ${READINESS_TIMEOUT_MS / 1000} seconds`)
    }, READINESS_TIMEOUT_MS)
  })
  try {
    return await Promise.race([ask(controller.signal), deadline])
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
  }
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}

function send(response: ServerResponse, request: IncomingMessage, { status, type, body }: Answer) {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function listen(
  server: Server,
  options: { readonly port: number; readonly host?: string },
  name: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(name, error)))
    server.listen(options, () => {
      server.removeAllListeners('error')
      // Afterwards only accept() fails (out of file descriptors): the next request may fare better.
      server.on('error', () => undefined)
      resolve()
    })
  })
}
