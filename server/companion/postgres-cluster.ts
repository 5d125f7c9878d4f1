import { setTimeout as sleep } from 'node:timers/promises'
import { clusterEvents } from '../base/channels.ts'
import { PgError } from '../base/pg-error.ts'
import { raceAbort } from '../base/race-abort.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { ClusterError } from './cluster-error.ts'
import type { ClusterRecipe } from './cluster-template.ts'
import { connectToServer } from './connect-to-server.ts'
import { prepareDataDirectory } from './data-directory.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { ConnectionLostError, type ServerConnection } from './server-connection.ts'
import { launch } from './server-start.ts'
import { makeSocketDirectory, removeSocketDirectory, socketPath } from './socket-directory.ts'
import type { WatchedServer } from './watchdog.ts'

export interface ClusterOptions {
  /** For events and messages: `companion`, `embedded`... */
  readonly name: string
  readonly binaries: PostgresBinaries
  /** Made where it is missing. Exactly one server may use it at a time. */
  readonly dataDir: string
  /** Private directory of the socket; chosen below the system's temporary directory where absent, and then removed by `stop`. */
  readonly socketDir?: string | undefined
  /** Run-time settings of the server, under PostgreSQL's names. With `fsync=off` a new data directory is not waited for, either. */
  readonly settings: Readonly<Record<string, string>>
  /** What a new data directory gets; it counts for nothing else. */
  readonly recipe: ClusterRecipe
  /** Bound of each server process's address space, where the system has such a bound. */
  readonly addressSpaceKiB?: number | undefined
  /** Called each time the server's process runs, before it is ready. */
  readonly onLaunched?: (() => void) | undefined
  /** Called each time the server has started, before anybody else may connect; a failure fails the start. */
  readonly onStarted?: ((connect: Connect) => Promise<void>) | undefined
  /** Ends a start that is under way. */
  readonly signal: AbortSignal
}

/** Opens a connection to a server that has just started. */
export type Connect = (options: ConnectOptions) => Promise<ServerConnection>

export interface ConnectOptions {
  readonly user: string
  readonly database: string
  /** Run-time settings of the session, sent in the startup packet. */
  readonly settings?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

type State = 'running' | 'lost' | 'stopping' | 'stopped'

/** How long a fast shutdown may take before the immediate one. */
const FAST_STOP_DEADLINE_MS = 5_000
const FIRST_RESTART_DELAY_MS = 50
const LAST_RESTART_DELAY_MS = 5_000
const CONNECT_RETRY_MS = 20

/**
 * A PostgreSQL server of our own: one data directory, one private Unix socket, one process tree that never outlives this process. When the
 * server dies unasked it is started again, with growing pauses; whoever wants to connect meanwhile waits.
 */
export class PostgresCluster {
  readonly name: string
  readonly socketDir: string
  readonly binaries: PostgresBinaries
  readonly #options: ClusterOptions
  #server: WatchedServer
  #state: State = 'running'
  readonly #stopping = new AbortController()
  readonly #lostListeners = new Set<() => void>()
  readonly #backListeners = new Set<() => void>()
  readonly #connections = new Set<ServerConnection>()
  #back: Promise<void> = Promise.resolve()

  private constructor(options: ClusterOptions, socketDir: string, server: WatchedServer) {
    this.#options = options
    this.name = options.name
    this.binaries = options.binaries
    this.socketDir = socketDir
    this.#server = server
    this.#supervise()
  }

