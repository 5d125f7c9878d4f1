import t from 'tap'
import type { BackendTransaction } from '../../server/backend/backend.ts'
import { BackendError } from '../../server/backend/backend-error.ts'
import { createSpannerBackend } from '../../server/spanner/spanner-backend.ts'
import { failureOf } from '../helpers/fake-database.ts'
import { FakeSpanner, FakeStatus } from '../helpers/fake-spanner.ts'
import { RecordingProxy } from '../helpers/recording-proxy.ts'
import { drain } from '../helpers/rows.ts'

const call = { timeoutMs: 10_000 }

async function write(transaction: BackendTransaction): Promise<void> {
  await drain(transaction.execute({ sql: 'w', params: [] }, { ...call, isDml: true }))
}

t.test(
  'calls pass through a recording proxy, are counted, and can be made to fail',
  async (test) => {
    const fake = await FakeSpanner.start()
    const proxy = await RecordingProxy.start(fake.address)
    const backend = await createSpannerBackend({
      project: 'p',
      instance: 'i',
      endpoint: { kind: 'emulator', address: proxy.address },
      ensureInstance: false,
    })
    test.teardown(async () => {
      await backend.close()
      await proxy.stop()
      fake.stop()
    })
    const database = await backend.openDatabase('d', call)
    proxy.clear()

    await test.test('two calls for a write', async (sub) => {
      const transaction = database.beginReadWrite({ isolation: 'serializable' })
      await write(transaction)
      await transaction.commit(call)
      sub.same(proxy.methods(), ['ExecuteStreamingSql', 'Commit'])
      sub.match(proxy.calls[0]?.request(), { sql: 'w', seqno: '1' })
      sub.equal(proxy.calls[0]?.path, 'google.spanner.v1.Spanner/ExecuteStreamingSql')
    })

    await test.test('a status with its text and trailers comes through', async (sub) => {
      fake.on('ExecuteStreamingSql', () => {
        throw new FakeStatus(10, 'wounded ü', {
          'google.rpc.retryinfo-bin': Buffer.from([0x0a, 2, 0x08, 3]),
        })
      })
      const transaction = database.beginReadWrite({ isolation: 'serializable' })
      const error = await write(transaction).catch((caught: unknown) => caught)
      sub.ok(error instanceof BackendError)
      if (!(error instanceof BackendError)) return
      sub.same(
        [error.message, error.failure],
        ['wounded ü', { kind: 'aborted', retryDelayMs: 3000 }],
      )
      await transaction.rollback()
    })

    await test.test('many messages come through, and a cancel too', async (sub) => {
      const stringValue = 'x'.repeat(100_000)
      fake.on('ExecuteStreamingSql', function* () {
        for (let at = 0; at < 50; at++) {
          yield {
            ...(at === 0
              ? { metadata: { rowType: { fields: [{ name: 'a', type: { code: 6 } }] } } }
              : {}),
            values: [{ stringValue }],
            resumeToken: Buffer.from([at]),
          }
        }
      })
      const stream = database.singleUse({ sql: 'q', params: [] }, call)
      let rows = 0
      for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
        rows += batch.rowCount
      }
      sub.equal(rows, 50)
      const cancelled = database.singleUse({ sql: 'q', params: [] }, call)
      await cancelled.next()
      cancelled.cancel()
      const server = fake.calls.at(-1)?.signal
      if (server?.aborted === false) {
        await new Promise((resolve) => server.addEventListener('abort', resolve))
      }
      sub.equal(server?.aborted, true)
    })

    await test.test(
      'faults: a status instead of the call, and an answer that gets lost',
      async (sub) => {
        fake.on('ExecuteStreamingSql', () => [
          { metadata: { rowType: { fields: [] }, transaction: { id: Buffer.from('t') } } },
        ])
        proxy.clear()
        fake.calls.length = 0
        let faults = 0
        proxy.intercept(({ method }) => {
          if (method !== 'Commit') return undefined
          faults++
          if (faults === 1) return { kind: 'lose-answer', code: 14, message: 'lost, %' }
          if (faults === 2) return { kind: 'status', code: 14, message: 'never arrived' }
          return undefined
        })
        const transaction = database.beginReadWrite({ isolation: 'serializable' })
        await write(transaction)
        await transaction.commit(call)
        sub.same(proxy.methods(), ['ExecuteStreamingSql', 'Commit', 'Commit', 'Commit'])
        sub.same(fake.methods(), ['ExecuteStreamingSql', 'Commit', 'Commit'])
        proxy.intercept(() => undefined)
      },
    )

    await test.test('a backend that goes away is UNAVAILABLE', async (sub) => {
      fake.stop()
      const stream = database.singleUse({ sql: 'q', params: [] }, { timeoutMs: 300 })
      const { kind } = await failureOf(drain(stream))
      sub.ok(['unavailable', 'deadline-exceeded', 'internal'].includes(kind), kind)
    })
  },
)
