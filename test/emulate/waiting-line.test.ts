import { mock } from 'node:test'
import t from 'tap'
import { WaitingLine } from '../../server/emulate/waiting-line.ts'

const words = { name: 'a thing', hint: 'There is one.' }
const { signal } = new AbortController()

t.test('lends to one at a time, first come first served', async (t) => {
  const line = new WaitingLine(['only'], words)
  t.equal(await line.acquire(signal), 'only')
  const served: string[] = []
  const second = line.acquire(signal).then(() => served.push('second'))
  const third = line.acquire(signal).then(() => served.push('third'))
  line.offer('only')
  await second
  t.strictSame(served, ['second'])
  line.offer('only')
  await third
  t.strictSame(line.takeIdle(), [])
  line.offer('only')
  t.strictSame(line.takeIdle(), ['only'])
})

t.test('who gives up is passed over', async (t) => {
  const line = new WaitingLine(['only'], words)
  await line.acquire(signal)
  const impatient = new AbortController()
  const given = line.acquire(impatient.signal)
  const next = line.acquire(signal)
  impatient.abort(new Error('enough'))
  await t.rejects(given, { message: 'enough' })
  line.offer('only')
  t.equal(await next, 'only')
  await t.rejects(line.acquire(impatient.signal), { message: 'enough' })
})

t.test('who waits too long is told', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const line = new WaitingLine([], words)
  const given = line.acquire(signal)
  mock.timers.tick(30_000)
  mock.timers.reset()
  await t.rejects(given, { code: '53300', message: 'timed out waiting for a thing' })
})
