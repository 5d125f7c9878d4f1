import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { KeepAlive } from '../../server/session/keep-alive.ts'

t.test(
  'calls come one after the other until the client is back, who waits for the last',
  async (t) => {
    const keepAlive = new KeepAlive(1)
    t.equal(keepAlive.stop(), undefined, 'nothing to stop')
    let underWay = 0
    let calls = 0
    const settled: (() => void)[] = []
    const third = new Promise<void>((resolve) => {
      keepAlive.start(async () => {
        t.equal(++underWay, 1)
        if (++calls < 3) await setImmediate()
        else {
          resolve()
          await new Promise<void>((settle) => settled.push(settle))
        }
        underWay--
      })
    })
    await third
    const stopped = keepAlive.stop()
    t.equal(underWay, 1)
    for (const settle of settled) settle()
    await stopped
    t.equal(underWay, 0)
    t.equal(keepAlive.stop(), undefined)
  },
)
