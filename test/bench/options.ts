import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** What a run of the bench does. */
export interface BenchOptions {
  /** Folder with the sources of fakespanner and pgload. */
  readonly benchDir: string
  /** Keys of pgload's workloads. */
  readonly workloads: readonly string[]
  readonly concurrency: readonly number[]
  /** Go durations. */
  readonly duration: string
  readonly warm: string
  /** Windows a figure. */
  readonly repeat: number
  /** Connections at which memory is read. */
  readonly connections: number
  /** Starts of each kind; 0 leaves them out. */
  readonly starts: number
  /** File for the results as JSON. */
  readonly json: string | undefined
  /** Java class path of PGAdapter; with it, everything is measured side by side. */
  readonly pgadapterClasspath: string | undefined
}

/** A command line that makes no sense, or what is not there; the message says what to do. */
export class BenchError extends Error {
  override readonly name = 'BenchError'
}

export const USAGE = `Usage: npm run bench -- [flags]

Measures the Spanwire in dist/ in front of a fake Spanner. Needs Go, and the programs of the bench's folder
(SPANWIRE_BENCH_DIR, else ../shared/bench beside the project).

  --workloads LIST           of a b c d e f j k l gt gb (default: all but f)
  --concurrency LIST         connections (default: 1,16; gt and gb: 1)
  --duration TIME            of a window (default: 1s)
  --repeat N                 windows a figure, of which the median counts (default: 3)
  --warm TIME                before the windows (default: 3s; 15s with PGAdapter)
  --connections N            open while memory is read; 0 leaves memory out (default: 200)
  --starts N                 of each kind; 0 leaves them out (default: 5)
  --json FILE                the results as JSON
  --pgadapter-classpath CP   also measure PGAdapter ('DIR/*', or SPANWIRE_BENCH_PGADAPTER) in interleaved windows
`

const FLAGS = {
  workloads: { type: 'string', default: 'a,b,c,d,k,e,j,l,gt,gb' },
  concurrency: { type: 'string', default: '1,16' },
  duration: { type: 'string', default: '1s' },
  repeat: { type: 'string', default: '3' },
  warm: { type: 'string' },
  connections: { type: 'string', default: '200' },
  starts: { type: 'string', default: '5' },
  json: { type: 'string' },
  'pgadapter-classpath': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

const KNOWN_WORKLOADS = new Set(['a', 'b', 'c', 'd', 'e', 'f', 'j', 'k', 'l', 'gt', 'gb'])
const GO_DURATION = /^\d+(\.\d+)?(ms|s|m)$/

/** Reads the command line; undefined where help was asked for. Throws BenchError. */
export function parseBenchOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  projectRoot: string,
): BenchOptions | undefined {
  const flags = readFlags(args)
  if (flags.help) return undefined
  const classpath = flags['pgadapter-classpath'] ?? environment['SPANWIRE_BENCH_PGADAPTER']
  const pgadapterClasspath = classpath === '' ? undefined : classpath
  const workloads = flags.workloads.split(',')
  for (const key of workloads) {
    if (!KNOWN_WORKLOADS.has(key)) throw new BenchError(`no workload ${key}`)
  }
  return {
    benchDir: environment['SPANWIRE_BENCH_DIR'] ?? join(projectRoot, '..', 'shared', 'bench'),
    workloads,
    concurrency: flags.concurrency.split(',').map((text) => count('--concurrency', text, 1)),
    duration: duration('--duration', flags.duration),
    warm: duration('--warm', flags.warm ?? (pgadapterClasspath === undefined ? '3s' : '15s')),
    repeat: count('--repeat', flags.repeat, 1),
    connections: count('--connections', flags.connections, 0),
    starts: count('--starts', flags.starts, 0),
    json: flags.json,
    pgadapterClasspath,
  }
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values
  } catch (error) {
    throw new BenchError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function count(flag: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least)
    throw new BenchError(`${flag}: ${text} is no number of at least ${least}`)
  return value
}

function duration(flag: string, text: string): string {
  if (!GO_DURATION.test(text)) throw new BenchError(`${flag}: ${text} is no duration such as 3s`)
  return text
}
