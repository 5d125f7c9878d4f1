import t from 'tap'
import { renderAnswer } from '../golden/render.ts'
import type { RecordedCall } from '../helpers/recording-proxy.ts'
import { abortedStatus } from '../helpers/rpc-status.ts'
import { isSchemaLook } from '../helpers/schema-look.ts'
import { WireClient } from '../helpers/wire-client.ts'
import { onBackend } from './on-backend.ts'

const MAX_ATTEMPTS = 100

/* Without a bound on the aborts there is one on the attempts: in the end the client is told. */
for (const backend of ['embedded', 'emulator'] as const) {
  t.test(`a transaction that is aborted for ever fails with 40001 (${backend})`, (t) =>
    onBackend(t, backend, async ({ spanwire, proxy }) => {
      const { client } = await WireClient.connect(spanwire, {
        user: 'tester',
        database: 'postgres',
      })
      t.teardown(() => client.end())
      const ask = async (text: string) => renderAnswer(await client.query(text))
      await ask('create table bound (id bigint primary key)')
      proxy.isRecording = true
      for (const method of ['ExecuteStreamingSql', 'Commit']) {
        await t.test(`at ${method}`, async (t) => {
          await ask('begin')
          if (method === 'Commit')
            t.same(await ask('insert into bound values (1)'), ['INSERT 0 1', '[T]'])
          proxy.clear()
          const isMeant = (call: RecordedCall) => call.method === method && !isSchemaLook(call)
          proxy.intercept((call) =>
            isMeant(call) ? { kind: 'status', ...abortedStatus('always', 0) } : undefined,
          )
          const [error] = await ask(method === 'Commit' ? 'commit' : 'insert into bound values (1)')
          t.match(error, /^ERROR 40001: /)
          t.equal(proxy.calls.filter(isMeant).length, MAX_ATTEMPTS)
          proxy.intercept(() => undefined)
          await ask('rollback')
          t.same(await ask('select count(*) from bound'), ['count:int8', '0', 'SELECT 1'])
          t.same(await ask('begin; insert into bound values (1); rollback'), [
            'BEGIN',
            'INSERT 0 1',
            'ROLLBACK',
          ])
        })
      }
    }),
  )
}
