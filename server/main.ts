#!/usr/bin/env node
import { join } from 'node:path'
import { ListenError } from './base/listen-error.ts'
import { ClusterError } from './companion/cluster-error.ts'
import { startCompanion } from './companion/companion.ts'
import { findPostgresBinaries, type PostgresBinaries } from './companion/postgres-binaries.ts'
import { ConfigError } from './config/config-error.ts'
import { readEnvironment } from './config/env.ts'
import { helpText } from './config/help.ts'
import { type Config, type EmbeddedConfig, loadConfig } from './config/load-config.ts'
import { formatAddress } from './config/option-values.ts'
import type { EmbeddedOptions, EmbeddedServer } from './embedded/embedded-server.ts'
import { createLog, logReady, logWarnings, standardOutput } from './observe/log.ts'
import { logEvents } from './observe/log-events.ts'
import { Parts } from './parts.ts'
import type { EmbeddedEndpoint } from './serve.ts'
import { StartError } from './start-error.ts'
import { version } from './version.ts'
import { holdYoungGeneration, letYoungGenerationGrow } from './young-generation.ts'

const EMBEDDED_INSTANCE = { project: 'spanwire', instance: 'embedded' }

async function main(): Promise<void> {
  const startedAt = performance.now()
  const command = loadConfig(process.argv.slice(2), readEnvironment())
  if (command.kind === 'help' || command.kind === 'version') {
    process.stdout.write(command.kind === 'help' ? helpText() : `spanwire ${version()}\n`)
    return
  }
  const parts = new Parts()
  endOnSignal(parts)
  holdYoungGeneration()
  try {
    if (command.kind === 'embedded') await serveSpanner(command.config, parts, startedAt)
    else await serveClients(command.config, parts, startedAt)
    letYoungGenerationGrow()
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

function findBinaries(
  { postgresBinDir, dataDir }: Pick<Config, 'postgresBinDir' | 'dataDir'>,
  signal: AbortSignal,
): Promise<PostgresBinaries> {
  const searchPath = readEnvironment().variables['PATH']
  return findPostgresBinaries({ binDir: postgresBinDir, stateDir: dataDir, searchPath, signal })
}

/** PostgreSQL starts while the rest of the program is loaded, which takes a tenth of a second and the main thread. */
async function serveClients(config: Config, parts: Parts, startedAt: number): Promise<void> {
  const log = startLog(config.logLevel)
  const signal = parts.startSignal()
  const binaries = await findBinaries(config, signal)
  const dataDir = join(config.dataDir, 'companion')
  const rolesFile = join(config.dataDir, 'roles.sql')
  let onLaunched: () => void = () => undefined
  const launched = new Promise<void>((resolve) => {
    onLaunched = resolve
  })
  const companion = parts.add(
    startCompanion({ binaries, dataDir, rolesFile, onLaunched, signal }),
    (part) => part.stop(),
  )
  await Promise.race([launched, companion])
  const embedded = startEmbeddedBackend(config, parts, binaries)
  // What they fail with is told where they are awaited.
  for (const starting of [companion, embedded]) starting.catch(() => undefined)
  const { serve } = await import('./serve.ts')
  const served = await serve({ config, parts, binaries, companion, embedded })
  logReady(log, { version: version(), ...served, durationMs: performance.now() - startedAt })
}

/** The embedded Spanner, unless another one is named. */
async function startEmbeddedBackend(
  config: Config,
  parts: Parts,
  binaries: PostgresBinaries,
): Promise<EmbeddedEndpoint | undefined> {
  if (config.project !== undefined && config.instance !== undefined) return undefined
  const server = await startEmbeddedServer(parts, {
    ...EMBEDDED_INSTANCE,
    binaries,
    dataDir: join(config.dataDir, 'embedded'),
    profile: config.profile,
    signal: parts.startSignal(),
  })
  return { ...EMBEDDED_INSTANCE, path: server.address.slice('unix:'.length) }
}

/** `spanwire embedded`: the embedded Spanner for clients of Spanner's own API. */
async function serveSpanner(
  config: EmbeddedConfig,
  parts: Parts,
  startedAt: number,
): Promise<void> {
  const log = startLog(config.logLevel)
  const signal = parts.startSignal()
  const server = await startEmbeddedServer(parts, {
    project: config.project ?? EMBEDDED_INSTANCE.project,
    instance: config.instance ?? EMBEDDED_INSTANCE.instance,
    binaries: await findBinaries(config, signal),
    dataDir: join(config.dataDir, 'embedded'),
    profile: config.profile,
    listen: formatAddress(config.listen),
    signal,
  })
  logReady(log, {
    version: version(),
    addresses: [server.address],
    backend: server.instance,
    healthAddress: undefined,
    durationMs: performance.now() - startedAt,
  })
}

async function startEmbeddedServer(
  parts: Parts,
  options: EmbeddedOptions,
): Promise<EmbeddedServer> {
  // 2 MB and a tenth of a second that other backends do without.
  const { startEmbedded } = await import('./embedded/embedded-server.ts')
  return parts.add(startEmbedded(options), (part) => part.stop())
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
