import t from 'tap'
import type { RowBatch } from '../../server/backend/backend.ts'
import { MalformedMessage } from '../../server/base/protobuf-reader.ts'
import { mergeChunks } from '../../server/spanner/chunk-merge.ts'
import { decodePartialResultSet } from '../../server/spanner/partial-result-set.ts'
import { RowAssembler } from '../../server/spanner/row-assembler.ts'
import { type Plain, plainValue } from '../helpers/rows.ts'
import { encodeReply, type Message } from '../helpers/spanner-protos.ts'

const STREAM = 'google.spanner.v1.Spanner/ExecuteStreamingSql'

function toValue(plain: Plain): Message {
  if (plain === null) return { nullValue: 0 }
  if (typeof plain === 'boolean') return { boolValue: plain }
  if (typeof plain === 'number') return { numberValue: plain }
  if (typeof plain === 'string') return { stringValue: plain }
  return { listValue: { values: plain.map(toValue) } }
}

function message(values: readonly Plain[], chunkedValue = false): Buffer {
  return encodeReply(STREAM, { values: values.map(toValue), chunkedValue })
}

function rowsOf(batches: readonly RowBatch[]): Plain[][] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rowCount }, (_, row) =>
      Array.from({ length: batch.columnCount }, (__, column) => {
        const at = row * batch.columnCount + column
        return plainValue(batch.bytes.subarray(batch.starts[at], batch.ends[at]))
      }),
    ),
  )
}

function assemble(columnCount: number, messages: readonly Buffer[]): Plain[][] {
  const assembler = new RowAssembler(columnCount)
  const rows = messages.flatMap((bytes) => rowsOf(assembler.add(decodePartialResultSet(bytes))))
  assembler.end()
  return rows
}

/** Every way to cut a value in two, as Spanner may: strings anywhere, lists between elements and inside of the last. */
function cuts(value: Plain): (readonly [Plain, Plain])[] {
  if (typeof value === 'string') {
    return Array.from(
      { length: value.length + 1 },
      (_, at) => [value.slice(0, at), value.slice(at)] as const,
    )
  }
  if (!Array.isArray(value)) return []
  const list = value as readonly Plain[]
  const found: (readonly [Plain, Plain])[] = []
  for (let at = 0; at <= list.length; at++) {
    const [before, after] = [list.slice(0, at), list.slice(at)]
    const last = before.at(-1)
    const isOpen = typeof last === 'string' || Array.isArray(last)
    const sameKind =
      typeof last === typeof after[0] && Array.isArray(last) === Array.isArray(after[0])
    // Two whole neighbours that would be taken for halves are kept apart by an empty half.
    if (isOpen && sameKind) {
      found.push([before, [typeof last === 'string' ? '' : [], ...after]])
    } else found.push([before, after])
    for (const [left, right] of cuts(list[at] ?? null)) {
      found.push([
        [...before, left],
        [right, ...list.slice(at + 1)],
      ])
    }
  }
  return found
}

const ROWS: readonly (readonly Plain[])[] = [
  ['abc', ['x', null, 'yz', ['in', 'ner']], 1.5],
  [null, [], true],
  ['', [1.5, 2.5, 'NaN'], 'last'],
]

t.test('rows cut between any two values', async (test) => {
  const values = ROWS.flat()
  for (let first = 0; first <= values.length; first++) {
    for (let second = first; second <= values.length; second++) {
      const messages = [
        message(values.slice(0, first)),
        message(values.slice(first, second)),
        message(values.slice(second)),
      ]
      test.same(assemble(3, messages), ROWS, `cut at ${first} and ${second}`)
    }
  }
})

t.test('values cut anywhere', async (test) => {
  const values = ROWS.flat()
  let count = 0
  values.forEach((value, at) => {
    for (const [left, right] of cuts(value)) {
      const messages = [
        message([...values.slice(0, at), left], true),
        message([right, ...values.slice(at + 1)]),
      ]
      test.same(assemble(3, messages), ROWS, `value ${at} as ${JSON.stringify([left, right])}`)
      count++
    }
  })
  test.equal(count, 39)
})

t.test('a value cut into many pieces', async (test) => {
  const pieces = ['a', 'b', 'c', 'd', 'e']
  const messages = pieces.map((piece, at) => message([piece], at < pieces.length - 1))
  test.same(assemble(1, messages), [['abcde']])
  const lists: Plain[] = [['x', 'y1'], ['y2'], ['y3'], ['y4', ['p']], [['q'], 5], [null, 'z']]
  test.same(
    assemble(
      1,
      lists.map((list, at) => message([list], at < lists.length - 1)),
    ),
    [[['x', 'y1y2y3y4', ['pq'], 5, null, 'z']]],
  )
})

t.test('rows that lie in one message are handed on without a copy', async (test) => {
  const bytes = message(['a', 'b', 'c', 'd'])
  const [batch] = new RowAssembler(2).add(decodePartialResultSet(bytes))
  test.equal(batch?.rowCount, 2)
  test.equal(batch?.bytes, bytes)
})

t.test('what cannot be', async (test) => {
  const start = (values: readonly Plain[], isChunked = false): RowAssembler => {
    const assembler = new RowAssembler(2)
    assembler.add(decodePartialResultSet(message(values, isChunked)))
    return assembler
  }
  test.throws(() => start(['a']).end(), MalformedMessage, 'half a row at the end')
  test.throws(() => start(['a', 'b'], true).end(), MalformedMessage, 'half a value at the end')
  test.throws(
    () => start([1.5], true).add(decodePartialResultSet(message([2.5]))),
    MalformedMessage,
    'half a number',
  )
  test.throws(
    () => start(['a'], true).add(decodePartialResultSet(message([['b']]))),
    MalformedMessage,
    'halves of different kinds',
  )
  test.throws(
    () => new RowAssembler(0).add(decodePartialResultSet(message(['a']))),
    MalformedMessage,
    'values without columns',
  )
  test.throws(() => mergeChunks([]), MalformedMessage)
})

t.test('a message cut off anywhere is malformed or shorter', async (test) => {
  const whole = encodeReply(STREAM, {
    metadata: {
      rowType: { fields: [{ name: 'n', type: { code: 8, arrayElementType: { code: 2 } } }] },
    },
    values: [toValue(['1', null])],
    resumeToken: Buffer.from('t'),
    stats: { rowCountExact: '7' },
  })
  test.equal(decodePartialResultSet(whole).rowCount, 7n)
  for (let length = 0; length < whole.length; length++) {
    try {
      test.equal(decodePartialResultSet(whole.subarray(0, length)).rowCount, undefined)
    } catch (error) {
      test.ok(error instanceof MalformedMessage)
    }
  }
})
