import t, { type Test } from 'tap'
import { renderAnswer } from '../golden/render.ts'
import type { Fault } from '../helpers/proxy-fault.ts'
import type { RecordedCall, RecordingProxy } from '../helpers/recording-proxy.ts'
import { abortedStatus } from '../helpers/rpc-status.ts'
import { isSchemaLook } from '../helpers/schema-look.ts'
import { WireClient } from '../helpers/wire-client.ts'
import { onBackend } from './on-backend.ts'

const SPANNER = 'google.spanner.v1.Spanner'
const LEVELS = ['read committed', 'repeatable read', 'serializable'] as const
type Level = (typeof LEVELS)[number]

/** What a transaction is told of a row that changes before it is run again, and the levels that do not promise that it stays so. */
const STATEMENTS: readonly {
  readonly what: string
  readonly text: string
  readonly mayChangeAt: readonly Level[]
}[] = [
  { what: 'a row', text: 'select n from plant where id = 1', mayChangeAt: ['read committed'] },
  {
    what: 'a count of rows',
    text: 'update plant set n = n + 1 where id = 1 and n < 100',
    mayChangeAt: [],
  },
  {
    what: 'RETURNING',
    text: 'update plant set n = 0 - n where id = 1 returning n',
    mayChangeAt: [],
  },
  { what: 'FOR UPDATE', text: 'select n from plant where id = 1 for update', mayChangeAt: [] },
]

interface Case {
  readonly level: Level
  readonly statement: (typeof STATEMENTS)[number]
  /** Whether somebody changes the row before the transaction is run again. */
  readonly isChanged: boolean
  /** The call that is aborted. */
  readonly method: 'ExecuteStreamingSql' | 'Commit'
}

const CASES: readonly Case[] = LEVELS.flatMap((level) =>
  STATEMENTS.flatMap((statement) =>
    [false, true].flatMap((isChanged) =>
      (['ExecuteStreamingSql', 'Commit'] as const).map((method) => ({
        level,
        statement,
        isChanged,
        method,
      })),
    ),
  ),
)

for (const backend of ['embedded', 'emulator'] as const) {
  t.test(`what a transaction that is run again must find again (${backend})`, (t) =>
    onBackend(t, backend, async ({ spanwire, proxy }) => {
      const { client } = await WireClient.connect(spanwire, {
        user: 'tester',
        database: 'postgres',
      })
      t.teardown(() => client.end())
      const ask = async (text: string) => renderAnswer(await client.query(text))
      await ask('create table plant (id bigint primary key, n bigint)')
      await ask('create table done (id bigint primary key)')
      await ask('insert into plant values (1, 1)')
      for (const [id, given] of CASES.entries()) {
        const { level, statement, isChanged, method } = given
        const name = `${level}: ${statement.what}, ${isChanged ? 'changed' : 'as before'}, at ${method}`
        await t.test(name, (t) => check(t, { id, given, ask, proxy }))
      }
      await t.test('a transaction that ended while its client was idle', async (t) => {
        await ask('create table idle (id bigint primary key)')
        for (const [id, method] of (['ExecuteStreamingSql', 'Commit'] as const).entries()) {
          await ask('begin')
          t.same(await ask(`insert into idle values (${2 * id})`), ['INSERT 0 1', '[T]'])
          const hasHappened = once(proxy, method, (call) => rollBack(proxy, call))
          if (method === 'ExecuteStreamingSql') {
            t.same(await ask(`insert into idle values (${2 * id + 1})`), ['INSERT 0 1', '[T]'])
          }
          t.same(await ask('commit'), ['COMMIT'])
          t.ok(hasHappened(), `ended before ${method}`)
        }
        t.same(await ask('select id from idle order by id'), ['id:int8', '0', '1', '2', 'SELECT 3'])
      })
    }),
  )
}

async function check(
  t: Test,
  run: {
    readonly id: number
    readonly given: Case
    readonly ask: (text: string) => Promise<readonly string[]>
    readonly proxy: RecordingProxy
  },
): Promise<void> {
  const { id, ask, proxy } = run
  const { level, statement, isChanged, method } = run.given
  const mustFail = isChanged && !statement.mayChangeAt.includes(level)
  await ask('update plant set n = 1 where id = 1')
  await ask(`begin isolation level ${level}`)
  await ask(statement.text)
  const insert = `insert into done values (${id})`
  if (method === 'Commit') t.same(await ask(insert), ['INSERT 0 1', '[T]'])
  const hasHappened = abortOnce(proxy, method, isChanged)
  const answer = await ask(method === 'Commit' ? 'commit' : insert)
  t.ok(hasHappened(), 'aborted')
  if (mustFail) t.match(answer[0], /^ERROR 40001: could not serialize access/)
  else t.same(answer, method === 'Commit' ? ['COMMIT'] : ['INSERT 0 1', '[T]'])
  if (method !== 'Commit') t.same(await ask('commit'), [mustFail ? 'ROLLBACK' : 'COMMIT'])
  const there = await ask(`select id from done where id = ${id}`)
  t.same(there, mustFail ? ['id:int8', 'SELECT 0'] : ['id:int8', String(id), 'SELECT 1'])
}

/** The next call of a method is aborted; before its client hears of it, the row changes if it is to. */
function abortOnce(proxy: RecordingProxy, method: string, isChanged: boolean): () => boolean {
  return once(proxy, method, async (call) => {
    await rollBack(proxy, call)
    if (isChanged) await plant(proxy, call)
    return { kind: 'status', ...abortedStatus('planted', 0) }
  })
}

/** Does something before the next call of a method goes through, or instead. Returns whether that has happened. */
function once(
  proxy: RecordingProxy,
  method: string,
  act: (call: RecordedCall) => Promise<Fault | undefined>,
): () => boolean {
  let hasHappened = false
  proxy.intercept(async (call) => {
    if (hasHappened || call.method !== method || isSchemaLook(call)) return undefined
    hasHappened = true
    return act(call)
  })
  return () => hasHappened
}

async function rollBack(proxy: RecordingProxy, call: RecordedCall): Promise<undefined> {
  const { session, transaction, transactionId } = call.request()
  const id = transactionId ?? (transaction as { readonly id?: Buffer } | undefined)?.id
  await proxy.callBackend(`${SPANNER}/Rollback`, { session, transactionId: id })
}

/** Another client of the backend, which Spanwire knows nothing of, commits a change. */
async function plant(proxy: RecordingProxy, call: RecordedCall): Promise<void> {
  const database = String(call.request()['session']).replace(/\/sessions\/.*/, '')
  const { name: session } = await proxy.callBackend(`${SPANNER}/CreateSession`, { database })
  const { id } = await proxy.callBackend(`${SPANNER}/BeginTransaction`, {
    session,
    options: { readWrite: {} },
  })
  const sql = 'update plant set n = 1000 where id = 1'
  await proxy.callBackend(`${SPANNER}/ExecuteSql`, { session, transaction: { id }, sql, seqno: 1 })
  await proxy.callBackend(`${SPANNER}/Commit`, { session, transactionId: id })
  await proxy.callBackend(`${SPANNER}/DeleteSession`, { name: session })
}
