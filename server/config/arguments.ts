import { parseArgs } from 'node:util'
import { ConfigError } from './config-error.ts'
import {
  COMMAND_FLAGS,
  EMBEDDED_COMMAND,
  EMBEDDED_OPTIONS,
  OPTIONS,
  UNBUILT_OPTIONS,
} from './options.ts'

/** The command line, unread: texts by option name. */
export interface Arguments {
  readonly flags: ReadonlyMap<string, readonly string[]>
  readonly configFile: string | undefined
  /** Set where a flag asks for a text and nothing else. */
  readonly command: 'help' | 'version' | undefined
  /** `embedded` came first: the embedded Spanner alone is to be served. */
  readonly isEmbedded: boolean
}

const SERVES_SPANNER: ReadonlySet<string> = new Set([
  ...EMBEDDED_OPTIONS.map((key) => OPTIONS[key].name),
  'config',
])
const OPTION_NAMES: ReadonlySet<string> = new Set(Object.values(OPTIONS).map(({ name }) => name))

/** Splits the command line into flags and their texts: `--name text` or `--name=text`. Throws {@link ConfigError}. */
export function parseArguments(argv: readonly string[]): Arguments {
  const flags = new Map<string, readonly string[]>()
  let command: Arguments['command']
  const isEmbedded = argv[0] === EMBEDDED_COMMAND
  for (const { name, value } of splitArguments(isEmbedded ? argv.slice(1) : argv)) {
    if (name === 'help' || name === 'version') command ??= name
    else flags.set(name, [...(flags.get(name) ?? []), value])
  }
  const [configFile, ...more] = flags.get('config') ?? []
  if (more.length > 0) throw new ConfigError('--config: it may be given only once')
  const foreign = isEmbedded
    ? [...flags.keys()].find((name) => !SERVES_SPANNER.has(name))
    : undefined
  if (foreign !== undefined) {
    throw new ConfigError(`--${foreign}: it has no meaning for spanwire ${EMBEDDED_COMMAND}`)
  }
  return { flags, configFile, command, isEmbedded }
}

interface Flag {
  readonly name: string
  /** Empty for a flag that takes none. */
  readonly value: string
}

function splitArguments(argv: readonly string[]): readonly Flag[] {
  const withValue = [...OPTION_NAMES, 'config']
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(withValue.map((name) => [name, { type: 'string' as const }])),
    strict: false,
    tokens: true,
  })
  return tokens
    .filter((token) => token.kind !== 'option-terminator')
    .map((token) => {
      if (token.kind === 'option') return { name: token.name, value: mustRead(token) }
      throw new ConfigError(`"${token.value}" is not a flag: see --help`)
    })
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  /** Whether the value came after `=`. */
  readonly inlineValue: boolean | undefined
}

function mustRead({ name, rawName, value, inlineValue }: OptionToken): string {
  if (UNBUILT_OPTIONS.has(name)) throw new ConfigError(`${rawName}: not available in this version`)
  const takesValue = OPTION_NAMES.has(name) || name === 'config'
  const isKnown = takesValue || Object.hasOwn(COMMAND_FLAGS, name)
  if (!isKnown || !rawName.startsWith('--')) {
    throw new ConfigError(`${rawName}: there is no such flag, see --help`)
  }
  if (!takesValue && value !== undefined) throw new ConfigError(`${rawName}: it takes no value`)
  const isNextFlag = value?.startsWith('--') && !inlineValue
  if (takesValue && (!value || isNextFlag)) throw new ConfigError(`${rawName}: a value is needed`)
  return value ?? ''
}
