import type { ColdStart, LoadResult, MemoryReading } from './pgload-output.ts'
import { rpcsPerOperation } from './pgload-output.ts'

/** What one endpoint needs while it does nothing, holds connections, and starts. */
export interface EndpointFigures {
  readonly endpoint: string
  readonly memory: readonly MemoryReading[]
  readonly starts: readonly StartFigures[]
}

export interface StartFigures {
  readonly kind: string
  readonly starts: readonly ColdStart[]
}

/** The windows of one endpoint, one line each. */
export function workloadTable(results: readonly LoadResult[]): string {
  return markdownTable(
    ['workload', 'conc', 'ops/s', 'p50 us', 'p99 us', 'CPU us/op', 'RPC/op', 'other cores busy'],
    results.map((result) => [
      label(result),
      String(result.conc),
      figure(result.ops_per_s),
      figure(result.p50_us),
      figure(result.p99_us),
      figure(result.cpu_us_per_op),
      rpcsPerOperation(result).toFixed(2),
      result.other_cpu_cores.toFixed(1),
    ]),
  )
}

/**
 * Windows of two endpoints, as `pgload compare` took them by turns: A is PGAdapter, B is Spanwire, a ratio is B / A, so that
 * above 1 is better for operations a second and below 1 for the rest.
 */
export function comparisonTable(results: readonly LoadResult[]): string {
  const rows = results.flatMap((a, index) => {
    const b = results[index + 1]
    if (a.endpoint !== 'A' || b?.endpoint !== 'B') return []
    return [
      [
        label(a),
        String(a.conc),
        ...compared(a.ops_per_s, b.ops_per_s),
        ...compared(a.p50_us, b.p50_us),
        ...compared(a.p99_us, b.p99_us),
        ...compared(a.cpu_us_per_op, b.cpu_us_per_op),
      ],
    ]
  })
  const triple = (what: string) => [`${what} PGAdapter`, 'Spanwire', 'ratio']
  return markdownTable(
    ['workload', 'conc', ...['ops/s', 'p50 us', 'p99 us', 'CPU us/op'].flatMap(triple)],
    rows,
  )
}

/** Memory and starts of the endpoints, side by side. */
export function endpointTable(figures: readonly EndpointFigures[]): string {
  const memory = figures.flatMap(({ endpoint, memory: readings }) =>
    readings.map(({ connections, when, rssMb, pssMb }) => [
      endpoint,
      `${connections} connections, ${when.replace(/ \(.*\)$/, '')}`,
      `${pssMb.toFixed(0)} MB PSS, ${rssMb.toFixed(0)} MB RSS`,
    ]),
  )
  const starts = figures.flatMap(({ endpoint, starts: kinds }) =>
    kinds.map(({ kind, starts: each }) => [
      endpoint,
      kind,
      `${median(each.map(({ seconds }) => seconds)).toFixed(2)} s, ${median(each.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)} s of CPU`,
    ]),
  )
  return markdownTable(['endpoint', 'what', 'figure'], [...memory, ...starts])
}

/** Windows with operations that failed: a sentence each. */
export function failures(results: readonly LoadResult[]): readonly string[] {
  return results
    .filter(({ errors, ops_per_s }) => errors > 0 || ops_per_s === 0)
    .map(
      (result) =>
        `${result.endpoint ?? ''} ${result.workload} at ${result.conc}: ${result.errors} errors, first: ${result.first_error ?? 'none'}`,
    )
}

/** The middle value; the mean of the two where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

function compared(a: number, b: number): readonly string[] {
  return [figure(a), figure(b), a === 0 ? '-' : (b / a).toFixed(2)]
}

function label({ workload, name }: LoadResult): string {
  return `${workload} ${name}`
}

/** Three significant digits, thousands separated. */
function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = line(widths.map((width) => '-'.repeat(width)))
  return [line(header), rule, ...rows.map(line)].join('\n')
}
