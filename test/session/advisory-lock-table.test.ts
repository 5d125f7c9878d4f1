import t from 'tap'
import { AdvisoryLockTable } from '../../server/session/advisory-lock-table.ts'

const never = { timeoutMs: 0, signal: new AbortController().signal }
const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]
const exclusive = (owner: object, key = 'k') => ({ owner, key, strength: 'exclusive' }) as const
const shared = (owner: object, key = 'k') => ({ owner, key, strength: 'shared' }) as const

t.test('shared holders keep an exclusive one out, and queue behind one that waits', async (t) => {
  const table = new AdvisoryLockTable()
  const order: string[] = []
  t.ok(table.tryAcquire(shared(a)))
  t.ok(table.tryAcquire(shared(b)))
  const waiting = table.acquire(exclusive(c), never).then(() => order.push('c'))
  t.notOk(table.tryAcquire(shared({ name: 'd' })), 'nobody overtakes')
  t.ok(table.tryAcquire(shared(a)), 'but whoever holds it already')
  for (const owner of [a, a, b]) t.ok(table.release(shared(owner)))
  await waiting
  t.strictSame(order, ['c'])
  t.notOk(table.release(shared(c)), 'it is held, but not so')
})

t.test('a wait ends with the timeout or with the signal, and leaves the queue', async (t) => {
  const table = new AdvisoryLockTable()
  table.tryAcquire(exclusive(a))
  await t.rejects(table.acquire(exclusive(b), { ...never, timeoutMs: 5 }), { code: '55P03' })
  const cancel = new AbortController()
  const waiting = table.acquire(exclusive(b), { timeoutMs: 0, signal: cancel.signal })
  const behind = table.acquire(shared(c), never)
  cancel.abort(new Error('cancelled'))
  await t.rejects(waiting, { message: 'cancelled' })
  table.release(exclusive(a))
  await t.resolves(behind)
})

t.test('a wait that would never end is refused with 40P01', async (t) => {
  const table = new AdvisoryLockTable()
  table.tryAcquire(exclusive(a, '1'))
  table.tryAcquire(exclusive(b, '2'))
  table.tryAcquire(exclusive(c, '3'))
  const first = table.acquire(exclusive(a, '2'), never)
  const second = table.acquire(exclusive(b, '3'), never)
  await t.rejects(table.acquire(exclusive(c, '1'), never), { code: '40P01' })
  table.release(exclusive(c, '3'))
  await second
  table.release(exclusive(b, '2'))
  await t.resolves(first)
})
