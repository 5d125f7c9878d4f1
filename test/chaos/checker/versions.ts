import type { Anomaly } from './anomaly.ts'
import type { HistoryEntry } from './history.ts'

/** Who appended a value. */
export interface Write {
  readonly entry: HistoryEntry
  /** Whether the transaction appended nothing more to the key. */
  readonly isFinal: boolean
}

/** A read of what others wrote: a transaction's own appends are taken off. */
export interface ExternalRead {
  readonly entry: HistoryEntry
  readonly key: number
  readonly values: readonly number[]
}

/** Writers by `key:value`. */
export type Writers = ReadonlyMap<string, Write>

export function writeKey(key: number, value: number): string {
  return `${key}:${value}`
}

/** Everything that was appended, whatever became of it. */
export function findWriters(history: readonly HistoryEntry[]): Writers {
  const writers = new Map<string, Write>()
  for (const entry of history) {
    const final = new Set<number>()
    for (const operation of entry.operations.toReversed()) {
      if (operation.kind !== 'append') continue
      const name = writeKey(operation.key, operation.value)
      writers.set(name, { entry, isFinal: !final.has(operation.key) })
      final.add(operation.key)
    }
  }
  return writers
}

/**
 * The reads of a transaction, without its own appends; a read that does not end in them, or that differs from an earlier one, is
 * `internal`.
 */
export function externalReads(entry: HistoryEntry): {
  readonly reads: readonly ExternalRead[]
  readonly anomalies: readonly Anomaly[]
} {
  const reads: ExternalRead[] = []
  const anomalies: Anomaly[] = []
  const own = new Map<number, number[]>()
  const seen = new Map<number, readonly number[]>()
  for (const operation of entry.operations) {
    const { key } = operation
    const mine = own.get(key) ?? []
    if (operation.kind === 'append') {
      own.set(key, [...mine, operation.value])
      continue
    }
    const { values } = operation
    const others = values.slice(0, Math.max(0, values.length - mine.length))
    const before = seen.get(key)
    if (!isSame(values.slice(others.length), mine)) {
      anomalies.push(internal(entry, `key ${key} read as [${values}] after appending [${mine}]`))
    } else if (before !== undefined && !isSame(before, others)) {
      anomalies.push(internal(entry, `key ${key} read as [${before}], then as [${others}]`))
    }
    seen.set(key, others)
    reads.push({ entry, key, values: others })
  }
  return { reads, anomalies }
}

/** The order of a key's values, by the longest read of each key, and who read something that does not fit into it. */
export function versionOrders(reads: readonly ExternalRead[]): {
  readonly orders: ReadonlyMap<number, readonly number[]>
  readonly anomalies: readonly Anomaly[]
} {
  const longest = new Map<number, ExternalRead>()
  for (const read of reads) {
    const known = longest.get(read.key)
    if (known === undefined || read.values.length > known.values.length) longest.set(read.key, read)
  }
  const anomalies: Anomaly[] = []
  for (const read of reads) {
    const order = longest.get(read.key)
    if (order === undefined || isSame(order.values.slice(0, read.values.length), read.values))
      continue
    anomalies.push({
      kind: 'incompatible-order',
      transactions: [read.entry, order.entry],
      explanation: `key ${read.key} read as [${read.values}] and as [${order.values}]`,
    })
  }
  const orders = new Map([...longest].map(([key, { values }]) => [key, values]))
  return { orders, anomalies }
}

/** What is wrong with single reads: values that nobody wrote, twice the same, of failed or unfinished transactions. */
export function checkRead(read: ExternalRead, writers: Writers): readonly Anomaly[] {
  const { entry, key, values } = read
  const anomalies: Anomaly[] = []
  const text = `key ${key} read as [${values}]`
  if (new Set(values).size < values.length) {
    anomalies.push({ kind: 'duplicate', transactions: [entry], explanation: text })
  }
  for (const value of values) {
    const writer = writers.get(writeKey(key, value))
    if (writer === undefined) {
      anomalies.push({
        kind: 'garbage',
        transactions: [entry],
        explanation: `${text}: nobody appended ${value}`,
      })
    } else if (writer.entry.outcome === 'failed') {
      anomalies.push({
        kind: 'G1a',
        transactions: [entry, writer.entry],
        explanation: `${text}: ${value} is of a transaction that failed`,
      })
    }
  }
  const last = values.at(-1)
  const writer = last === undefined ? undefined : writers.get(writeKey(key, last))
  if (writer !== undefined && !writer.isFinal && writer.entry !== entry) {
    anomalies.push({
      kind: 'G1b',
      transactions: [entry, writer.entry],
      explanation: `${text}: ${last} is not the last that its transaction appended`,
    })
  }
  return anomalies
}

/** Acknowledged appends that a read which began later did not see. */
export function findLostAppends(
  reads: readonly ExternalRead[],
  writers: Writers,
): readonly Anomaly[] {
  const readsByKey = new Map<number, ExternalRead[]>()
  for (const read of reads) readsByKey.set(read.key, [...(readsByKey.get(read.key) ?? []), read])
  const anomalies: Anomaly[] = []
  for (const [name, { entry }] of writers) {
    if (entry.outcome !== 'committed') continue
    const [key = 0, value = 0] = name.split(':').map(Number)
    const read = readsByKey
      .get(key)
      ?.find((one) => one.entry.startMs > entry.endMs && !one.values.includes(value))
    if (read === undefined) continue
    anomalies.push({
      kind: 'lost-append',
      transactions: [entry, read.entry],
      explanation: `${value} of key ${key} was acknowledged and is missing in [${read.values}]`,
    })
  }
  return anomalies
}

function internal(entry: HistoryEntry, explanation: string): Anomaly {
  return { kind: 'internal', transactions: [entry], explanation }
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index])
}
