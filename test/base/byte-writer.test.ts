import fc from 'fast-check'
import { test } from 'tap'
import { ByteWriter } from '../../server/base/byte-writer.ts'

test('an integer that a number holds exactly has the bytes of its bigint', async (t) => {
  const edges = [0, 1, -1, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, 1 - 2 ** 53]
  const hasSameBytes = (value: number): boolean => {
    const written = new ByteWriter()
    written.safeInt64(value)
    const expected = Buffer.alloc(8)
    expected.writeBigInt64BE(BigInt(value))
    return written.take().equals(expected)
  }
  for (const value of edges) t.ok(hasSameBytes(value), String(value))
  fc.assert(fc.property(fc.maxSafeInteger(), hasSameBytes))
})

test('a slice is copied whole, whatever its length and place', async (t) => {
  const source = Buffer.from(Array.from({ length: 300 }, (_, index) => index % 251))
  const isCopied = (before: number, start: number, length: number): boolean => {
    const writer = new ByteWriter(16)
    writer.slice(source, 0, before)
    writer.slice(source, start, start + length)
    const expected = [source.subarray(0, before), source.subarray(start, start + length)]
    return writer.take().equals(Buffer.concat(expected))
  }
  for (const length of [0, 1, 31, 32, 33, 64, 200]) t.ok(isCopied(5, 7, length), `${length} bytes`)
  const sizes = fc.integer({ min: 0, max: 100 })
  fc.assert(fc.property(sizes, sizes, sizes, isCopied))
})
