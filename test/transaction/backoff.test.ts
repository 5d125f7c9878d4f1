import t from 'tap'
import { BackendError } from '../../server/backend/backend-error.ts'
import { pauseMs } from '../../server/transaction/backoff.ts'

const aborted = abortedError()
const manyWriters = { concurrentWrites: true }
const oneWriter = { concurrentWrites: false }

t.test('pauses double from 4 ms, less up to half of them, to 2 s', async (t) => {
  for (const [count, longest] of [
    [1, 4],
    [2, 8],
    [5, 64],
    [9, 1024],
    [10, 2000],
    [99, 2000],
  ] as const) {
    const pause = pauseMs(aborted, count, manyWriters)
    t.ok(pause >= longest / 2 && pause <= longest, `${pause} ms after ${count}`)
  }
})

t.test('where one transaction at a time may write, they end at 100 ms', async (t) => {
  for (const count of [6, 10, 99]) {
    const pause = pauseMs(aborted, count, oneWriter)
    t.ok(pause >= 50 && pause <= 100, `${pause} ms after ${count}`)
  }
})

t.test('what the server asks for goes before both', async (t) => {
  const asking = abortedError({ retryDelayMs: 777 })
  t.equal(pauseMs(asking, 1, manyWriters), 777)
  t.equal(pauseMs(asking, 50, oneWriter), 777)
})

function abortedError(asked: { readonly retryDelayMs?: number } = {}): BackendError {
  return new BackendError('aborted', { failure: { kind: 'aborted', ...asked }, grpcCode: 10 })
}
