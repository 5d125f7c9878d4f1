#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend } from './backend/backend.ts'
import { BackendError } from './backend/backend-error.ts'
import { bugEvents } from './base/channels.ts'
import { ListenError } from './base/listen-error.ts'
import { ClusterError } from './companion/cluster-error.ts'
import { startCompanion } from './companion/companion.ts'
import type { Companion } from './companion/companion-types.ts'
import { findPostgresBinaries, type PostgresBinaries } from './companion/postgres-binaries.ts'
import { ConfigError } from './config/config-error.ts'
import { readEnvironment } from './config/env.ts'
import { helpText } from './config/help.ts'
import { type Config, loadConfig } from './config/load-config.ts'
import { startEmbedded } from './embedded/embedded-server.ts'
import { type RunningServer, startServer } from './net/server.ts'
import { type HealthServer, startHealthServer } from './observe/health.ts'
import { createLog, logReady, standardOutput } from './observe/log.ts'
import { logEvents } from './observe/log-events.ts'
import { Metrics } from './observe/metrics.ts'
import { Databases, ensureDatabase, MAINTENANCE_DATABASE } from './session/database-directory.ts'
import { Session } from './session/session.ts'
import { createSpannerBackend, type SpannerBackendOptions } from './spanner/spanner-backend.ts'
import { loadParser } from './sql/statement.ts'

/** How long clients may finish what they are in the middle of, after SIGTERM. */
const DRAIN_MS = 10_000
const EMBEDDED_INSTANCE = { project: 'spanwire', instance: 'embedded' }
const START_TIMEOUT_MS = 60_000
const READY_CHECK_TIMEOUT_MS = 2_000

/** What is started, in order, and ended in the opposite order. */
class Parts {
  readonly #ends: (() => Promise<void>)[] = []

  async add<T>(starting: Promise<T>, end: (part: T) => Promise<void>): Promise<T> {
    const part = await starting
    this.#ends.push(() => end(part))
    return part
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
  }
}

async function main(): Promise<void> {
  const startedAt = performance.now()
  const command = loadConfig(process.argv.slice(2), readEnvironment())
  if (command.kind !== 'run') {
    process.stdout.write(command.kind === 'help' ? helpText() : `spanwire ${version()}\n`)
    return
  }
  const parts = new Parts()
  try {
    await run(command.config, parts, startedAt)
  } catch (error) {
    await parts.end()
    throw error
  }
}

async function run(config: Config, parts: Parts, startedAt: number): Promise<void> {
  const log = createLog({
    level: config.logLevel,
    isTerminal: process.stdout.isTTY,
    destination: standardOutput(),
  })
  logEvents(log)
  const metrics = new Metrics()
  metrics.subscribe()
  const { companion, backend } = await startBehind(config, parts)
  const directory = new Databases(backend, companion)
  await directory.announce(AbortSignal.timeout(START_TIMEOUT_MS))
  const server = await parts.add(startFront(config, directory), (part) => part.stop(DRAIN_MS))
  const health = await startHealth(config, parts, { backend, server, metrics })
  logReady(log, {
    version: version(),
    addresses: server.addresses,
    backend: backend.description,
    healthAddress: health?.address,
    durationMs: performance.now() - startedAt,
  })
  endOnSignal(parts)
}

/** The companion and the backend, side by side: neither needs the other to start. */
async function startBehind(
  config: Config,
  parts: Parts,
): Promise<{ companion: Companion; backend: Backend }> {
  const signal = AbortSignal.timeout(START_TIMEOUT_MS)
  const binaries = await findPostgresBinaries({
    binDir: config.postgresBinDir,
    stateDir: config.dataDir,
    searchPath: readEnvironment().variables['PATH'],
    signal,
  })
  const dataDir = join(config.dataDir, 'companion')
  const [companion, backend] = await Promise.allSettled([
    parts.add(startCompanion({ binaries, dataDir, signal }), (part) => part.stop()),
    startBackend(config, binaries, parts),
    loadParser(),
  ])
  if (companion.status === 'rejected') throw companion.reason
  if (backend.status === 'rejected') throw backend.reason
  return { companion: companion.value, backend: backend.value }
}

async function startBackend(
  config: Config,
  binaries: PostgresBinaries,
  parts: Parts,
): Promise<Backend> {
  const signal = AbortSignal.timeout(START_TIMEOUT_MS)
  const options = await backendOptions(config, binaries, parts)
  const backend = await parts.add(createSpannerBackend(options), (part) => part.close())
  if (options.endpoint.kind === 'google') return backend
  const names = new Set([MAINTENANCE_DATABASE, config.database ?? MAINTENANCE_DATABASE])
  for (const name of names) await ensureDatabase(backend, name, signal)
  return backend
}

/** Cloud Spanner or the emulator where a project is named, else the embedded server. */
async function backendOptions(
  config: Config,
  binaries: PostgresBinaries,
  parts: Parts,
): Promise<SpannerBackendOptions> {
  const { project, instance, spannerEmulatorHost, channels } = config
  const sessions = { min: config.minSessions, max: config.maxSessions }
  if (project !== undefined && instance !== undefined) {
    const endpoint =
      spannerEmulatorHost === undefined
        ? ({ kind: 'google' } as const)
        : ({ kind: 'emulator', address: spannerEmulatorHost } as const)
    return { project, instance, endpoint, channels, sessions }
  }
  const embedded = await parts.add(
    startEmbedded({
      binaries,
      dataDir: join(config.dataDir, 'embedded'),
      socketDir: join(config.dataDir, 'spanner'),
      ...EMBEDDED_INSTANCE,
      signal: AbortSignal.timeout(START_TIMEOUT_MS),
    }),
    (part) => part.stop(),
  )
  const path = embedded.address.slice('unix:'.length)
  return { ...EMBEDDED_INSTANCE, endpoint: { kind: 'socket', path }, channels, sessions }
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
  behind: { readonly backend: Backend; readonly server: RunningServer; readonly metrics: Metrics },
): Promise<HealthServer | undefined> {
  if (config.healthListen === undefined) return undefined
  const source = {
    whyNotReady: async (signal: AbortSignal) => {
      await behind.backend.listDatabases({ timeoutMs: READY_CHECK_TIMEOUT_MS, signal })
      return undefined
    },
    metricsText: () => behind.metrics.text(),
  }
  return parts.add(startHealthServer(config.healthListen, source), (part) => part.close())
}

/** SIGTERM and SIGINT drain; the second one does not wait. */
function endOnSignal(parts: Parts): void {
  let isEnding = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(1)
      isEnding = true
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
    error instanceof BackendError
  const text = error instanceof Error ? (isForeseen ? error.message : error.stack) : String(error)
  process.stderr.write(`spanwire: ${text}\n`)
  process.exit(1)
}

main().catch(fail)
