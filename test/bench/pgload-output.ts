/** A window of one workload, or the median of several, as `pgload -json` writes it. Latencies and CPU are microseconds. */
export interface LoadResult {
  readonly workload: string
  readonly name: string
  readonly conc: number
  readonly phase: string
  readonly ops: number
  readonly ops_per_s: number
  readonly p50_us: number
  readonly p99_us: number
  readonly cpu_us_per_op: number
  /** What the rest of the machine burned meanwhile, in cores. */
  readonly other_cpu_cores: number
  readonly rpcs_per_op?: Readonly<Record<string, number>>
  readonly errors: number
  readonly first_error?: string
  /** `A` or `B` of a comparison. */
  readonly endpoint?: string
}

/** Reads the file of `pgload -json`; throws where it is something else. */
export function parseLoadResults(json: string): readonly LoadResult[] {
  const parsed: unknown = JSON.parse(json)
  if (!Array.isArray(parsed)) throw new Error('pgload wrote no list of results')
  for (const result of parsed) {
    for (const [field, kind] of REQUIRED) {
      if (typeof result?.[field] !== kind) throw new Error(`pgload wrote a result without ${field}`)
    }
  }
  return parsed as LoadResult[]
}

const REQUIRED = [
  ['workload', 'string'],
  ['conc', 'number'],
  ['phase', 'string'],
  ['ops_per_s', 'number'],
  ['p50_us', 'number'],
  ['p99_us', 'number'],
  ['cpu_us_per_op', 'number'],
  ['errors', 'number'],
] as const

/** Calls to Spanner for one operation; rows of mutations and aborts are no calls. */
export function rpcsPerOperation(result: LoadResult): number {
  return Object.entries(result.rpcs_per_op ?? {})
    .filter(([name]) => name !== 'mutation_rows' && !name.startsWith('('))
    .reduce((sum, [, count]) => sum + count, 0)
}

/** Memory of a process tree at one moment. */
export interface MemoryReading {
  readonly connections: number
  readonly when: string
  readonly rssMb: number
  readonly pssMb: number
}

const MEMORY_LINE = /^ *(\d+) connections (.*?) +RSS +([\d.]+) MB +PSS +([\d.]+) MB$/

/** Reads what `pgload rss` prints; throws where it could not open all connections. */
export function parseMemory(output: string): readonly MemoryReading[] {
  const failed = /^connection \d+: .*$/m.exec(output)
  if (failed !== null) throw new Error(`pgload rss: ${failed[0]}`)
  const readings = output.split('\n').flatMap((line) => {
    const [, connections, when = '', rss, pss] = MEMORY_LINE.exec(line) ?? []
    if (connections === undefined) return []
    return [{ connections: Number(connections), when, rssMb: Number(rss), pssMb: Number(pss) }]
  })
  if (readings.length === 0) throw new Error(`pgload rss printed no memory: ${output}`)
  return readings
}

/** One start of a process, up to the first SELECT 1 answered. */
export interface ColdStart {
  readonly seconds: number
  readonly cpuSeconds: number
}

const COLD_LINE = /^process start to first SELECT 1: ([\d.]+) s, ([\d.]+) s of CPU$/

/** Reads what `pgload cold` prints. */
export function parseColdStarts(output: string): readonly ColdStart[] {
  const starts = output.split('\n').flatMap((line) => {
    const [, seconds, cpu] = COLD_LINE.exec(line) ?? []
    return seconds === undefined ? [] : [{ seconds: Number(seconds), cpuSeconds: Number(cpu) }]
  })
  if (starts.length === 0) throw new Error(`pgload cold printed no start: ${output}`)
  return starts
}
