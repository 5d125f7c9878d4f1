import type { Socket } from 'node:net'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { StartConversation } from '../wire/client-io.ts'
import { ClientRegistry } from './client-registry.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { type Endpoint, type Listener, listenTcp, listenUnix } from './listener.ts'

/** How long a conversation may take to notice that what it runs has been aborted. */
const ABORT_MS = 2000

/** What a server is told. */
export interface ServerOptions {
  readonly listen: readonly Endpoint[]
  /** Where Unix sockets lie, one for each port; undefined: none. */
  readonly socketDir: string | undefined
  readonly maxConnections: number
  readonly authenticationTimeoutMs: number
  readonly maxMessageSizeBytes: number
  /** Called once for each client that is let in. */
  readonly startConversation: StartConversation
}

/** Accepts clients and serves them until it is stopped. */
export interface RunningServer {
  /** `host:port` and paths of Unix sockets, with the ports that were bound. */
  readonly addresses: readonly string[]
  readonly clientCount: number
  /**
   * Accepts no more, and ends every connection with 57P01: at once where nothing runs, else when what runs has been answered, or
   * after `graceMs`, as PostgreSQL's fast shutdown does. Resolves when their conversations are closed; one that does not hear that
   * its client is gone loses its socket and is not waited for.
   */
  stop(graceMs: number): Promise<void>
}

/** Listens at every address, or at none: a ListenError closes those that were open already. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const registry = new ClientRegistry(options.maxConnections)
  const connections = new Map<Connection, Promise<void>>()
  const host: ConnectionHost = { ...options, registry }
  // Sockets that have not started up are not counted as clients: they have a bound of their own, as in PostgreSQL.
  const maxSockets = 2 * options.maxConnections

  const onSocket = (socket: Socket): void => {
    if (connections.size >= maxSockets) {
      socket.destroy()
      return
    }
    const connection = new Connection(socket, host)
    connections.set(
      connection,
      connection.run().finally(() => connections.delete(connection)),
    )
  }
  const listeners = await listenEverywhere(options, onSocket)
  return {
    addresses: listeners.map(({ name }) => name),
    get clientCount() {
      return registry.clientCount
    },
    stop: async (graceMs) => {
      for (const listener of listeners) listener.close()
      await endAll(connections, graceMs)
    },
  }
}

async function listenEverywhere(
  { listen, socketDir }: ServerOptions,
  onSocket: (socket: Socket) => void,
): Promise<readonly Listener[]> {
  const listeners: Listener[] = []
  try {
    for (const endpoint of listen) listeners.push(await listenTcp(endpoint, onSocket))
    const ports = new Set(listeners.map(({ port }) => port))
    for (const port of ports) {
      if (socketDir !== undefined && port !== undefined) {
        listeners.push(await listenUnix(socketDir, port, onSocket))
      }
    }
    return listeners
  } catch (error) {
    for (const listener of listeners) listener.close()
    throw error
  }
}

type Connections = ReadonlyMap<Connection, Promise<void>>

async function endAll(connections: Connections, graceMs: number): Promise<void> {
  const goodbye = new PgError(
    SQL_STATE.adminShutdown,
    'terminating connection due to administrator command',
    { severity: 'FATAL' },
  )
  for (const connection of connections.keys()) connection.endWhenIdle(goodbye)
  await allClosed(connections, graceMs)
  for (const connection of connections.keys()) connection.terminate(goodbye)
  await allClosed(connections, ABORT_MS)
  for (const connection of connections.keys()) connection.destroy()
}

async function allClosed(connections: Connections, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs)
  })
  await Promise.race([Promise.all(connections.values()), deadline])
  clearTimeout(timer)
}
