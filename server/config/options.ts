import {
  durationBetween,
  integerBetween,
  LOG_LEVELS,
  oneOf,
  PROFILES,
  parseAddress,
  parsePath,
  parseResourceId,
  sizeBetween,
} from './option-values.ts'

/** One thing that the user may set. */
export interface OptionSpec<T> {
  /** Words joined by hyphens: the flag is `--name`, the variable `SPANWIRE_NAME`, the key of the file `name` with underscores. */
  readonly name: string
  /** What stands for the value in the help. */
  readonly placeholder: string
  /** Reads one value; paths are relative to `baseDirectory`. Throws what is wrong with the text. */
  readonly parse: (text: string, baseDirectory: string) => T
  /** Whether it may be given more than once (in variables: separated by commas; in the file: an array). */
  readonly isRepeatable: boolean
  /** The text that is read where nothing is given; undefined: there is no value then. */
  readonly defaultText: string | undefined
  /** What the help shows as default where no fixed text is. */
  readonly defaultNote?: string
  /** One sentence without a full stop. */
  readonly help: string
}

const MIB = 1024 ** 2

/**
 * Every option, in the order of the help. Names and units are PostgreSQL's where it has the thing (manual, chapter 20).
 */
export const OPTIONS = {
  listen: {
    name: 'listen',
    placeholder: 'HOST:PORT',
    parse: parseAddress,
    isRepeatable: true,
    defaultText: '127.0.0.1:5432',
    help: 'address to accept clients at',
  },
  socketDir: {
    name: 'socket-dir',
    placeholder: 'DIR',
    parse: parsePath,
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: 'none',
    help: 'directory for a Unix socket .s.PGSQL.<port>, one for each port listened at',
  },
  auth: {
    name: 'auth',
    placeholder: 'METHOD',
    parse: oneOf(['trust']),
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: 'trust, on loopback only',
    help: 'how clients prove who they are: trust believes anyone who reaches the port, and lets --listen go beyond loopback',
  },
  dataDir: {
    name: 'data-dir',
    placeholder: 'DIR',
    parse: parsePath,
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: '$XDG_STATE_HOME/spanwire or ~/.local/state/spanwire; as root /var/lib/spanwire',
    help: 'directory for the state that is kept between runs',
  },
  project: {
    name: 'project',
    placeholder: 'ID',
    parse: parseResourceId,
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: 'none; spanwire where SPANNER_EMULATOR_HOST is set',
    help: 'Google Cloud project; with --instance it selects Cloud Spanner, without both the embedded backend serves',
  },
  instance: {
    name: 'instance',
    placeholder: 'ID',
    parse: parseResourceId,
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: 'none; spanwire where SPANNER_EMULATOR_HOST is set',
    help: 'Spanner instance in that project',
  },
  database: {
    name: 'database',
    placeholder: 'NAME',
    parse: parseDatabaseName,
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: 'none',
    help: 'database that is made at the start where the backend is embedded or the emulator and does not have it',
  },
  profile: {
    name: 'profile',
    placeholder: 'NAME',
    parse: oneOf(PROFILES),
    isRepeatable: false,
    defaultText: 'production',
    help: `what the embedded backend takes and refuses: ${PROFILES.join(', ')}`,
  },
  postgresBinDir: {
    name: 'postgres-bin-dir',
    placeholder: 'DIR',
    parse: parsePath,
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: 'the binaries that were installed with Spanwire',
    help: 'directory with initdb and postgres, version 15 or newer',
  },
  maxConnections: {
    name: 'max-connections',
    placeholder: 'N',
    parse: integerBetween(1, 100_000),
    isRepeatable: false,
    defaultText: '200',
    help: 'clients at a time; one more gets 53300',
  },
  channels: {
    name: 'channels',
    placeholder: 'N',
    parse: integerBetween(1, 256),
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: 'one for each 100 of --max-connections, at least 4',
    help: 'connections to Spanner that calls are spread over',
  },
  minSessions: {
    name: 'min-sessions',
    placeholder: 'N',
    parse: integerBetween(0, 10_000),
    isRepeatable: false,
    defaultText: '1',
    help: 'Spanner sessions of each database that are kept while nobody needs them; without meaning where the server has multiplexed sessions',
  },
  maxSessions: {
    name: 'max-sessions',
    placeholder: 'N',
    parse: integerBetween(1, 100_000),
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: '64 more than --max-connections',
    help: 'Spanner sessions of each database at a time: who needs one more waits, and after a minute gets 53300; without meaning where the server has multiplexed sessions',
  },
  authenticationTimeoutMs: {
    name: 'authentication-timeout',
    placeholder: 'TIME',
    parse: durationBetween(1000, 600_000),
    isRepeatable: false,
    defaultText: '60s',
    help: 'time for a client to log in, in ms, s, min or h (s if no unit)',
  },
  maxMessageSizeBytes: {
    name: 'max-message-size',
    placeholder: 'SIZE',
    parse: sizeBetween(16 * 1024, 1023 * MIB),
    isRepeatable: false,
    defaultText: '64MB',
    help: 'longest message of a client, in B, kB, MB or GB (B if no unit)',
  },
  advisoryLockLeaseMs: {
    name: 'advisory-lock-lease',
    placeholder: 'TIME',
    parse: durationBetween(1000, 3_600_000),
    isRepeatable: false,
    defaultText: '30s',
    help: 'time after which other proxies may take the advisory locks of one that died, in ms, s, min or h (s if no unit)',
  },
  healthListen: {
    name: 'health-listen',
    placeholder: 'HOST:PORT',
    parse: parseAddress,
    isRepeatable: false,
    defaultText: undefined,
    defaultNote: 'none',
    help: 'address for HTTP: /healthz, /readyz and /metrics',
  },
  logLevel: {
    name: 'log-level',
    placeholder: 'LEVEL',
    parse: oneOf(LOG_LEVELS),
    isRepeatable: false,
    defaultText: 'info',
    help: `least severe lines to log: ${LOG_LEVELS.join(', ')}; SQL text appears at debug`,
  },
} as const satisfies Readonly<Record<string, OptionSpec<unknown>>>

