import { dirname, join } from 'node:path'
import { parseArguments } from './arguments.ts'
import { ConfigError } from './config-error.ts'
import { readConfigFile } from './config-file.ts'
import type { Environment } from './env.ts'
import { formatAddress, isLoopback, type ListenAddress } from './option-values.ts'
import {
  EMBEDDED_LISTEN,
  OPTIONS,
  type OptionKey,
  type OptionSpec,
  UNBUILT_OPTIONS,
  variableOf,
} from './options.ts'

type ValueOf<S> = S extends OptionSpec<infer T> ? T : never
type Given<K extends OptionKey> = (typeof OPTIONS)[K]['isRepeatable'] extends true
  ? readonly ValueOf<(typeof OPTIONS)[K]>[]
  : (typeof OPTIONS)[K]['defaultText'] extends string
    ? ValueOf<(typeof OPTIONS)[K]>
    : ValueOf<(typeof OPTIONS)[K]> | undefined

/** Every option with its value, under the keys of {@link OPTIONS}. */
type GivenOptions = { readonly [K in OptionKey]: Given<K> }

/** What the program runs with. Sizes are bytes, times milliseconds, paths absolute. */
export interface Config extends GivenOptions {
  readonly dataDir: string
  readonly channels: number
  readonly maxSessions: number
  /** HOST:PORT of Google's emulator, from SPANNER_EMULATOR_HOST. */
  readonly spannerEmulatorHost: string | undefined
}

/** What `spanwire embedded` runs with. */
export type EmbeddedConfig = Pick<
  Config,
  'dataDir' | 'profile' | 'postgresBinDir' | 'logLevel' | 'project' | 'instance'
> & { readonly listen: ListenAddress }

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly config: Config }
  | { readonly kind: 'embedded'; readonly config: EmbeddedConfig }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }

/** Where a value came from, for messages, and what its paths are relative to. */
interface Source {
  readonly label: string
  readonly baseDirectory: string
  readonly texts: readonly string[]
}

/**
 * Reads flags, environment and file, in this order of precedence, over the defaults. Throws {@link ConfigError} with one line
 * that names what is wrong. `argv` begins after the program's name.
 */
export function loadConfig(argv: readonly string[], environment: Environment): Command {
  const { flags, configFile, command, isEmbedded } = parseArguments(argv)
  if (command !== undefined) return { kind: command }
  const filePath = configFile ?? environment.variables[variableOf('config')]
  const file = filePath
    ? readConfigFile(filePath, environment.workingDirectory)
    : { path: '', values: new Map<string, readonly string[]>() }
  refuseUnbuilt(environment)

  const sourceOf = (spec: OptionSpec<unknown>): Source | undefined => {
    const fromFlag = flags.get(spec.name)
    const inWorkingDirectory = { baseDirectory: environment.workingDirectory }
    if (fromFlag) return { ...inWorkingDirectory, label: `--${spec.name}`, texts: fromFlag }
    const variable = variableOf(spec.name)
    const fromVariable = environment.variables[variable]
    if (fromVariable) {
      const texts = spec.isRepeatable
        ? fromVariable.split(',').map((s) => s.trim())
        : [fromVariable]
      return { ...inWorkingDirectory, label: variable, texts }
    }
    const fromFile = file.values.get(spec.name)
    if (!fromFile && isEmbedded && spec.name === OPTIONS.listen.name) {
      return { ...inWorkingDirectory, label: '--listen', texts: [EMBEDDED_LISTEN] }
    }
    if (!fromFile) return undefined
    return {
      label: `${file.path}: ${spec.name.replaceAll('-', '_')}`,
      baseDirectory: dirname(file.path),
      texts: fromFile,
    }
  }
  if (isEmbedded) return { kind: 'embedded', config: embedded(readAll(sourceOf), environment) }
  return { kind: 'run', config: complete(readAll(sourceOf), environment) }
}

function embedded(given: GivenOptions, environment: Environment): EmbeddedConfig {
  const [listen, second] = given.listen
  if (listen === undefined || second !== undefined) {
    throw new ConfigError('--listen: spanwire embedded listens at one address')
  }
  if (listen.host === '*') throw new ConfigError('--listen: spanwire embedded needs a host, not *')
  refuseOpen(given)
  return { ...given, listen, dataDir: given.dataDir ?? defaultDataDirectory(environment) }
}

function refuseOpen(given: GivenOptions): void {
  const open = given.listen.find((address) => !isLoopback(address))
  if (open && !given.auth) {
    throw new ConfigError(
      `--listen: ${formatAddress(open)} can be reached from other machines, and anyone there could log in; --auth trust allows that`,
    )
  }
}

function readAll(sourceOf: (spec: OptionSpec<unknown>) => Source | undefined): GivenOptions {
  const values = Object.entries<OptionSpec<unknown>>(OPTIONS).map(([key, spec]) => [
    key,
    readOption(spec, sourceOf(spec)),
  ])
  // The compiler cannot see that each key got the value that its own entry of the table reads.
  return Object.fromEntries(values) as GivenOptions
}

function readOption(spec: OptionSpec<unknown>, source: Source | undefined): unknown {
  if (source === undefined) {
    const value = spec.defaultText === undefined ? undefined : spec.parse(spec.defaultText, '/')
    return spec.isRepeatable ? [value] : value
  }
  const values = source.texts.map((text) => {
    try {
      return spec.parse(text, source.baseDirectory)
    } catch (error) {
      throw new ConfigError(`${source.label}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    }
  })
  if (spec.isRepeatable) return values
  if (values.length === 1) return values[0]
  throw new ConfigError(`${source.label}: it may be given only once`)
}

/** What one option means for another, and the defaults that depend on the surroundings. */
function complete(given: GivenOptions, environment: Environment): Config {
  const emulator = environment.variables['SPANNER_EMULATOR_HOST'] || undefined
  const project = given.project ?? (emulator ? 'spanwire' : undefined)
  const instance = given.instance ?? (emulator ? 'spanwire' : undefined)
  if (project && !instance)
    throw new ConfigError('--project needs --instance: a Spanner instance to serve')
  if (instance && !project)
    throw new ConfigError('--instance needs --project: the project that the instance is in')
  refuseOpen(given)
  const dataDir = given.dataDir ?? defaultDataDirectory(environment)
  // A channel carries a hundred calls at once. Each client needs a session, and the proxy's own work some more.
  const channels = given.channels ?? Math.max(4, Math.ceil(given.maxConnections / 100))
  const maxSessions = given.maxSessions ?? given.maxConnections + 64
  if (given.minSessions > maxSessions) {
    throw new ConfigError(`--min-sessions: ${given.minSessions} exceeds --max-sessions`)
  }
  const sizes = { channels, maxSessions }
  return { ...given, ...sizes, project, instance, dataDir, spannerEmulatorHost: emulator }
}

function defaultDataDirectory(environment: Environment): string {
  if (environment.isRoot) return '/var/lib/spanwire'
  const state = environment.variables['XDG_STATE_HOME']
  return join(state || join(environment.homeDirectory, '.local', 'state'), 'spanwire')
}

function refuseUnbuilt(environment: Environment): void {
  for (const name of UNBUILT_OPTIONS) {
    const variable = variableOf(name)
    if (environment.variables[variable])
      throw new ConfigError(`${variable}: not available in this version`)
  }
}
