import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'tap'
import { EventChannel } from '../../server/base/event-channel.ts'

test('events reach whoever listens, in order, until it stops', async (t) => {
  const events = new EventChannel<{ readonly n: number }>('spanwire:test:order')
  const seen: number[] = []
  t.notOk(events.hasSubscribers)
  events.publish({ n: 0 })
  const stop = events.subscribe(({ n }) => seen.push(n))
  t.ok(events.hasSubscribers)
  events.publish({ n: 1 })
  events.publish({ n: 2 })
  stop()
  stop()
  events.publish({ n: 3 })
  t.strictSame(seen, [1, 2])
  t.notOk(events.hasSubscribers)
})

test('it is a diagnostics_channel that anybody may listen to by name', async (t) => {
  const events = new EventChannel<string>('spanwire:test:name')
  const seen: unknown[] = []
  const listener = (message: unknown, name: string | symbol) => seen.push([name, message])
  subscribe('spanwire:test:name', listener)
  events.publish('hello')
  unsubscribe('spanwire:test:name', listener)
  t.equal(events.name, 'spanwire:test:name')
  t.strictSame(seen, [['spanwire:test:name', 'hello']])
})
