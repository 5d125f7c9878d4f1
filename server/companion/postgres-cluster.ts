import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { ClusterError } from './cluster-error.ts'
import { publishClusterEvent } from './cluster-events.ts'
import { connectToServer } from './connect-to-server.ts'
import { findRecycledPid, prepareDataDirectory, readPostmasterFile } from './data-directory.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { ConnectionLostError, type ServerConnection } from './server-connection.ts'
import {
  makeSocketDirectory,
  removeSocketDirectory,
  SOCKET_PORT,
  socketPath,
} from './socket-directory.ts'
import { WatchedServer } from './watchdog.ts'

export interface ClusterOptions {
  /** For events and messages: `companion`, `embedded`... */
  readonly name: string
  readonly binaries: PostgresBinaries
  /** Made where it is missing. Exactly one server may use it at a time. */
  readonly dataDir: string
  /** Private directory of the socket; chosen below the system's temporary directory where absent, and then removed by `stop`. */
  readonly socketDir?: string | undefined
  /** Run-time settings of the server, under PostgreSQL's names. `fsync=off` also makes initdb quick. */
  readonly settings: Readonly<Record<string, string>>
  /** Name of the bootstrap superuser; it counts at initdb only. */
  readonly superuser: string
  /** Size of a WAL segment at initdb; 16 where absent. */
  readonly walSegmentMiB?: number | undefined
  /** Bound of each server process's address space, where the system has such a bound. */
  readonly addressSpaceKiB?: number | undefined
  /** Ends a start that is under way. */
  readonly signal: AbortSignal
}

export interface ConnectOptions {
  readonly user: string
  readonly database: string
  /** Run-time settings of the session, sent in the startup packet. */
  readonly settings?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

type State = 'running' | 'lost' | 'stopping' | 'stopped'

/** How long a start may take: recovery after a kill reads WAL. */
const START_DEADLINE_MS = 60_000
/** How long a predecessor whose proxy was killed may take to end. */
const PREDECESSOR_DEADLINE_MS = 2_000
const READY_POLL_MS = 5
/** How long a fast shutdown may take before the immediate one. */
const FAST_STOP_DEADLINE_MS = 5_000
const FIRST_RESTART_DELAY_MS = 50
const LAST_RESTART_DELAY_MS = 5_000
const CONNECT_RETRY_MS = 20
const LOG_LINES_KEPT = 20

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
  #back: Promise<void> = Promise.resolve()

  private constructor(options: ClusterOptions, socketDir: string, server: WatchedServer) {
    this.#options = options
    this.name = options.name
    this.binaries = options.binaries
    this.socketDir = socketDir
    this.#server = server
    this.#supervise()
  }

  /** Initialises the data directory where needed and starts the server; resolves when it accepts connections. Throws ClusterError. */
  static async start(options: ClusterOptions): Promise<PostgresCluster> {
    const startedAt = performance.now()
    await prepareDataDirectory({
      binaries: options.binaries,
      dataDir: options.dataDir,
      superuser: options.superuser,
      durable: options.settings['fsync'] !== 'off',
      walSegmentMiB: options.walSegmentMiB ?? 16,
      signal: options.signal,
    })
    const runAs = options.binaries.runAs
    const socketDir = await makeSocketDirectory(options.socketDir, options.dataDir, runAs)
    const server = await launch(options, socketDir, options.signal)
    const durationMs = performance.now() - startedAt
    publishClusterEvent({ kind: 'started', cluster: options.name, durationMs })
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
        return await connectToServer({ path, settings: {}, ...options })
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
    publishClusterEvent({ kind: 'stopped', cluster: this.name })
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
      publishClusterEvent({ kind: 'lost', cluster: this.name, status })
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
        this.#server = await launch(this.#options, this.socketDir, signal)
        break
      } catch (error) {
        signal.throwIfAborted()
        const message = error instanceof Error ? error.message : String(error)
        publishClusterEvent({ kind: 'restart-failed', cluster: this.name, message, delayMs })
      }
      await sleep(delayMs, undefined, { signal })
    }
    // `stop` waits for this promise and then ends the server that came back.
    if (signal.aborted) return
    this.#state = 'running'
    publishClusterEvent({
      kind: 'back',
      cluster: this.name,
      durationMs: performance.now() - lostAt,
    })
    this.#supervise()
    for (const listener of this.#backListeners) listener()
  }
}

