import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ALLOWED_READ_COMMITTED } from './checker/anomaly.ts'
import { checkHistory } from './checker/check-history.ts'
import { printHistory } from './checker/history.ts'
import { type FaultySpanwire, startFaultySpanwire } from './faulty-spanwire.ts'
import { runBank } from './workload/bank.ts'
import { runCounter } from './workload/counter.ts'
import { type ListAppendOptions, runListAppend } from './workload/list-append.ts'
import { MIXED_FAULTS, type RunOptions } from './workload/run-clients.ts'

/* A workload under faults, for as long as is wanted: `npm run chaos -- list-append --seconds 60`. Exit code 1 where something is wrong. */

const USAGE = `npm run chaos -- WORKLOAD [flags]

WORKLOAD is bank, list-append or counter (which knows no faults: --clients and --increments only).

  --backend embedded|emulator   what is behind the faults (embedded)
  --clients N                   (16)
  --seconds N                   (60)
  --kill-every SECONDS          kill -9 and restart of the proxy (5); 0 for never
  --isolation LEVEL             of list-append (serializable)
  --read-only                   one in five transactions of list-append is READ ONLY
  --increments N                of each client of counter (25)
  --seed N                      (1)
  --faults JSON                 probabilities by kind (${JSON.stringify(MIXED_FAULTS)})
  --history FILE                where the history goes, as JSON lines
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'embedded' },
    clients: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '60' },
    'kill-every': { type: 'string', default: '5' },
    isolation: { type: 'string', default: 'serializable' },
    increments: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: JSON.stringify(MIXED_FAULTS) },
    'read-only': { type: 'boolean', default: false },
    history: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  const [workload] = positionals
  const run = WORKLOADS.get(workload ?? '')
  if (values.help || run === undefined) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  const faulty = await startFaultySpanwire(values.backend === 'emulator' ? 'emulator' : 'embedded')
  if (faulty === undefined) return 2
  try {
    return (await run(faulty)) ? 0 : 1
  } finally {
    await faulty.stop()
  }
}

const WORKLOADS: ReadonlyMap<string, (faulty: FaultySpanwire) => Promise<boolean>> = new Map([
  ['bank', bank],
  ['list-append', listAppend],
  ['counter', counter],
])

function options(): RunOptions {
  const killEvery = Number(values['kill-every'])
  return {
    clients: Number(values.clients),
    seconds: Number(values.seconds),
    faults: { seed: Number(values.seed), ...(JSON.parse(values.faults) as object) },
    killEverySeconds: killEvery > 0 ? killEvery : undefined,
  }
}

async function bank(faulty: FaultySpanwire): Promise<boolean> {
  const { history, ...report } = await runBank(faulty, options())
  await keep(history.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  print(report)
  return report.faultsFound.length === 0
}

async function listAppend(faulty: FaultySpanwire): Promise<boolean> {
  const isolation = values.isolation as ListAppendOptions['isolation']
  const { history, ...report } = await runListAppend(faulty, {
    ...options(),
    isolation,
    withReadOnly: values['read-only'],
  })
  await keep(printHistory(history))
  const anomalies = checkHistory(history).map(({ kind, explanation }) => ({ kind, explanation }))
  print({ ...report, transactions: history.length, anomalies: anomalies.slice(0, 20) })
  if (isolation !== 'read committed') return anomalies.length === 0
  return anomalies.every(({ kind }) => ALLOWED_READ_COMMITTED.has(kind))
}

async function counter(faulty: FaultySpanwire): Promise<boolean> {
  const clients = Number(values.clients)
  const increments = Number(values.increments)
  const report = await runCounter(faulty, clients, increments)
  print(report)
  return report.total === clients * increments && report.tally.unexpected().length === 0
}

async function keep(lines: string): Promise<void> {
  if (values.history !== undefined) await writeFile(values.history, lines)
}

function print(report: object): void {
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
}

process.exitCode = await main()
