import fc from 'fast-check'
import t from 'tap'
import { seededRandom } from '../../helpers/random.ts'
import { checkHistory } from './check-history.ts'
import { type HistoryEntry, type Operation, parseHistory, printHistory } from './history.ts'

/**
 * `a1=5` appends 5 to key 1, `r1=5,6` reads both, `r1=` reads nothing; a transaction a line, with its outcome before it if it is not
 * committed. All of them ran at the same time.
 */
function history(...lines: readonly string[]): readonly HistoryEntry[] {
  return lines.map((line, id) => {
    const words = line.split(' ')
    const outcome = words[0] === 'failed' || words[0] === 'unknown' ? words[0] : 'committed'
    const operations = words.filter((word) => word.includes('=')).map(operation)
    return { id, process: id, startMs: id, endMs: 1000, outcome, operations }
  })
}

/** The same, but each began when the one before had ended. */
function sequence(...lines: readonly string[]): readonly HistoryEntry[] {
  return history(...lines).map((entry, at) => ({ ...entry, startMs: at * 10, endMs: at * 10 + 5 }))
}

function operation(word: string): Operation {
  const [head = '', tail = ''] = word.split('=')
  const key = Number(head.slice(1))
  if (head.startsWith('a')) return { kind: 'append', key, value: Number(tail) }
  return { kind: 'read', key, values: tail === '' ? [] : tail.split(',').map(Number) }
}

/** The kinds found, each once, sorted. */
function kinds(...lines: readonly string[]): readonly string[] {
  return kindsOf(history(...lines))
}

function kindsOf(entries: readonly HistoryEntry[]): readonly string[] {
  return [...new Set(checkHistory(entries).map(({ kind }) => kind))].sort()
}

t.test('good histories', async (t) => {
  t.same(kinds(), [])
  t.same(kinds('a1=1', 'r1=1', 'a1=2 r1=1,2', 'r1=1,2'), [])
  t.same(kinds('r1= a1=1 r1=1 a1=2 r1=1,2 r1=1,2'), [], 'own appends')
  t.same(kinds('a1=1 a2=2', 'r1=1 r2=2', 'r2= r1='), [], 'the order of the file does not matter')
  t.same(kinds('failed a1=1', 'a1=2', 'r1=2'), [], 'a failed append that nobody saw')
  t.same(kinds('unknown a1=1', 'r1=1', 'unknown a1=2', 'r1=1'), [], 'unknown: either way')
})

t.test('planted anomalies', async (t) => {
  t.same(kinds('failed a1=1', 'r1=1'), ['G1a'])
  t.same(kinds('a1=1 a1=2', 'r1=1'), ['G1b'], 'intermediate read')
  t.same(kinds('a1=1 a1=2', 'r1=1', 'r1=1,2'), ['G-single', 'G1b'], 'its end seen by another')
  t.same(kinds('a1=1 a2=1', 'a1=2 a2=2', 'r1=1,2', 'r2=2,1'), ['G0'])
  t.same(kinds('a1=1 r2=2', 'a2=2 r1=1'), ['G1c'], 'each reads from the other')
  t.same(kinds('a1=1 a2=1', 'r1=1 r2=', 'r2=1'), ['G-single'], 'read skew')
  t.same(kinds('r1= a1=1', 'r1= a1=2', 'r1=1,2'), ['G-single'], 'lost update')
  t.same(kinds('r1= a2=1', 'r2= a1=1', 'r1=1 r2=1'), ['G2'], 'write skew')
  t.same(kinds('r1= a2=1', 'r2= a3=1', 'r3= a1=1', 'r1=1 r2=1 r3=1'), ['G2'], 'three of them')
  t.same(kinds('a1=1', 'a1=2', 'r1=1', 'r1=2'), ['incompatible-order'])
  t.same(kinds('a1=1', 'r1=1,1'), ['duplicate'])
  t.same(kinds('r1=7'), ['garbage'])
  t.same(kinds('a1=1 r1='), ['internal'], 'own append not seen')
  t.same(kinds('a1=1', 'r1= r1=1'), ['G-single', 'internal'], 'a read that changes')
})

t.test('acknowledged appends stay', async (t) => {
  t.same(kindsOf(sequence('a1=1', 'r1=1', 'a1=2', 'r1=1,2')), [])
  t.same(kindsOf(sequence('a1=1', 'r1=')), ['lost-append'])
  t.same(kindsOf(sequence('a1=1', 'r1=', 'r1=1')), ['lost-append'], 'a stale read')
  t.same(kindsOf(sequence('unknown a1=1', 'r1=')), [])
  t.same(kindsOf(history('a1=1', 'r1=')), [], 'at the same time')
})

