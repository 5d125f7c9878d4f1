#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend, CallOptions } from './backend/backend.ts'
import { BackendError } from './backend/backend-error.ts'
import { bugEvents } from './base/channels.ts'
import { ListenError } from './base/listen-error.ts'
import { raceAbort } from './base/race-abort.ts'
import { ClusterError } from './companion/cluster-error.ts'
import { startCompanion } from './companion/companion.ts'
import type { Companion } from './companion/companion-types.ts'
import { findPostgresBinaries, type PostgresBinaries } from './companion/postgres-binaries.ts'
import { ConfigError } from './config/config-error.ts'
import { readEnvironment } from './config/env.ts'
import { helpText } from './config/help.ts'
import { type Config, type EmbeddedConfig, loadConfig } from './config/load-config.ts'
import { formatAddress } from './config/option-values.ts'
import { ScratchCluster } from './emulate/scratch-cluster.ts'
import { type RunningServer, startServer } from './net/server.ts'
import { type HealthServer, startHealthServer } from './observe/health.ts'
import { createLog, logReady, logWarnings, standardOutput } from './observe/log.ts'
import { logEvents } from './observe/log-events.ts'
import { Metrics } from './observe/metrics.ts'
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

/** How long clients may finish what they are in the middle of, after SIGTERM. */
const DRAIN_MS = 10_000
const EMBEDDED_INSTANCE = { project: 'spanwire', instance: 'embedded' }
const START_TIMEOUT_MS = 60_000
/** How long Spanner may take for what is asked of it at the start. */
const FIRST_CALL_TIMEOUT_MS = 30_000
const READY_CHECK_TIMEOUT_MS = 2_000

/** What is started, in order, and ended in the opposite order. */
class Parts {
  readonly #ends: (() => Promise<void>)[] = []
  readonly #starting = new Set<Promise<unknown>>()
  readonly #ending = new AbortController()

  /** Ends a start that is under way: it takes too long, or all of it is to end. */
  startSignal(): AbortSignal {
    return AbortSignal.any([this.#ending.signal, AbortSignal.timeout(START_TIMEOUT_MS)])
  }

  get isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  async add<T>(starting: Promise<T>, end: (part: T) => Promise<void>): Promise<T> {
    this.#starting.add(starting)
    try {
      const part = await starting
      this.#ends.push(() => end(part))
      return part
    } finally {
      this.#starting.delete(starting)
    }
  }

  async end(): Promise<void> {
    this.#ending.abort()
    while (this.#starting.size > 0) await Promise.allSettled(this.#starting)
    for (const end of this.#ends.splice(0).reverse()) await end()
  }
}

async function main(): Promise<void> {
  const startedAt = performance.now()
  const command = loadConfig(process.argv.slice(2), readEnvironment())
  if (command.kind === 'help' || command.kind === 'version') {
    process.stdout.write(command.kind === 'help' ? helpText() : `spanwire ${version()}\n`)
    return
  }
  const parts = new Parts()
  endOnSignal(parts)
  try {
    if (command.kind === 'embedded') await serveSpanner(command.config, parts, startedAt)
    else await run(command.config, parts, startedAt)
  } catch (error) {
    // A start that was given up fails, too.
    if (parts.isEnding) return
    await parts.end()
    throw error
  }
}

function startLog(level: string): ReturnType<typeof createLog> {
  const log = createLog({
    level,
    isTerminal: process.stdout.isTTY,
    destination: standardOutput(),
  })
  logEvents(log)
  logWarnings(log)
  return log
}

/** `spanwire embedded`: the embedded Spanner for clients of Spanner's own API. */
async function serveSpanner(
  config: EmbeddedConfig,
  parts: Parts,
  startedAt: number,
): Promise<void> {
  const log = startLog(config.logLevel)
  const signal = parts.startSignal()
  const binaries = await findPostgresBinaries({
    binDir: config.postgresBinDir,
    stateDir: config.dataDir,
    searchPath: readEnvironment().variables['PATH'],
    signal,
  })
  const { startEmbedded } = await import('./embedded/embedded-server.ts')
  const server = await parts.add(
    startEmbedded({
      binaries,
      dataDir: join(config.dataDir, 'embedded'),
      project: config.project ?? EMBEDDED_INSTANCE.project,
      instance: config.instance ?? EMBEDDED_INSTANCE.instance,
      profile: config.profile,
      listen: formatAddress(config.listen),
      signal,
    }),
    (part) => part.stop(),
  )
  logReady(log, {
    version: version(),
    addresses: [server.address],
    backend: server.instance,
    healthAddress: undefined,
    durationMs: performance.now() - startedAt,
  })
}

async function run(config: Config, parts: Parts, startedAt: number): Promise<void> {
  const log = startLog(config.logLevel)
  const metrics = new Metrics()
  metrics.subscribe()
  const behind = await startBehind(config, parts)
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
  logReady(log, {
    version: version(),
    addresses: server.addresses,
    backend: backend.description,
    healthAddress: health?.address,
    durationMs: performance.now() - startedAt,
  })
}

/** The companion and the backend, side by side: neither needs the other to start. */
async function startBehind(config: Config, parts: Parts): Promise<Behind> {
  const signal = parts.startSignal()
  const binaries = await findPostgresBinaries({
    binDir: config.postgresBinDir,
    stateDir: config.dataDir,
    searchPath: readEnvironment().variables['PATH'],
    signal,
  })
  const dataDir = join(config.dataDir, 'companion')
  const scratch = await parts.add(Promise.resolve(scratchCluster(config, binaries)), (part) =>
    part.stop(),
  )
  const [companion, backend] = await Promise.allSettled([
    parts.add(
      startCompanion({ binaries, dataDir, rolesFile: join(config.dataDir, 'roles.sql'), signal }),
      (part) => part.stop(),
    ),
    startBackend(config, binaries, parts),
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

async function startBackend(
  config: Config,
  binaries: PostgresBinaries,
  parts: Parts,
): Promise<Backend> {
  const options = await backendOptions(config, binaries, parts)
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

/** Spanner could not be asked, or said no, before anybody could be served. */
class StartError extends Error {}

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
  binaries: PostgresBinaries,
  parts: Parts,
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
  // 2 MB and a tenth of a second that other backends do without.
  const { startEmbedded } = await import('./embedded/embedded-server.ts')
  const embedded = await parts.add(
    startEmbedded({
      binaries,
      dataDir: join(config.dataDir, 'embedded'),
      ...EMBEDDED_INSTANCE,
      profile: config.profile,
      signal: parts.startSignal(),
    }),
    (part) => part.stop(),
  )
  const path = embedded.address.slice('unix:'.length)
  return { ...EMBEDDED_INSTANCE, endpoint: { kind: 'socket', path }, ...shared }
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

/** SIGTERM and SIGINT drain; the second one does not wait. */
function endOnSignal(parts: Parts): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (parts.isEnding) process.exit(1)
      parts.end().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      )
    })
  }
}

function version(): string {
  const file = join(import.meta.dirname, '..', '..', 'package.json')
  const { version: text } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return text
}

/** One clear line for what a person can mend; the stack for what is a defect. */
function fail(error: unknown): never {
  const isForeseen =
    error instanceof ConfigError ||
    error instanceof ClusterError ||
    error instanceof ListenError ||
    error instanceof StartError
  const text = error instanceof Error ? (isForeseen ? error.message : error.stack) : String(error)
  const shown = isForeseen ? text?.replaceAll(/\s*\n\s*/g, ' ') : text
  process.stderr.write(`spanwire: ${shown}\n`)
  process.exit(1)
}

main().catch(fail)
