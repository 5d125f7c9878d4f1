import t from 'tap'
import { type NodeValue, readNodeText } from '../../server/sql/node-text.ts'

/** A short form that deepEqual can compare and a reader can read. */
function plain(value: NodeValue): unknown {
  if (value === undefined) return null
  switch (value.kind) {
    case 'atom':
      return value.text
    case 'list':
      return value.items.map(plain)
    case 'datum':
      return { bytes: [...value.bytes] }
    case 'object':
      return {
        tag: value.tag,
        ...Object.fromEntries([...value.fields].map(([name, field]) => [name, plain(field)])),
      }
  }
}

t.test('reads objects, lists, atoms, absent values and datums', async (tt) => {
  const text =
    '({CONST :consttype 1700 :constlen -1 :constisnull false :constvalue 10 [ 40 0 0 -128 255 ]} <> ("a" "b"))'
  tt.same(plain(readNodeText(text)), [
    {
      tag: 'CONST',
      consttype: '1700',
      constlen: '-1',
      constisnull: 'false',
      constvalue: { bytes: [40, 0, 0, 128, 255] },
    },
    null,
    ['a', 'b'],
  ])
})

t.test('reads the lists of integers without their letter', async (tt) => {
  tt.same(plain(readNodeText('{X :a (i 1 -1) :b (o 23 25) :c (b) :d <>}')), {
    tag: 'X',
    a: ['1', '-1'],
    b: ['23', '25'],
    c: [],
    d: null,
  })
})

t.test('takes escapes out of names', async (tt) => {
  tt.same(
    plain(readNodeText('{X :resname q\\ \\(x\\)\\ \\\\\\\\\\ y :empty "" :colnames ("a\\ b" "")}')),
    {
      tag: 'X',
      resname: 'q (x) \\\\ y',
      empty: '',
      colnames: ['a b', ''],
    },
  )
})

t.test(
  'a field name is read by its place: a value may begin with a colon or be a bracket',
  async (tt) => {
    tt.same(plain(readNodeText('{X :resname :a :other [ :last 1}')), {
      tag: 'X',
      resname: ':a',
      other: '[',
      last: '1',
    })
  },
)

t.test('newlines of the wrapped form are spaces', async (tt) => {
  tt.same(plain(readNodeText('({A :x 1\n:y\n2}\n{B})\n')), [
    { tag: 'A', x: '1', y: '2' },
    { tag: 'B' },
  ])
})

t.test('a word longer than a line is cut without a space', async (tt) => {
  const name = '\\(e'.repeat(40)
  const dump = `{A :resname ${name} :y 2}`
  const wrapped = wrap(dump)
  tt.match(wrapped, /\n/)
  tt.same(plain(readNodeText(wrapped)), { tag: 'A', resname: '(e'.repeat(40), y: '2' })
})

t.test('an escaped space at the end of a line is part of the name', async (tt) => {
  tt.same(plain(readNodeText('{A :resname ab\\\ncd :y 2}')), { tag: 'A', resname: 'ab cd', y: '2' })
})

t.test('refuses what is no node text', async (tt) => {
  for (const text of [
    '',
    '(',
    '{',
    '{A',
    '{A :x',
    '{A x 1}',
    ')',
    '}',
    '{A :x 4 [ 1',
    '{A :x 1 [ 999 ]}',
    '1 2',
  ]) {
    tt.throws(() => readNodeText(text), { name: 'Bug' }, JSON.stringify(text))
  }
})

t.test('refuses every proper prefix of a text', async (tt) => {
  const text = '({A :x (i 1 2) :y {B :z 4 [ 1 2 3 4 ]} :n "q"})'
  for (let end = 0; end < text.length; end += 1) {
    tt.throws(() => readNodeText(text.slice(0, end)), { name: 'Bug' }, `${end} characters`)
  }
})

t.test("refuses a text nested too deeply with PostgreSQL's words", async (tt) => {
  const depth = 5000
  const text = `${'('.repeat(depth)}${')'.repeat(depth)}`
  tt.throws(() => readNodeText(text), {
    name: 'PgError',
    code: '54001',
    message: 'stack depth limit exceeded',
  })
})

/** format_node_dump of src/backend/nodes/print.c over bytes. */
function wrap(dump: string): string {
  const bytes = Buffer.from(dump)
  const lines: Buffer[] = []
  let at = 0
  while (bytes.length - at > 78) {
    const line = bytes.subarray(at, at + 78)
    if (bytes[at + 78] === 0x20) {
      lines.push(line)
      at += 79
      continue
    }
    const space = line.lastIndexOf(0x20)
    lines.push(space > 0 ? line.subarray(0, space) : line)
    at += space > 0 ? space + 1 : 78
  }
  lines.push(bytes.subarray(at))
  return lines.map((line) => `${line.toString()}\n`).join('')
}

t.test('a datum of a megabyte is read in one pass', async (tt) => {
  const bytes = Buffer.alloc(1024 * 1024, 'abc')
  const value = readNodeText(
    `{CONST :constvalue ${bytes.length} [ ${[...bytes].join(' ')} ] :location 7}`,
  )
  tt.ok(value?.kind === 'object')
  const datum = value?.kind === 'object' ? value.fields.get('constvalue') : undefined
  tt.ok(datum?.kind === 'datum' && datum.bytes.equals(bytes))
  const location = value?.kind === 'object' ? value.fields.get('location') : undefined
  tt.same(plain(location), '7')
})

t.test('what is no byte is refused', async (tt) => {
  for (const raw of ['256', '-129', 'x', '1x', '1.5'])
    tt.throws(() => readNodeText(`1 [ ${raw} ]`), { message: /is no byte of a datum|where a/ }, raw)
  tt.throws(() => readNodeText('1 [ 1 2'), { message: 'node text ends too early' })
})
