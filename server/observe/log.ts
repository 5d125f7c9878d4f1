import { pino } from 'pino'
import { formatForTerminal } from './terminal-format.ts'

/** Where lines go: one call a line, the line break included. */
export interface LogDestination {
  write(line: string): void
}

/** How the log is written. */
export interface LogOptions {
  /** Least severe level that is written: `fatal`, `error`, `warn`, `info`, `debug` or `trace`. */
  readonly level: string
  /** Lines for people; else one JSON object a line, for machines. */
  readonly isTerminal: boolean
  readonly destination: LogDestination
}

/** The log. Keys are snake_case, `time` is ISO 8601 in UTC, `level` a word. */
export function createLog({ level, isTerminal, destination }: LogOptions): pino.Logger {
  const lines = isTerminal
    ? { write: (line: string) => destination.write(formatForTerminal(line)) }
    : destination
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err },
    },
    lines,
  )
}

/** Standard output, written at once so that no line is lost when the process dies; a full disk or a reader that went away ends nothing. */
export function standardOutput(): LogDestination {
  const destination = pino.destination({ fd: 1, sync: true })
  destination.on('error', () => undefined)
  return destination
}

/** google-auth-library's remark that no metadata server answers: where that matters, an error follows. */
const NO_METADATA_SERVER = 'MetadataLookupWarning'

/** Node's own warnings become lines of the log: standard error is for what ends the program. */
export function logWarnings(log: pino.Logger): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    log[name === NO_METADATA_SERVER ? 'debug' : 'warn']({ name }, message)
  })
}

/** What a server that accepts clients has to say. */
export interface ReadyReport {
  readonly version: string
  /** Addresses as the listeners name them. */
  readonly addresses: readonly string[]
  /** What is behind it, in a few words: `embedded`, `emulator at localhost:9010`, `projects/p/instances/i`. */
  readonly backend: string
  readonly healthAddress: string | undefined
  readonly durationMs: number
}

/** Says that clients are accepted. */
export function logReady(log: pino.Logger, report: ReadyReport): void {
  const { version, addresses, backend, healthAddress, durationMs } = report
  log.info(
    {
      version,
      addresses,
      backend,
      health_address: healthAddress,
      duration_ms: Math.round(durationMs),
    },
    `ready for connections at ${addresses.join(', ')}`,
  )
}
