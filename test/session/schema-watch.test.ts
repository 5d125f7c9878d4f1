import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { SchemaWatch } from '../../server/session/schema-watch.ts'

t.test('one look after the other, while there are clients', async (t) => {
  let looks = 0
  let underWay = 0
  let hasClients = false
  let release: () => void = () => undefined
  const third = new Promise<void>((resolve) => {
    release = resolve
  })
  const schema = {
    refresh: async () => {
      t.equal(++underWay, 1)
      try {
        if (++looks === 2) throw new Error('Spanner is away')
        if (looks === 3) await third
      } finally {
        underWay--
      }
    },
  }
  const watch = new SchemaWatch(schema, () => hasClients, 1)
  await sleep(20)
  t.equal(looks, 0, 'nobody is there')
  hasClients = true
  while (looks < 3) await sleep(1)
  await sleep(20)
  t.equal(looks, 3, 'the third is not over')
  const stopped = watch.stop()
  t.equal(underWay, 1)
  release()
  await stopped
  t.equal(underWay, 0)
})
