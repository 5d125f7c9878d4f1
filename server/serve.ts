import { join } from 'node:path'
import type { Backend, CallOptions } from './backend/backend.ts'
import { BackendError } from './backend/backend-error.ts'
import { bugEvents } from './base/channels.ts'
import { Bug } from './base/pg-error.ts'
import { raceAbort } from './base/race-abort.ts'
import { startCompanion } from './companion/companion.ts'
import type { Companion } from './companion/companion-types.ts'
import type { PostgresBinaries } from './companion/postgres-binaries.ts'
import type { Config } from './config/load-config.ts'
import { ScratchCluster } from './emulate/scratch-cluster.ts'
import { type RunningServer, startServer } from './net/server.ts'
import { type HealthServer, startHealthServer } from './observe/health.ts'
import { Metrics } from './observe/metrics.ts'
import { type Parts, START_TIMEOUT_MS } from './parts.ts'
import {
  type Behind,
  Databases,
  ensureDatabase,
  MAINTENANCE_DATABASE,
} from './session/database-directory.ts'
import { Session } from './session/session.ts'
import {
  createSpannerBackend,
  describeBackend,
  type SpannerBackendOptions,
} from './spanner/spanner-backend.ts'
import { loadParser } from './sql/postgres-parser.ts'
import { StartError } from './start-error.ts'

/** How long clients may finish what they are in the middle of, after SIGTERM. */
const DRAIN_MS = 10_000
/** How long Spanner may take for what is asked of it at the start. */
const FIRST_CALL_TIMEOUT_MS = 30_000
const READY_CHECK_TIMEOUT_MS = 2_000

/** The embedded Spanner, where it listens. */
export interface EmbeddedEndpoint {
  readonly project: string
  readonly instance: string
  /** Of its socket. */
  readonly path: string
}

/** What {@link serve} needs, some of which may still be starting. */
export interface Serving {
  readonly config: Config
  readonly parts: Parts
  readonly binaries: PostgresBinaries
  readonly companion: Promise<Companion>
  /** undefined where another Spanner is named. */
  readonly embedded: Promise<EmbeddedEndpoint | undefined>
}

/** What is served now, and where. */
export interface Served {
  readonly backend: string
  readonly addresses: readonly string[]
  readonly healthAddress: string | undefined
}

/** Starts all but the companion and listens for clients. Rejects with what a start can fail with: ClusterError, ListenError, StartError. */
export async function serve(serving: Serving): Promise<Served> {
  const { config, parts } = serving
  const metrics = new Metrics()
  metrics.subscribe()
  const behind = await startBehind(serving)
  const { companion, backend } = behind
  const facts = {
    maxConnections: config.maxConnections,
    listenAddresses: config.listen.map(({ host }) => host),
  }
  const directory = await parts.add(
    Promise.resolve(new Databases(behind, facts, config.advisoryLockLeaseMs)),
    (part) => part.close(),
  )
  await asked(backend.description, directory.announce(firstCall(parts)))
  const server = await parts.add(startFront(config, directory), (part) => part.stop(DRAIN_MS))
  const health = await startHealth(config, parts, { backend, companion, metrics })
  return {
    backend: backend.description,
    addresses: server.addresses,
    healthAddress: health?.address,
  }
}

/** The companion and the backend, side by side: neither needs the other to start. */
async function startBehind(serving: Serving): Promise<Behind> {
  const { config, parts, binaries } = serving
  const scratch = await parts.add(Promise.resolve(scratchCluster(config, binaries)), (part) =>
    part.stop(),
  )
  const [companion, backend] = await Promise.allSettled([
    serving.companion,
    startBackend(serving),
    loadParser(),
  ])
  if (companion.status === 'rejected') throw companion.reason
  if (backend.status === 'rejected') throw backend.reason
  return { companion: companion.value, backend: backend.value, scratch }
}

function scratchCluster(config: Config, binaries: PostgresBinaries): ScratchCluster {
  const dataDir = join(config.dataDir, 'scratch')
  return new ScratchCluster((stopping) =>
    startCompanion({
      name: 'scratch',
      binaries,
      dataDir,
      signal: AbortSignal.any([stopping, AbortSignal.timeout(START_TIMEOUT_MS)]),
    }),
  )
}

async function startBackend({ config, parts, embedded }: Serving): Promise<Backend> {
  const options = await backendOptions(config, parts, embedded)
  const description = describeBackend(options)
  const connecting = asked(description, createSpannerBackend(options))
  const backend = await parts.add(connecting, (part) => part.close())
  if (options.endpoint.kind === 'google') return backend
  const names = new Set([MAINTENANCE_DATABASE, config.database ?? MAINTENANCE_DATABASE])
  for (const name of names) {
    await asked(description, ensureDatabase(backend, name, firstCall(parts)))
  }
  return backend
}

function firstCall(parts: Parts): CallOptions {
  return { timeoutMs: FIRST_CALL_TIMEOUT_MS, signal: parts.startSignal() }
}

/** Names the Spanner that was asked in what it failed with. */
async function asked<T>(description: string, question: Promise<T>): Promise<T> {
  try {
    return await question
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    throw new StartError(`cannot use ${description}: ${error.message}`, { cause: error })
  }
}

/** Cloud Spanner or the emulator where a project is named, else the embedded server. */
async function backendOptions(
  config: Config,
  parts: Parts,
  starting: Serving['embedded'],
): Promise<SpannerBackendOptions> {
  const { project, instance, spannerEmulatorHost, channels } = config
  const sessions = { min: config.minSessions, max: config.maxSessions }
  const shared = { channels, sessions, signal: parts.startSignal() }
  if (project !== undefined && instance !== undefined) {
    const endpoint =
      spannerEmulatorHost === undefined
        ? ({ kind: 'google' } as const)
        : ({ kind: 'emulator', address: spannerEmulatorHost } as const)
    return { project, instance, endpoint, ...shared }
  }
  const embedded = await starting
  if (embedded === undefined) throw new Bug('no Spanner is named and none was started')
  const { path, ...names } = embedded
  return { ...names, endpoint: { kind: 'socket', path }, ...shared }
}

function startFront(config: Config, directory: Databases): Promise<RunningServer> {
  return startServer({
    listen: config.listen,
    socketDir: config.socketDir,
    maxConnections: config.maxConnections,
    authenticationTimeoutMs: config.authenticationTimeoutMs,
    maxMessageSizeBytes: config.maxMessageSizeBytes,
    startConversation: (io) =>
      new Session(io, {
        directory,
        onBug: (error, connId) => bugEvents.publish({ connId, error }),
      }),
  })
}

async function startHealth(
  config: Config,
  parts: Parts,
  behind: { readonly backend: Backend; readonly companion: Companion; readonly metrics: Metrics },
): Promise<HealthServer | undefined> {
  if (config.healthListen === undefined) return undefined
  const source = {
    whyNotReady: async (signal: AbortSignal) => {
      await behind.backend.listDatabases({ timeoutMs: READY_CHECK_TIMEOUT_MS, signal })
      const patience = AbortSignal.timeout(READY_CHECK_TIMEOUT_MS)
      return raceAbort(behind.companion.listDatabases(), AbortSignal.any([signal, patience])).then(
        () => undefined,
        () => 'the companion PostgreSQL does not answer',
      )
    },
    metricsText: () => behind.metrics.text(),
  }
  return parts.add(startHealthServer(config.healthListen, source), (part) => part.close())
}
