import { test } from 'tap'
import {
  bugEvents,
  clientEvents,
  clusterEvents,
  emulationEvents,
  fallbackEvents,
  rpcEvents,
  statementEvents,
  transactionEvents,
} from '../../server/base/channels.ts'
import { Metrics } from '../../server/observe/metrics.ts'

const STATEMENT = { connId: 1, tag: 'SELECT', durationMs: 500, rows: 2, text: '' }

/** The samples of the text format: name and labels to value. */
function samplesOf(metrics: Metrics): ReadonlyMap<string, number> {
  const lines = metrics
    .text()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

test('events are counted', async (t) => {
  const metrics = new Metrics()
  const stop = metrics.subscribe()
  t.teardown(stop)
  for (const connId of [1, 2, 3]) {
    clientEvents.publish({ kind: 'connected', connId, remoteAddress: '' })
  }
  clientEvents.publish({ kind: 'disconnected', connId: 2, durationMs: 1, reason: '' })
  clientEvents.publish({ kind: 'refused', remoteAddress: '', sqlState: '53300', reason: '' })
  clientEvents.publish({ kind: 'cancel', remoteAddress: '', isKnown: true })
  statementEvents.publish({ ...STATEMENT, route: 'pushdown', sqlState: undefined })
  statementEvents.publish({ ...STATEMENT, route: 'pushdown', sqlState: undefined })
  statementEvents.publish({ ...STATEMENT, route: 'catalog', rows: 0, sqlState: '42P01' })
  rpcEvents.publish({ method: 'Commit', status: 'OK', durationMs: 250 })
  rpcEvents.publish({ method: 'Commit', status: 'ABORTED', durationMs: 250 })
  transactionEvents.publish({ kind: 'aborted', connId: 1, willReplay: true })
  transactionEvents.publish({
    kind: 'ended',
    connId: 1,
    outcome: 'commit',
    durationMs: 1,
    attempts: 2,
  })
  emulationEvents.publish({
    connId: 1,
    name: 'window-function',
    rows: 5,
    sizeBytes: 80,
    durationMs: 1,
  })
  fallbackEvents.publish({ connId: 1, reason: '', sql: '' })
  clusterEvents.publish({ kind: 'lost', cluster: 'companion', status: 1 })
  clusterEvents.publish({
    kind: 'started',
    madeFrom: 'nothing',
    cluster: 'companion',
    durationMs: 1,
  })
  bugEvents.publish({ connId: 1, error: new Error('x') })
  const samples = samplesOf(metrics)
  t.ok((samples.get('process_resident_memory_bytes') ?? 0) > 1_000_000)
  t.strictSame(
    [...samples].filter(([name]) => name.startsWith('spanwire_')),
    [
      ['spanwire_connections', 2],
      ['spanwire_connections_total', 3],
      ['spanwire_connections_refused_total{sqlstate="53300"}', 1],
      ['spanwire_cancel_requests_total{known="true"}', 1],
      ['spanwire_statements_total{route="pushdown",outcome="ok"}', 2],
      ['spanwire_statements_total{route="catalog",outcome="error"}', 1],
      ['spanwire_statement_seconds_total{route="pushdown"}', 1],
      ['spanwire_statement_seconds_total{route="catalog"}', 0.5],
      ['spanwire_rows_total{route="pushdown"}', 4],
      ['spanwire_rows_total{route="catalog"}', 0],
      ['spanwire_rpcs_total{method="Commit",status="OK"}', 1],
      ['spanwire_rpcs_total{method="Commit",status="ABORTED"}', 1],
      ['spanwire_rpc_seconds_total{method="Commit"}', 0.5],
      ['spanwire_transactions_total{outcome="commit"}', 1],
      ['spanwire_transaction_aborts_total', 1],
      ['spanwire_emulations_total{name="window-function"}', 1],
      ['spanwire_emulation_rows_total{name="window-function"}', 5],
      ['spanwire_fallbacks_total', 1],
      ['spanwire_cluster_losses_total{cluster="companion"}', 1],
      ['spanwire_bugs_total', 1],
    ],
  )
  stop()
  bugEvents.publish({ connId: 1, error: new Error('x') })
  t.equal(samplesOf(metrics).get('spanwire_bugs_total'), 1)
})

test('every sample has its HELP and TYPE before it', async (t) => {
  const metrics = new Metrics()
  t.teardown(metrics.subscribe())
  rpcEvents.publish({ method: 'a"b\\c\nd', status: 'OK', durationMs: 0 })
  const text = metrics.text()
  t.match(text, 'method="a\\"b\\\\c\\nd"')
  t.ok(text.endsWith('\n'))
  let current = ''
  for (const line of text.trimEnd().split('\n')) {
    const [, declared] = /^# TYPE (\S+) (?:counter|gauge)$/.exec(line) ?? []
    if (declared) current = declared
    else if (!line.startsWith('# HELP ')) t.ok(line.startsWith(current), line)
  }
})