t.test('the read-only anomaly', async (t) => {
  // Fekete, O'Neil, O'Neil, "A Read-Only Transaction Anomaly Under Snapshot Isolation", 2004.
  t.same(kinds('r1= r2= a1=1', 'r2= a2=2', 'r1= r2=2', 'r1=1 r2=2'), ['G2'])
})

t.test('an unknown transaction that was seen counts with all that it did', async (t) => {
  t.same(kinds('unknown r2= a1=1', 'r1= a2=1', 'r1=1 r2=1'), ['G2'])
  t.same(kinds('unknown r2= a1=1', 'r1= a2=1', 'r1= r2=1'), [], 'not seen: it did not happen')
})

t.test('a cycle is told by its transactions', async (t) => {
  const [anomaly] = checkHistory(history('r1= a2=1', 'r2= a1=1', 'r1=1 r2=1'))
  t.same(anomaly?.transactions.map(({ id }) => id).sort(), [0, 1])
  t.match(
    anomaly?.explanation,
    /T0 read key 1 without 1 -rw-> T1; T1 read key 2 without 1 -rw-> T0/,
  )
})

t.test('histories survive being written down', async (t) => {
  const entries = history('a1=1 r2=', 'failed a2=2', 'unknown r1=1')
  t.same(parseHistory(printHistory(entries)), entries)
})

interface Shape {
  readonly seed: number
  readonly transactions: number
  readonly keys: number
}

const SHAPE: fc.Arbitrary<Shape> = fc.record({
  seed: fc.nat(),
  transactions: fc.integer({ min: 2, max: 40 }),
  keys: fc.integer({ min: 1, max: 4 }),
})

/** Transactions run one after the other against lists in memory; some fail, of some nobody knows whether they did. */
function serialHistory({ seed, transactions, keys }: Shape): HistoryEntry[] {
  const random = seededRandom(seed)
  const lists = new Map<number, readonly number[]>()
  let nextValue = 0
  return Array.from({ length: transactions }, (_, id) => {
    const mine = new Map(lists)
    const operations = Array.from({ length: 1 + random.below(4) }, (): Operation => {
      const key = random.below(keys)
      const list = mine.get(key) ?? []
      if (random.chance(0.5)) return { kind: 'read', key, values: list }
      const value = ++nextValue
      mine.set(key, [...list, value])
      return { kind: 'append', key, value }
    })
    const outcome = random.pick([
      'committed',
      'committed',
      'committed',
      'failed',
      'unknown',
    ] as const)
    const happened = outcome === 'committed' || (outcome === 'unknown' && random.chance(0.5))
    if (happened) for (const [key, list] of mine) lists.set(key, list)
    return { id, process: id % 5, startMs: id * 10, endMs: id * 10 + 5, outcome, operations }
  })
}

t.test('whatever ran one after the other is accepted', async (t) => {
  fc.assert(
    fc.property(SHAPE, (shape) => {
      return checkHistory(serialHistory(shape)).length === 0
    }),
  )
  t.pass()
})

t.test('an acknowledged append that vanishes from a read is found', async (t) => {
  let planted = 0
  fc.assert(
    fc.property(SHAPE, (shape) => {
      const entries = serialHistory(shape)
      const spoiled = entries.map((entry) => {
        const operations = entry.operations.map((one) => withoutFirst(one, entry, entries))
        return { ...entry, operations }
      })
      if (JSON.stringify(spoiled) === JSON.stringify(entries)) return true
      planted++
      return checkHistory(spoiled).length > 0
    }),
  )
  t.ok(planted > 10, `${planted} histories spoiled`)
})

/** Takes the first value out of a committed read, where a committed transaction before it had appended it. */
function withoutFirst(
  operation: Operation,
  reader: HistoryEntry,
  entries: readonly HistoryEntry[],
): Operation {
  if (operation.kind !== 'read' || reader.outcome !== 'committed') return operation
  const [first] = operation.values
  const writer = entries.find(({ operations }) =>
    operations.some((one) => one.kind === 'append' && one.value === first),
  )
  if (writer === undefined || writer === reader || writer.outcome !== 'committed') return operation
  return { ...operation, values: operation.values.slice(1) }
}