/** Starts a server and waits until it accepts connections; a predecessor that is just ending is waited for. */
async function launch(
  options: ClusterOptions,
  socketDir: string,
  signal: AbortSignal,
): Promise<WatchedServer> {
  const deadline = performance.now() + PREDECESSOR_DEADLINE_MS
  for (;;) {
    try {
      return await launchOnce(options, socketDir, signal)
    } catch (error) {
      const mayPass = error instanceof ClusterError && error.kind === 'in-use'
      if (!mayPass || performance.now() > deadline) throw error
    }
    await sleep(50, undefined, { signal })
  }
}

async function launchOnce(
  options: ClusterOptions,
  socketDir: string,
  signal: AbortSignal,
): Promise<WatchedServer> {
  signal.throwIfAborted()
  const { binaries, dataDir } = options
  const recycledPid = await findRecycledPid(dataDir)
  const server = new WatchedServer({
    file: join(binaries.binDir, 'postgres'),
    args: serverArguments(options, socketDir),
    environment: {
      ...binaries.environment,
      // The server takes a lock file with this pid for a stale one (src/backend/utils/init/miscinit.c, CreateLockFile).
      ...(recycledPid === undefined ? {} : { PG_GRANDPARENT_PID: String(recycledPid) }),
    },
    runAs: binaries.runAs,
    addressSpaceKiB: options.addressSpaceKiB,
  })
  const lines = keepLog(server, options.name)
  try {
    await waitUntilReady(server, dataDir, signal)
    return server
  } catch (error) {
    server.release()
    await server.exited
    if (!(error instanceof ServerEnded)) throw error
    throw await explainEnd(lines, options, error.status)
  }
}

function serverArguments(options: ClusterOptions, socketDir: string): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: socketDir,
    unix_socket_permissions: '0700',
    port: String(SOCKET_PORT),
    logging_collector: 'off',
    log_destination: 'stderr',
    ...options.settings,
  }
  const args = ['-D', options.dataDir]
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
  return args
}

/** Publishes the server's log line by line and keeps the last lines for messages. */
function keepLog(server: WatchedServer, cluster: string): readonly string[] {
  const lines: string[] = []
  createInterface({ input: server.log }).on('line', (line) => {
    lines.push(line)
    if (lines.length > LOG_LINES_KEPT) lines.shift()
    publishClusterEvent({ kind: 'log', cluster, line })
  })
  return lines
}

/** The server ended before it was ready. */
class ServerEnded extends Error {
  readonly status: number | undefined

  constructor(status: number | undefined) {
    super('the server ended')
    this.name = 'ServerEnded'
    this.status = status
  }
}

/** `postmaster.pid` says so when the server accepts connections, as pg_ctl knows it too. */
async function waitUntilReady(
  server: WatchedServer,
  dataDir: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS
  const ended = server.exited.then((status) => {
    throw new ServerEnded(status)
  })
  ended.catch(() => undefined)
  while (performance.now() < deadline) {
    signal.throwIfAborted()
    const file = await readPostmasterFile(dataDir)
    // Until the new server has written the file it may be a predecessor's.
    if (file?.status === 'ready' && file.pid === server.pid) return
    await Promise.race([ended, sleep(READY_POLL_MS)])
  }
  throw new ClusterError('failed', `PostgreSQL did not start within ${START_DEADLINE_MS / 1000} s`)
}

async function explainEnd(
  lines: readonly string[],
  options: ClusterOptions,
  status: number | undefined,
): Promise<ClusterError> {
  const fatal = lines.find((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1) ?? `status ${status}`
  const text = fatal.replace(/^.*?(FATAL|PANIC):\s*/, '')
  if (/lock file ".*" already exists|pre-existing shared memory block/.test(text)) {
    const pid = (await readPostmasterFile(options.dataDir))?.pid
    const who = pid === undefined ? '' : ` (process ${pid})`
    return new ClusterError(
      'in-use',
      `data directory ${options.dataDir} is in use by another PostgreSQL server${who}`,
    )
  }
  return new ClusterError('failed', `the ${options.name} PostgreSQL does not start: ${text}`)
}

/** Waits for `promise`, but not beyond the signal. */
async function raceAbort(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
