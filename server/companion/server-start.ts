import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { clusterEvents } from '../base/channels.ts'
import { ClusterError } from './cluster-error.ts'
import { findRecycledPid, readPostmasterFile } from './data-directory.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { SOCKET_PORT } from './socket-directory.ts'
import { WatchedServer } from './watchdog.ts'

/** What a server needs to start on a data directory that is there. */
export interface StartOptions {
  /** For events and messages. */
  readonly name: string
  readonly binaries: PostgresBinaries
  readonly dataDir: string
  readonly settings: Readonly<Record<string, string>>
  readonly addressSpaceKiB?: number | undefined
  /** Called when the server's process runs: what follows is PostgreSQL's work. */
  readonly onLaunched?: (() => void) | undefined
}

/** How long a start may take: recovery after a kill reads WAL. */
const START_DEADLINE_MS = 60_000
/** How long a predecessor whose proxy was killed may take to end. */
const PREDECESSOR_DEADLINE_MS = 2_000
const READY_POLL_MS = 5
const LOG_LINES_KEPT = 20
/** How long the log of a server that has ended may take to be read; its orphans may hold it open. */
const LOG_DEADLINE_MS = 1_000

/** Starts a server and waits until it accepts connections; a predecessor that is just ending is waited for. Throws ClusterError. */
export async function launch(
  options: StartOptions,
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
  options: StartOptions,
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
  options.onLaunched?.()
  const log = keepLog(server, options.name)
  try {
    await waitUntilReady(server, dataDir, signal)
    return server
  } catch (error) {
    server.release()
    await server.exited
    if (!(error instanceof ServerEnded)) throw error
    // The end of a process can be told before its last words.
    await Promise.race([log.ended, sleep(LOG_DEADLINE_MS)])
    throw await explainEnd(log.lines, options, error.status)
  }
}

function serverArguments(options: StartOptions, socketDir: string): string[] {
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

interface KeptLog {
  readonly lines: readonly string[]
  readonly ended: Promise<void>
}

/** Publishes the server's log line by line and keeps the last lines for messages. */
function keepLog(server: WatchedServer, cluster: string): KeptLog {
  const lines: string[] = []
  const reader = createInterface({ input: server.log }).on('line', (line) => {
    lines.push(line)
    if (lines.length > LOG_LINES_KEPT) lines.shift()
    clusterEvents.publish({ kind: 'log', cluster, line })
  })
  return { lines, ended: new Promise((resolve) => reader.once('close', () => resolve())) }
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
  options: StartOptions,
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
