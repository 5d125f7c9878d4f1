import { execFile } from 'node:child_process'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startSpanwire } from '../helpers/spanwire.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')

/** The runner that compares PostgreSQL's regression scripts statement by statement lies beside the project, or nowhere. */
const SUITES = process.env['SPANWIRE_SUITES_DIR'] ?? join(ROOT, '..', 'shared', 'suites')
const RUNNER = join(SUITES, 'pgregress', 'run')

/** Statements of each script whose output equalled PostgreSQL's when that was last written down. */
export const FLOOR_FILE = join(ROOT, 'test', 'regress', 'floor.json')

/** The scripts that are about queries. */
export const QUERY_SCRIPTS: readonly string[] = [
  ...['select', 'select_distinct', 'select_distinct_on', 'select_implicit', 'select_having'],
  ...['subselect', 'union', 'case', 'join', 'aggregates', 'limit', 'with', 'window'],
  ...['strings', 'numeric', 'date', 'timestamp', 'timestamptz', 'jsonb', 'arrays'],
  ...['interval', 'timetz', 'inet', 'macaddr', 'macaddr8', 'bit', 'money'],
]

/** Statements that print what PostgreSQL prints, by script. */
export interface Counts {
  readonly passed: number
  readonly all: number
}

export type Floor = Readonly<Record<string, Counts>>

export async function hasRunner(): Promise<boolean> {
  return access(RUNNER).then(
    () => true,
    () => false,
  )
}

export async function readFloor(): Promise<Floor> {
  return JSON.parse(await readFile(FLOOR_FILE, 'utf8')) as Floor
}

/** Runs scripts against the embedded backend. Rejects where the runner itself fails. */
export async function runScripts(names: readonly string[]): Promise<Floor> {
  const work = await mkdtemp(join(tmpdir(), 'spanwire-regress-'))
  const spanwire = await startSpanwire()
  try {
    const services = join(work, 'services.conf')
    // The runner asks for its own settings by PGOPTIONS; those of a service go before them.
    const options = '-c intervalstyle=postgres_verbose -c spanwire.emulation=on'
    await writeFile(services, `[regress]\noptions=${options}\n`)
    await promisify(execFile)(RUNNER, ['--out', work, '--label-timeout', '300', ...names], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        SUITES_CACHE: process.env['SUITES_CACHE'],
        PGHOST: spanwire.host,
        PGPORT: String(spanwire.port),
        PGUSER: 'postgres',
        PGDATABASE: 'postgres',
        PGSERVICE: 'regress',
        PGSERVICEFILE: services,
      },
      maxBuffer: 16 * 1024 * 1024,
    })
    return countsIn(await readFile(join(work, 'table.tsv'), 'utf8'))
  } finally {
    await spanwire.stop()
    await rm(work, { recursive: true, force: true })
  }
}

/** The runner's table: one line a script, its columns named in the first line. */
function countsIn(table: string): Floor {
  const [head = '', ...lines] = table.trim().split('\n')
  const columns = head.split('\t')
  const rows = lines.map((line) => {
    const cells = line.split('\t')
    return new Map(columns.map((column, index) => [column, cells[index] ?? '']))
  })
  return Object.fromEntries(
    rows
      .filter((row) => row.get('label') !== 'TOTAL')
      .map((row) => {
        const passed = Number(row.get('passed'))
        return [row.get('label') ?? '', { passed, all: passed + Number(row.get('failed')) }]
      }),
  )
}