export type OptionKey = keyof typeof OPTIONS

/** The word that stands before the flags where the embedded Spanner alone is to be served, to whatever speaks Spanner's API. */
export const EMBEDDED_COMMAND = 'embedded'

/** Where `spanwire embedded` listens unless it is told: where clients look for Google's emulator. */
export const EMBEDDED_LISTEN = '127.0.0.1:9010'

/** The options that have a meaning for `spanwire embedded`. */
export const EMBEDDED_OPTIONS: readonly OptionKey[] = [
  'listen',
  'auth',
  'dataDir',
  'project',
  'instance',
  'profile',
  'postgresBinDir',
  'logLevel',
]

/** Flags with an effect of their own; they have no variable and no key. */
export const COMMAND_FLAGS = {
  config: { placeholder: 'FILE', help: 'JSON file with options under their keys' },
  help: { placeholder: undefined, help: 'show this text' },
  version: { placeholder: undefined, help: 'show the version' },
} as const

/** Options that have a name already and are not built: whoever sets one is told so, not left to believe it works. */
export const UNBUILT_OPTIONS: ReadonlySet<string> = new Set([
  'hba-file',
  'routes',
  'ssl-ca-file',
  'ssl-cert-file',
  'ssl-key-file',
  'workers',
])

/** The environment variable of an option. */
export function variableOf(name: string): string {
  return `SPANWIRE_${name.replaceAll('-', '_').toUpperCase()}`
}

/** The key of an option in the file. */
export function fileKeyOf(name: string): string {
  return name.replaceAll('-', '_')
}

function parseDatabaseName(text: string): string {
  if (text.length > 0 && Buffer.byteLength(text) <= 63 && !text.includes('/')) return text
  throw new Error(`"${text}" is not a database name of 1 to 63 bytes without a slash`)
}
