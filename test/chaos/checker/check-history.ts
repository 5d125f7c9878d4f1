import type { Anomaly, AnomalyKind } from './anomaly.ts'
import {
  DependencyGraph,
  type Edge,
  type EdgeKind,
  shortestPath,
  stronglyConnected,
} from './graph.ts'
import type { HistoryEntry } from './history.ts'
import {
  checkRead,
  type ExternalRead,
  externalReads,
  findLostAppends,
  findWriters,
  versionOrders,
  type Writers,
  writeKey,
} from './versions.ts'

const WRITES: ReadonlySet<EdgeKind> = new Set<EdgeKind>(['ww'])
const FLOWS: ReadonlySet<EdgeKind> = new Set<EdgeKind>(['ww', 'wr'])
const ALL: ReadonlySet<EdgeKind> = new Set<EdgeKind>(['ww', 'wr', 'rw'])

/**
 * Whether a history can be explained by transactions that ran one after the other: everything in it that cannot. A transaction
 * whose outcome is unknown may have happened: it counts as committed once somebody else has seen what it wrote.
 */
export function checkHistory(history: readonly HistoryEntry[]): readonly Anomaly[] {
  const writers = findWriters(history)
  const happened = transactionsThatHappened(history, writers)
  const anomalies: Anomaly[] = []
  const reads: ExternalRead[] = []
  for (const entry of happened) {
    const external = externalReads(entry)
    reads.push(...external.reads)
    anomalies.push(...external.anomalies)
  }
  for (const read of reads) anomalies.push(...checkRead(read, writers))
  const versions = versionOrders(reads)
  anomalies.push(...versions.anomalies, ...findLostAppends(reads, writers))
  const graph = dependencies(reads, versions.orders, writers)
  const byId = new Map(history.map((entry) => [entry.id, entry]))
  return [...anomalies, ...findCycles(graph, byId)]
}

function transactionsThatHappened(
  history: readonly HistoryEntry[],
  writers: Writers,
): readonly HistoryEntry[] {
  const seen = new Set<HistoryEntry>()
  for (const entry of history) {
    if (entry.outcome !== 'committed') continue
    for (const operation of entry.operations) {
      if (operation.kind !== 'read') continue
      for (const value of operation.values) {
        const writer = writers.get(writeKey(operation.key, value))
        if (writer !== undefined) seen.add(writer.entry)
      }
    }
  }
  return history.filter(
    (entry) => entry.outcome === 'committed' || (entry.outcome === 'unknown' && seen.has(entry)),
  )
}

/** Adya's direct serialization graph of what the reads tell. */
function dependencies(
  reads: readonly ExternalRead[],
  orders: ReadonlyMap<number, readonly number[]>,
  writers: Writers,
): DependencyGraph {
  const graph = new DependencyGraph()
  const writerOf = (key: number, value: number | undefined): number | undefined =>
    value === undefined ? undefined : writers.get(writeKey(key, value))?.entry.id
  for (const [key, order] of orders) {
    for (const [index, value] of order.entries()) {
      const next = order[index + 1]
      addEdge(graph, 'ww', {
        from: writerOf(key, value),
        to: writerOf(key, next),
        why: `appended ${value} to key ${key} before ${next}`,
      })
    }
  }
  for (const { entry, key, values } of reads) {
    const last = values.at(-1)
    const next = orders.get(key)?.[values.length]
    const from = writerOf(key, last)
    addEdge(graph, 'wr', {
      from,
      to: entry.id,
      why: `appended ${last} to key ${key}, which was read`,
    })
    const to = writerOf(key, next)
    addEdge(graph, 'rw', { from: entry.id, to, why: `read key ${key} without ${next}` })
  }
  return graph
}

function addEdge(
  graph: DependencyGraph,
  kind: EdgeKind,
  edge: {
    readonly from: number | undefined
    readonly to: number | undefined
    readonly why: string
  },
): void {
  const { from, to, why } = edge
  if (from !== undefined && to !== undefined) graph.add({ kind, from, to, why })
}

/** One anomaly for each component and each way in which it is cyclic, with a shortest cycle as its example. */
function findCycles(
  graph: DependencyGraph,
  byId: ReadonlyMap<number, HistoryEntry>,
): readonly Anomaly[] {
  const anomalies: Anomaly[] = []
  const report = (kind: AnomalyKind, cycle: readonly Edge[]): void => {
    const transactions = cycle.flatMap(({ from }) => byId.get(from) ?? [])
    const explanation = cycle.map((edge) => `T${edge.from} ${edge.why} -${edge.kind}-> T${edge.to}`)
    anomalies.push({ kind, transactions, explanation: explanation.join('; ') })
  }
  for (const component of stronglyConnected(graph, WRITES)) {
    const cycle = cycleThrough(graph, component, { first: 'ww', others: WRITES })
    if (cycle !== undefined) report('G0', cycle)
  }
  for (const component of stronglyConnected(graph, FLOWS)) {
    const cycle = cycleThrough(graph, component, { first: 'wr', others: FLOWS })
    if (cycle !== undefined) report('G1c', cycle)
  }
  for (const component of stronglyConnected(graph, ALL)) {
    const single = cycleThrough(graph, component, { first: 'rw', others: FLOWS })
    if (single !== undefined) report('G-single', single)
    // With a cycle of one anti-dependency in it, longer ones say nothing new.
    const several = single ?? cycleThrough(graph, component, { first: 'rw', others: ALL })
    if (single === undefined && several !== undefined) report('G2', several)
  }
  return anomalies
}

/** The shortest cycle of a component that begins with an edge of one kind and goes on over edges of others. */
function cycleThrough(
  graph: DependencyGraph,
  component: ReadonlySet<number>,
  kinds: { readonly first: EdgeKind; readonly others: ReadonlySet<EdgeKind> },
): readonly Edge[] | undefined {
  let best: readonly Edge[] | undefined
  for (const node of component) {
    for (const edge of graph.from(node, new Set([kinds.first]))) {
      if (!component.has(edge.to)) continue
      const way = { from: edge.to, to: node, within: component }
      const rest = shortestPath(graph, way, kinds.others)
      if (rest !== undefined && rest.length + 1 < (best?.length ?? Infinity)) best = [edge, ...rest]
    }
  }
  return best
}