  /** Makes the data directory where needed and starts the server; resolves when it accepts connections. Throws ClusterError. */
  static async start(options: ClusterOptions): Promise<PostgresCluster> {
    const startedAt = performance.now()
    const { binaries, dataDir, recipe, signal } = options
    const durable = options.settings['fsync'] !== 'off'
    const origin = await prepareDataDirectory({ binaries, dataDir, recipe, durable, signal })
    const socketDir = await makeSocketDirectory(options.socketDir, dataDir, binaries.runAs)
    const server = await launchPrepared(options, socketDir, signal)
    const durationMs = performance.now() - startedAt
    clusterEvents.publish({ kind: 'started', cluster: options.name, durationMs, ...origin })
    return new PostgresCluster(options, socketDir, server)
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  /** Calls `listener` each time the server is lost. Returns what ends that. */
  onLost(listener: () => void): () => void {
    this.#lostListeners.add(listener)
    return () => this.#lostListeners.delete(listener)
  }

  /** Calls `listener` each time the server is back after a loss. Returns what ends that. */
  onBack(listener: () => void): () => void {
    this.#backListeners.add(listener)
    return () => this.#backListeners.delete(listener)
  }

  /** Resolves at once, or when the server is back. Throws ClusterError `stopped` after `stop`, and the signal's reason. */
  async whenRunning(signal: AbortSignal): Promise<void> {
    while (this.#state === 'lost') await raceAbort(this.#back, signal)
    signal.throwIfAborted()
    if (this.#state !== 'running') throw this.#stoppedError()
  }

  /**
   * Opens a connection, waiting for the server where it is being restarted or recovers from a crash; the signal bounds the wait. Whoever opens it
   * closes it. Throws what the server says (28000, 3D000, 53300...), ClusterError `stopped`, or the signal's reason.
   */
  async connect(options: ConnectOptions): Promise<ServerConnection> {
    const path = socketPath(this.socketDir)
    for (;;) {
      await this.whenRunning(options.signal)
      try {
        const connection = await connectToServer({ path, settings: {}, ...options })
        this.#connections.add(connection)
        connection.lost.addEventListener('abort', () => this.#connections.delete(connection), {
          once: true,
        })
        return connection
      } catch (error) {
        const isPassing =
          error instanceof ConnectionLostError ||
          (error instanceof PgError && error.code === SQL_STATE.cannotConnectNow)
        if (!isPassing) throw error
      }
      await sleep(CONNECT_RETRY_MS, undefined, { signal: options.signal })
    }
  }

  /** Stops the server: open transactions are rolled back and connections get 57P01. Resolves when no process is left. Harmless when called twice. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'stopping'
    this.#stopping.abort(this.#stoppedError())
    await this.#back.catch(() => undefined)
    const server = this.#server
    server.signal('INT')
    const timer = setTimeout(() => server.signal('QUIT'), FAST_STOP_DEADLINE_MS)
    await server.exited
    clearTimeout(timer)
    if (this.#options.socketDir === undefined) await removeSocketDirectory(this.socketDir)
    if (this.#isStopped()) return
    this.#state = 'stopped'
    clusterEvents.publish({ kind: 'stopped', cluster: this.name })
  }

  #isStopped(): boolean {
    return this.#state === 'stopped'
  }

  #stoppedError(): ClusterError {
    return new ClusterError('stopped', `the ${this.name} PostgreSQL has been stopped`)
  }

  /** Waits for the current server's end and, where nobody asked for it, starts the next one. */
  #supervise(): void {
    void this.#server.exited.then((status) => {
      if (this.#state !== 'running') return
      this.#state = 'lost'
      clusterEvents.publish({ kind: 'lost', cluster: this.name, status })
      for (const connection of [...this.#connections]) endOrphan(connection)
      this.#back = this.#restart()
      // A failure can only be `stop`, which the waiters see for themselves.
      this.#back.catch(() => undefined)
      for (const listener of this.#lostListeners) listener()
    })
  }

  async #restart(): Promise<void> {
    const lostAt = performance.now()
    const signal = this.#stopping.signal
    for (
      let delayMs = FIRST_RESTART_DELAY_MS;
      ;
      delayMs = Math.min(delayMs * 2, LAST_RESTART_DELAY_MS)
    ) {
      try {
        this.#server = await launchPrepared(this.#options, this.socketDir, signal)
        break
      } catch (error) {
        signal.throwIfAborted()
        const message = error instanceof Error ? error.message : String(error)
        clusterEvents.publish({ kind: 'restart-failed', cluster: this.name, message, delayMs })
      }
      await sleep(delayMs, undefined, { signal })
    }
    // `stop` waits for this promise and then ends the server that came back.
    if (signal.aborted) return
    this.#state = 'running'
    clusterEvents.publish({
      kind: 'back',
      cluster: this.name,
      durationMs: performance.now() - lostAt,
    })
    this.#supervise()
    for (const listener of this.#backListeners) listener()
  }
}

/** Starts the server and lets its owner prepare it. */
async function launchPrepared(
  options: ClusterOptions,
  socketDir: string,
  signal: AbortSignal,
): Promise<WatchedServer> {
  const server = await launch(options, socketDir, signal)
  const path = socketPath(socketDir)
  try {
    await options.onStarted?.((to) => connectToServer({ path, settings: {}, ...to }))
    return server
  } catch (error) {
    server.signal('QUIT')
    await server.exited
    throw error
  }
}

/**
 * A server process that is busy does not notice that the postmaster was killed, and as long as it lives no new server may use the data directory.
 * Nothing is lost with it: its transaction cannot be committed any more.
 */
function endOrphan(connection: ServerConnection): void {
  const isOver = connection.isLost
  connection.destroy()
  if (isOver) return
  try {
    process.kill(connection.processId, 'SIGQUIT')
  } catch (error) {
    const hasGone = error instanceof Error && 'code' in error && error.code === 'ESRCH'
    if (!hasGone) throw error
  }
}
