import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { ListenError, listenError } from '../base/listen-error.ts'
import { makeDirectory } from '../base/make-directory.ts'

/** Longest path of a Unix socket, in bytes (sun_path of struct sockaddr_un, without its zero byte; macOS has four less). */
const MAX_SOCKET_PATH_BYTES = 103

/** A place to listen at; host `*` is every address, port 0 any free port. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** One socket that accepts clients. */
export interface Listener {
  /** `host:port`, `[ipv6]:port`, or the path of a Unix socket. */
  readonly name: string
  /** The port that was bound; undefined for a Unix socket. */
  readonly port: number | undefined
  /** Accepts no more, and removes a Unix socket; the clients that are there stay. */
  close(): void
}

/** Accepts clients at a TCP address. Sockets are handed over with allowHalfOpen. Throws {@link ListenError}. */
export async function listenTcp(
  { host, port }: Endpoint,
  onSocket: (socket: Socket) => void,
): Promise<Listener> {
  const shown = host.includes(':') ? `[${host}]` : host
  const options = host === '*' ? { port } : { host, port, ipv6Only: host.includes(':') }
  const server = await listen(options, `${shown}:${port}`, onSocket)
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return { name: `${shown}:${bound}`, port: bound, close: () => server.close() }
}

/**
 * Accepts clients at `directory`/.s.PGSQL.`port`, as src/backend/libpq/pqcomm.c does. The directory is made where there is none; a
 * socket that nobody answers at is taken over. Throws {@link ListenError}.
 */
export async function listenUnix(
  directory: string,
  port: number,
  onSocket: (socket: Socket) => void,
): Promise<Listener> {
  const path = join(resolve(directory), `.s.PGSQL.${port}`)
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new ListenError(
      `cannot listen on ${path}: the path is longer than ${MAX_SOCKET_PATH_BYTES} bytes`,
    )
  }
  await clearPath(path, directory)
  const server = await listen({ path }, path, onSocket)
  // PostgreSQL's default of unix_socket_permissions: the directory decides who comes in.
  await chmod(path, 0o777)
  return { name: path, port: undefined, close: () => server.close() }
}

async function clearPath(path: string, directory: string): Promise<void> {
  try {
    await makeDirectory(directory)
    const found = await lstat(path).catch(() => undefined)
    if (!found) return
    if (found.isSocket() && !(await answers(path))) return await unlink(path)
  } catch (error) {
    throw listenError(path, error)
  }
  throw new ListenError(`cannot listen on ${path}: another server is there`)
}

function answers(path: string): Promise<boolean> {
  return new Promise((settle) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      settle(true)
    })
    probe.once('error', () => settle(false))
  })
}

function listen(
  options: ListenOptions,
  name: string,
  onSocket: (socket: Socket) => void,
): Promise<Server> {
  return new Promise((settle, reject) => {
    const server = createServer({ allowHalfOpen: true }, onSocket)
    server.once('error', (error) => reject(listenError(name, error)))
    server.listen(options, () => {
      server.removeAllListeners('error')
      // Afterwards only accept() fails (out of file descriptors): the next client may fare better.
      server.on('error', () => undefined)
      settle(server)
    })
  })
}
