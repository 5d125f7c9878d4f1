import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { WriterQueue } from '../../server/transaction/writer-queue.ts'

const never = new AbortController().signal
const busy = { yieldPlace: () => false }

t.test('admits one after the other, in the order of asking', async (t) => {
  const queue = new WriterQueue()
  const order: string[] = []
  const first = await queue.acquire(busy, 1000, never)
  const second = queue.acquire(busy, 1000, never).then((release) => {
    order.push('second')
    return release
  })
  const third = queue.acquire(busy, 1000, never).then((release) => {
    order.push('third')
    return release
  })
  t.strictSame(order, [])
  first()
  first()
  const releaseSecond = await second
  t.strictSame(order, ['second'], 'releasing twice admits one only')
  releaseSecond()
  await third
  t.strictSame(order, ['second', 'third'])
})

t.test('gives up after the lock timeout with 55P03, and leaves the queue', async (t) => {
  const queue = new WriterQueue()
  const release = await queue.acquire(busy, 1000, never)
  await t.rejects(queue.acquire(busy, 5, never), {
    code: '55P03',
    message: 'canceling statement due to lock timeout',
  })
  release()
  await t.resolves(queue.acquire(busy, 5, never))
})

t.test('without a lock timeout a queue that moves on is waited in', async (t) => {
  const queue = new WriterQueue(1_000)
  const hold = async () => {
    const release = await queue.acquire(busy, 0, never)
    await delay(260)
    release()
  }
  // The last is admitted after 1,040 ms.
  await t.resolves(Promise.all([hold(), hold(), hold(), hold(), hold()]))
  await queue.acquire(busy, 0, never)
  await t.rejects(queue.acquire(busy, 0, never), { code: '55P03' }, 'but not one that stands still')
})

t.test('gives up when the statement is cancelled', async (t) => {
  const queue = new WriterQueue()
  await queue.acquire(busy, 1000, never)
  const cancel = new AbortController()
  const waiting = queue.acquire(busy, 1000, cancel.signal)
  cancel.abort(new Error('cancelled'))
  await t.rejects(waiting, { message: 'cancelled' })
})

t.test('a holder with nothing under way makes room for those who have waited', async (t) => {
  const queue = new WriterQueue()
  let release = () => {}
  let asked = 0
  const idle = {
    yieldPlace: () => {
      asked++
      if (asked < 2) return false
      release()
      return true
    },
  }
  release = await queue.acquire(idle, 1000, never)
  await queue.acquire(busy, 5000, never)
  t.equal(asked, 2, 'asked again, because it was busy at first')
})
