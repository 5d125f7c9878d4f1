import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import tap from 'tap'
import {
  encodeBool,
  encodeList,
  encodeNull,
  encodeNumber,
  encodeString,
  ListScanner,
  VALUE_KIND,
  ValueScanner,
} from '../../server/types/value.ts'
import { encodeJson } from './encode-json.ts'
import type { SpannerJson } from './fixtures.ts'

function hex(value: Buffer): string {
  return value.toString('hex')
}

function scan(bytes: Buffer): ValueScanner {
  const scanner = new ValueScanner()
  scanner.scan(bytes, 0, bytes.length)
  return scanner
}

/** Reads a Value back to JSON with nothing but the scanners. */
function decode(bytes: Buffer, start = 0, end = bytes.length): SpannerJson {
  const value = new ValueScanner()
  switch (value.scan(bytes, start, end)) {
    case VALUE_KIND.null:
      return null
    case VALUE_KIND.number:
      return value.number()
    case VALUE_KIND.string:
      return value.text()
    case VALUE_KIND.bool:
      return value.start === 1
    case VALUE_KIND.list: {
      const elements: SpannerJson[] = []
      const list = new ListScanner()
      list.reset(bytes, value.start, value.end)
      while (list.next()) elements.push(decode(bytes, list.start, list.end))
      return elements
    }
    case VALUE_KIND.struct:
      return 'struct'
  }
}

tap.test('the bytes are those of struct.proto', async (t) => {
  t.equal(hex(encodeNull()), '0800')
  t.equal(hex(encodeBool(true)), '2001')
  t.equal(hex(encodeBool(false)), '2000')
  t.equal(hex(encodeString('')), '1a00')
  t.equal(hex(encodeString('ü')), '1a02c3bc')
  t.equal(hex(encodeString(Buffer.from('ab'))), '1a026162')
  t.equal(hex(encodeNumber(1)), '11000000000000f03f')
  t.equal(hex(encodeNumber(Number.NaN)), '1a034e614e')
  t.equal(encodeNumber(Number.NEGATIVE_INFINITY).toString('latin1', 2), '-Infinity')
  t.equal(hex(encodeList([])), '3200')
  t.equal(hex(encodeList([encodeNull(), encodeString('a')])), '32090a0208000a031a0161')
})

tap.test('lengths of several bytes', async (t) => {
  for (const size of [127, 128, 16383, 16384, 2_100_000]) {
    const bytes = encodeString('x'.repeat(size))
    const scanner = scan(bytes)
    t.equal(scanner.end - scanner.start, size)
    t.equal(scanner.end, bytes.length)
    t.equal((decode(encodeList([bytes, bytes])) as string[]).length, 2)
  }
})

tap.test('unknown fields are passed over, the last known field counts', async (t) => {
  const varint = Buffer.from('3805', 'hex')
  const fixed64 = Buffer.from('390000000000000000', 'hex')
  const fixed32 = Buffer.from('3d00000000', 'hex')
  const bytes = Buffer.from('3a03616263', 'hex')
  const text = encodeString('a')
  t.equal(decode(Buffer.concat([varint, fixed64, text, fixed32, bytes])), 'a')
  t.equal(decode(Buffer.concat([text, encodeBool(true)])), true)
  t.equal(scan(Buffer.from('2a00', 'hex')).kind, VALUE_KIND.struct)
  t.equal(decode(Buffer.from('20ffffffffffffffffff01', 'hex')), true)
  t.strictSame(decode(Buffer.from('320610050a020800', 'hex')), [null])
})

tap.test('malformed values', async (t) => {
  const cases = {
    'nothing at all': '',
    'only an unknown field': '3805',
    'field 0': '0000',
    'a known field of another wire type': '1805',
    'a group': '3b',
    'a varint that does not end': '20ffffffffffffffffffff01',
    'a length beyond the end': '1a0561',
    'a huge length': '1affffffffffffffff7f61',
    'a number cut short': '11000000',
  }
  for (const [name, bytes] of Object.entries(cases)) {
    t.throws(() => scan(Buffer.from(bytes, 'hex')), { code: 'XX001' }, name)
  }
  t.throws(() => decode(Buffer.from('32021005', 'hex').subarray(0, 3)), { code: 'XX001' })
  t.throws(() => decode(Buffer.from('32020801', 'hex')), { code: 'XX001' }, 'field 1 as varint')
  t.throws(() => new ValueScanner().scan(Buffer.alloc(4), 0, 5), { code: 'XX001' }, 'bounds')
  t.throws(() => new ValueScanner().scan(Buffer.alloc(4), 3, 2), { code: 'XX001' }, 'bounds')
})

/** `read`, or the code of the error. */
function outcome(bytes: Buffer): string | undefined {
  try {
    decode(bytes)
    return 'read'
  } catch (error) {
    return (error as { code?: string }).code
  }
}

const json: fc.Memo<SpannerJson> = fc.memo((depth) =>
  depth <= 1
    ? fc.oneof(
        fc.constant(null),
        fc.boolean(),
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      )
    : fc.oneof(json(1), fc.array(json(depth - 1), { maxLength: 5 })),
)

tap.test('any value comes back, any prefix of it is refused', async (t) => {
  fc.assert(
    fc.property(json(3), fc.nat(255), (value, neighbour) => {
      const encoded = encodeJson(value)
      const framed = Buffer.concat([Buffer.from([neighbour]), encoded, Buffer.from([neighbour])])
      if (!isDeepStrictEqual(decode(framed, 1, 1 + encoded.length), value)) return false
      for (let size = 0; size < encoded.length; size++) {
        if (outcome(encoded.subarray(0, size)) !== 'XX001') return false
      }
      return true
    }),
  )
  t.pass('100 values')
})

tap.test('any bytes are read or refused, never past the end', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
      const how = outcome(Buffer.from(noise))
      return how === 'read' || how === 'XX001'
    }),
    { numRuns: 2000 },
  )
  t.pass('2000 noises')
})
