import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Endpoint, pgadapterEndpoint, spanwireEndpoint } from './endpoints.ts'
import { BenchError, type BenchOptions, parseBenchOptions, USAGE } from './options.ts'
import { type LoadResult, parseColdStarts, parseLoadResults, parseMemory } from './pgload-output.ts'
import { buildPrograms, type FakeSpannerProcess, runPgload, startFakeSpanner } from './programs.ts'
import { recordStatements } from './record-statements.ts'
import {
  comparisonTable,
  type EndpointFigures,
  endpointTable,
  failures,
  workloadTable,
} from './report.ts'

const PROJECT_ROOT = join(import.meta.dirname, '..', '..', '..')
const BULK_WORKLOADS: readonly string[] = ['gt', 'gb']
/** Rests before memory is read. */
const SETTLE = '2s'

/** What the parts of a run need. */
interface Bench {
  readonly options: BenchOptions
  readonly dir: string
  readonly pgload: string
  readonly fake: FakeSpannerProcess
  readonly spanwire: Endpoint
  readonly pgadapter: Endpoint | undefined
}

async function main(): Promise<void> {
  const options = parseBenchOptions(process.argv.slice(2), process.env, PROJECT_ROOT)
  if (options === undefined) {
    process.stdout.write(USAGE)
    return
  }
  const dir = await mkdtemp(join(tmpdir(), 'spanwire-bench-'))
  await chmod(dir, 0o755)
  try {
    await measure(options, dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function measure(options: BenchOptions, dir: string): Promise<void> {
  const programs = await buildPrograms(options.benchDir, dir)
  tell('recording what Spanwire sends')
  const statementsFile = join(dir, 'statements.json')
  await writeFile(statementsFile, JSON.stringify(await recordStatements()))
  const fake = await startFakeSpanner(programs.fakespanner, statementsFile)
  try {
    const fakeAddress = fake.address
    const main = join(PROJECT_ROOT, 'dist', 'spanwire', 'main.js')
    const classpath = options.pgadapterClasspath
    const bench: Bench = {
      options,
      dir,
      pgload: programs.pgload,
      fake,
      spanwire: await spanwireEndpoint(dir, { main, fakeAddress }),
      pgadapter:
        classpath === undefined
          ? undefined
          : await pgadapterEndpoint(dir, { classpath: existing(classpath), fakeAddress }),
    }
    await report(bench)
  } finally {
    await fake.stop()
  }
}

function existing(classpath: string): string {
  const folder = classpath.replace(/\/\*$/, '')
  if (!classpath.includes(':') && !existsSync(folder))
    throw new BenchError(`there is no ${folder} for PGAdapter`)
  return classpath
}

async function report(bench: Bench): Promise<void> {
  const { options, spanwire, pgadapter } = bench
  const windows = await measureWorkloads(bench)
  const figures: EndpointFigures[] = []
  for (const endpoint of pgadapter === undefined ? [spanwire] : [pgadapter, spanwire]) {
    figures.push(await measureEndpoint(bench, endpoint))
  }
  const table = pgadapter === undefined ? workloadTable(windows) : comparisonTable(windows)
  const machine = machineText()
  process.stdout.write(`${machine}\n\n${table}\n\n${endpointTable(figures)}\n`)
  if (options.json !== undefined) {
    const result = { date: new Date().toISOString(), machine, options, windows, figures }
    await writeFile(options.json, `${JSON.stringify(result, null, 1)}\n`)
  }
  const wrong = [...failures(windows), ...(await unforeseen(bench))]
  if (wrong.length > 0) throw new BenchError(`the figures are worth nothing:\n${wrong.join('\n')}`)
}

/** What Spanwire sent and the fake could not answer: then it measured an empty result. PGAdapter's own queries are its own. */
async function unforeseen({ fake, pgadapter }: Bench): Promise<readonly string[]> {
  if (pgadapter !== undefined) return []
  const statements = await fake.unknownStatements()
  return statements.map((sql) => `no canned reply for ${sql}`)
}

async function measureWorkloads(bench: Bench): Promise<readonly LoadResult[]> {
  const { workloads, concurrency } = bench.options
  const bulk = workloads.filter((key) => BULK_WORKLOADS.includes(key))
  const others = workloads.filter((key) => !BULK_WORKLOADS.includes(key))
  return [
    ...(await measureWindows(bench, others, concurrency)),
    ...(await measureWindows(bench, bulk, [1])),
  ]
}

async function measureWindows(
  { options, dir, pgload, fake, spanwire, pgadapter }: Bench,
  workloads: readonly string[],
  concurrency: readonly number[],
): Promise<readonly LoadResult[]> {
  if (workloads.length === 0) return []
  const file = join(dir, `${workloads[0]}.json`)
  const { target, start } = spanwire
  const endpoints =
    pgadapter === undefined
      ? ['run', '-first', '0s', '-target', target, '-start', start]
      : [
          'compare',
          ...['-target', pgadapter.target, '-start', pgadapter.start],
          ...['-target-b', target, '-start-b', start],
        ]
  await runPgload(pgload, [
    ...endpoints,
    ...['-fake', fake.httpAddress, '-json', file, '-w', workloads.join(',')],
    ...['-conc', concurrency.join(','), '-warm', options.warm],
    ...['-dur', options.duration, '-repeat', String(options.repeat)],
  ])
  return parseLoadResults(await readFile(file, 'utf8'))
}

async function measureEndpoint(
  { options, pgload }: Bench,
  endpoint: Endpoint,
): Promise<EndpointFigures> {
  const { name, target } = endpoint
  const memory: string[] = []
  if (options.connections > 0) {
    tell(`memory of ${name}`)
    const at = ['-target', target, '-start', endpoint.start, '-settle', SETTLE]
    memory.push(await runPgload(pgload, ['rss', ...at, '-conns', String(options.connections)]))
  }
  const starts = []
  for (const [kind, start] of options.starts === 0 ? [] : Object.entries(endpoint.starts)) {
    tell(`${kind} of ${name}`)
    const at = ['-target', target, '-start', start, '-repeat', String(options.starts)]
    starts.push({ kind, starts: parseColdStarts(await runPgload(pgload, ['cold', ...at])) })
  }
  return { endpoint: name, memory: memory.flatMap(parseMemory), starts }
}

function machineText(): string {
  const [cpu] = cpus()
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0)
  return `${cpus().length} x ${cpu?.model ?? 'CPU'}, ${gigabytes} GB, Node ${process.version}`
}

/** Progress goes to stderr, so that stdout is the tables alone. */
function tell(what: string): void {
  process.stderr.write(`== ${what}\n`)
}

main().catch((error: unknown) => {
  const isForeseen = error instanceof BenchError
  const text = error instanceof Error ? (isForeseen ? error.message : error.stack) : String(error)
  process.stderr.write(`bench: ${text}\n`)
  process.exitCode = 1
})
