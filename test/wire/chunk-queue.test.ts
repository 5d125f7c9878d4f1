import fc from 'fast-check'
import { test } from 'tap'
import { ChunkQueue } from '../../server/wire/chunk-queue.ts'

test('what goes in comes out, however it is cut', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 5000, size: 'max' }), { maxLength: 12 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 3000 })),
      (chunks, sizes) => {
        const queue = new ChunkQueue()
        const expected = Buffer.concat(chunks)
        const taken: Buffer[] = []
        for (const chunk of chunks) {
          queue.push(Buffer.from(chunk))
          const size = sizes.next().value
          if (queue.length >= size) taken.push(queue.take(size))
        }
        taken.push(queue.take(queue.length))
        return queue.length === 0 && Buffer.concat(taken).equals(expected)
      },
    ),
    { numRuns: 200, seed: 1 },
  )
  t.pass('held')
})

test('integers may span chunks', async (t) => {
  const bytes = Buffer.from('ff01020304fffefdfc', 'hex')
  for (let cut = 0; cut <= bytes.length; cut++) {
    const queue = new ChunkQueue()
    queue.push(bytes.subarray(0, cut))
    queue.push(bytes.subarray(cut))
    t.equal(queue.int32(1), 0x01020304)
    t.equal(queue.int32(5), bytes.readInt32BE(5))
    t.equal(queue.uint8(8), 0xfc)
  }
})

test('what is not there cannot be taken', async (t) => {
  const queue = new ChunkQueue()
  queue.push(Buffer.from('abc'))
  t.throws(() => queue.take(4), RangeError)
  t.throws(() => queue.uint8(3), RangeError)
  t.equal(queue.take(3).toString(), 'abc')
})

test('a frame within one chunk is a view, not a copy', async (t) => {
  const chunk = Buffer.from('abcdef')
  const queue = new ChunkQueue()
  queue.push(chunk)
  t.equal(queue.take(2).buffer, chunk.buffer)
})

test('a frame that comes byte by byte is held in few blocks', async (t) => {
  const queue = new ChunkQueue()
  const sent = Buffer.alloc(100_000, 'spanwire')
  for (let i = 0; i < sent.length; i++) queue.push(sent.subarray(i, i + 1))
  t.ok(queue.take(100_000).equals(sent))
})

test('views taken earlier stay as they were', async (t) => {
  const queue = new ChunkQueue()
  queue.push(Buffer.from('head'))
  queue.push(Buffer.from('one'))
  queue.take(4)
  const one = queue.take(2)
  queue.push(Buffer.from('two'))
  t.equal(one.toString(), 'on')
  t.equal(queue.take(4).toString(), 'etwo')
})
