import t from 'tap'
import type { RowBatch } from '../../server/backend/backend.ts'
import { CopyText } from '../../server/emulate/copy-text.ts'
import { OID } from '../../server/types/pg-type.ts'
import type { SpannerType } from '../../server/types/spanner-type.ts'
import {
  encodeBool,
  encodeList,
  encodeNull,
  encodeNumber,
  encodeString,
} from '../../server/types/value.ts'

function batchOf(rows: readonly (readonly Buffer[])[]): RowBatch {
  const cells = rows.flat()
  const starts: number[] = []
  const ends: number[] = []
  let at = 0
  for (const cell of cells) {
    starts.push(at)
    at += cell.length
    ends.push(at)
  }
  return {
    rowCount: rows.length,
    columnCount: rows[0]?.length ?? 0,
    bytes: Buffer.concat(cells),
    starts: Uint32Array.from(starts),
    ends: Uint32Array.from(ends),
  }
}

/** The text of one row of one column. */
function textOf(type: SpannerType, value: Buffer, typeOid: number = OID.text): string {
  const copy = new CopyText([{ type, typeOid }])
  copy.add(batchOf([[value]]))
  return Buffer.concat([...copy.take()]).toString()
}

const STRING: SpannerType = { code: 'STRING' }
const list = (element: SpannerType): SpannerType => ({ code: 'ARRAY', element })

t.test('values as COPY reads them', async (t) => {
  const cases: [SpannerType, Buffer, string][] = [
    [STRING, encodeString('plain'), 'plain'],
    [STRING, encodeString(''), ''],
    [STRING, encodeString('\\N'), '\\\\N'],
    [STRING, encodeString('a\tb\nc\rd\\e'), 'a\\tb\\nc\\rd\\\\e'],
    [STRING, encodeString('ä€😀'), 'ä€😀'],
    [STRING, encodeNull(), '\\N'],
    [{ code: 'INT64' }, encodeString('-9223372036854775808'), '-9223372036854775808'],
    [{ code: 'BOOL' }, encodeBool(true), 't'],
    [{ code: 'BOOL' }, encodeBool(false), 'f'],
    [{ code: 'FLOAT64' }, encodeNumber(0.1), '0.1'],
    [{ code: 'FLOAT64' }, encodeNumber(-0), '-0'],
    [{ code: 'FLOAT64' }, encodeNumber(1e300), '1e+300'],
    [{ code: 'FLOAT64' }, encodeNumber(Number.NaN), 'NaN'],
    [{ code: 'BYTES' }, encodeString(Buffer.from([0, 92, 255]).toString('base64')), '\\\\x005cff'],
    [{ code: 'TIMESTAMP' }, encodeString('2024-01-02T03:04:05.6Z'), '2024-01-02T03:04:05.6Z'],
    [list(STRING), encodeList([]), '{}'],
    [
      list(STRING),
      encodeList(['a', 'b c', 'null', 'q"\\', 'x\ty'].map(encodeString)),
      '{a,"b c","null","q\\\\"\\\\\\\\","x\\ty"}',
    ],
    [list({ code: 'INT64' }), encodeList([encodeString('1'), encodeNull()]), '{1,NULL}'],
    [list({ code: 'BYTES' }), encodeList([encodeString('AA==')]), '{"\\\\\\\\x00"}'],
  ]
  for (const [type, value, text] of cases) t.equal(textOf(type, value), `${text}\n`, text)
})

t.test('money is stored as cents', async (t) => {
  const INT64: SpannerType = { code: 'INT64' }
  for (const [cents, text] of [
    ['-123456789', '-1234567.89'],
    ['5', '0.05'],
    ['-9223372036854775808', '-92233720368547758.08'],
  ] as const) {
    t.equal(textOf(INT64, encodeString(cents), OID.money), `${text}\n`)
  }
  const cents = encodeList([encodeString('100'), encodeNull()])
  t.equal(textOf(list(INT64), cents, OID.moneyArray), '{1.00,NULL}\n')
})

t.test('rows, and their size', async (t) => {
  const copy = new CopyText([
    { type: { code: 'INT64' }, typeOid: OID.int8 },
    { type: STRING, typeOid: OID.text },
  ])
  t.equal(copy.sizeBytes, 0)
  copy.add(batchOf([]))
  copy.add(
    batchOf([
      [encodeString('1'), encodeString('x')],
      [encodeString('2'), encodeNull()],
    ]),
  )
  t.equal(copy.rowCount, 2)
  t.equal(copy.sizeBytes, 9)
  t.equal(Buffer.concat([...copy.take()]).toString(), '1\tx\n2\t\\N\n')
  t.throws(() => copy.add(batchOf([[encodeNull()]])), /sent 1 columns, the load has 2/)
})
