import {
  bugEvents,
  type ClientEvent,
  clientEvents,
  clusterEvents,
  emulationEvents,
  fallbackEvents,
  rpcEvents,
  statementEvents,
  transactionEvents,
} from '../base/channels.ts'

/** What is counted. Names follow Prometheus: counters end in _total, durations are in seconds. */
const METRICS = {
  spanwire_connections: ['gauge', 'Clients connected now.'],
  spanwire_connections_total: ['counter', 'Clients that were let in.'],
  spanwire_connections_refused_total: ['counter', 'Clients that were not let in, by SQLSTATE.'],
  spanwire_cancel_requests_total: ['counter', 'CancelRequests, by whether their key was right.'],
  spanwire_statements_total: ['counter', 'Statements answered, by route and outcome.'],
  spanwire_statement_seconds_total: ['counter', 'Time spent on statements, by route.'],
  spanwire_rows_total: ['counter', 'Rows returned or changed, by route.'],
  spanwire_rpcs_total: ['counter', 'Calls to Spanner, by method and status.'],
  spanwire_rpc_seconds_total: ['counter', 'Time spent in calls to Spanner, by method.'],
  spanwire_transactions_total: ['counter', 'Spanner transactions that ended, by outcome.'],
  spanwire_transaction_aborts_total: ['counter', 'Transactions that Spanner aborted.'],
  spanwire_emulations_total: [
    'counter',
    'Statements that were run over loaded rows, by what Spanner lacks.',
  ],
  spanwire_emulation_rows_total: [
    'counter',
    'Rows loaded for such statements, by what Spanner lacks.',
  ],
  spanwire_fallbacks_total: ['counter', 'Statements that Spanner refused and that were emulated.'],
  spanwire_cluster_losses_total: ['counter', 'Times that a PostgreSQL of ours ended by itself.'],
  spanwire_bugs_total: ['counter', 'Internal errors.'],
} as const satisfies Readonly<Record<string, readonly ['counter' | 'gauge', string]>>

type MetricName = keyof typeof METRICS
type Labels = Readonly<Record<string, string>>

/** Counts events, and prints the counts in Prometheus' text format 0.0.4. */
export class Metrics {
  readonly #values = new Map<string, Map<string, number>>()

  constructor() {
    for (const name of UNLABELLED) this.#add(name, 0)
  }

  /** Counts until the function that it returns is called. */
  subscribe(): () => void {
    const stops = [
      clientEvents.subscribe((event) => this.#countClient(event)),
      statementEvents.subscribe(({ route, sqlState, durationMs, rows }) => {
        const outcome = sqlState === undefined ? 'ok' : 'error'
        this.#add('spanwire_statements_total', 1, { route, outcome })
        this.#add('spanwire_statement_seconds_total', durationMs / 1000, { route })
        this.#add('spanwire_rows_total', rows, { route })
      }),
      rpcEvents.subscribe(({ method, status, durationMs }) => {
        this.#add('spanwire_rpcs_total', 1, { method, status })
        this.#add('spanwire_rpc_seconds_total', durationMs / 1000, { method })
      }),
      transactionEvents.subscribe((event) => {
        if (event.kind === 'aborted') this.#add('spanwire_transaction_aborts_total', 1)
        else this.#add('spanwire_transactions_total', 1, { outcome: event.outcome })
      }),
      emulationEvents.subscribe(({ name, rows }) => {
        this.#add('spanwire_emulations_total', 1, { name })
        this.#add('spanwire_emulation_rows_total', rows, { name })
      }),
      fallbackEvents.subscribe(() => this.#add('spanwire_fallbacks_total', 1)),
      clusterEvents.subscribe(({ kind, cluster }) => {
        if (kind === 'lost') this.#add('spanwire_cluster_losses_total', 1, { cluster })
      }),
      bugEvents.subscribe(() => this.#add('spanwire_bugs_total', 1)),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** The counts, one block a metric. */
  text(): string {
    const blocks = Object.entries(METRICS).map(([name, [type, help]]) => {
      const samples = this.#values.get(name) ?? new Map<string, number>()
      const lines = Array.from(samples, ([labels, value]) => `${name}${labels} ${value}`)
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n')
    })
    return `${[...blocks, residentMemory()].join('\n')}\n`
  }

  #countClient(event: ClientEvent): void {
    switch (event.kind) {
      case 'connected':
        this.#add('spanwire_connections', 1)
        this.#add('spanwire_connections_total', 1)
        return
      case 'disconnected':
        this.#add('spanwire_connections', -1)
        return
      case 'refused':
        this.#add('spanwire_connections_refused_total', 1, { sqlstate: event.sqlState })
        return
      case 'cancel':
        this.#add('spanwire_cancel_requests_total', 1, { known: String(event.isKnown) })
    }
  }

  #add(name: MetricName, amount: number, labels: Labels = {}): void {
    const samples = this.#values.get(name) ?? new Map<string, number>()
    this.#values.set(name, samples)
    const key = formatLabels(labels)
    samples.set(key, (samples.get(key) ?? 0) + amount)
  }
}

/** Shown with 0 before anything happened, so that rates can be computed from the start. */
const UNLABELLED = [
  'spanwire_connections',
  'spanwire_connections_total',
  'spanwire_transaction_aborts_total',
  'spanwire_fallbacks_total',
  'spanwire_bugs_total',
] as const satisfies readonly MetricName[]

/** Called for every event: no array, and no copy of a value that needs no escape. */
function formatLabels(labels: Labels): string {
  let pairs = ''
  for (const name in labels) {
    pairs += `${pairs === '' ? '' : ','}${name}="${escapeLabel(labels[name] ?? '')}"`
  }
  return pairs === '' ? '' : `{${pairs}}`
}

const NEEDS_ESCAPE = /[\\"\n]/

function escapeLabel(value: string): string {
  if (!NEEDS_ESCAPE.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function residentMemory(): string {
  return [
    '# HELP process_resident_memory_bytes Resident memory of the proxy itself.',
    '# TYPE process_resident_memory_bytes gauge',
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
  ].join('\n')
}
