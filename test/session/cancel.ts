import type { Test } from 'tap'
import { type BackendKey, cancelUntilSettled } from '../clients/cancel.ts'
import { holdNext } from '../helpers/held-call.ts'
import { orSkip } from '../helpers/on-emulator.ts'
import { outcomesBy } from '../helpers/outcome.ts'
import {
  type BackendKind,
  type RecordedBackend,
  startRecordedBackend,
} from '../helpers/recorded-backend.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const outcome = outcomesBy('message')

const CANCELED = 'canceling statement due to user request'
const UPDATE = 'update c set n = n + 1 where id = 1'

/** Cancels whatever a client waits for, and looks at the transaction it is left with; calls are held so that they never end by themselves. */
export function checkCancel(t: Test, kind: BackendKind): Promise<void> {
  return orSkip(
    t,
    () => startRecordedBackend(kind),
    (backend) => checkOn(t, backend),
  )
}

async function checkOn(t: Test, backend: RecordedBackend): Promise<void> {
  const spanwire = await startSpanwire({ env: backend.env })
  t.teardown(() => spanwire.stop())
  const connect = async () => {
    const login = { user: 'me', database: 'c' }
    const { client, messages } = await WireClient.connect(spanwire, login)
    const key = messages.find(({ name }) => name === 'backendKeyData') as unknown as BackendKey
    return { ask: async (text: string) => (await client.query(text)).flatMap(outcome), key, client }
  }
  const admin = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
  await admin.client.query('create database c')
  const { ask, key, client } = await connect()
  const other = await connect()
  t.teardown(() => Promise.all([admin, { client }, other].map((each) => each.client.end())))
  await ask('create table c (id bigint primary key, n bigint)')
  await ask('insert into c values (1, 0), (2, 0)')

  /** Cancels a statement whose call has come to the backend, and goes no further. */
  const cancelHeld = async (text: string, method: string) => {
    const held = holdNext(backend.proxy, method)
    const answer = ask(text)
    await held.arrived
    await cancelUntilSettled(spanwire, key, answer)
    held.release()
    return answer
  }

  await t.test('outside a block', async (t) => {
    for (const [text, method] of [
      ['select n from c', 'ExecuteStreamingSql'],
      ['select row_number() over (order by id) from c', 'ExecuteStreamingSql'],
      [UPDATE, 'ExecuteStreamingSql'],
      [`${UPDATE}; ${UPDATE}`, 'ExecuteBatchDml'],
    ] as const) {
      t.strictSame(await cancelHeld(text, method), [CANCELED], text)
    }
    t.strictSame(await ask('select n from c where id = 1'), ['0', 'SELECT 1'], 'nothing stays')
  })

  await t.test('in a block, which goes on from a savepoint', async (t) => {
    for (const [text, method] of [
      ['select n from c', 'ExecuteStreamingSql'],
      [UPDATE, 'ExecuteStreamingSql'],
      [`${UPDATE}; ${UPDATE}`, 'ExecuteBatchDml'],
    ] as const) {
      await ask(`begin; update c set n = 5 where id = 2; savepoint s`)
      t.strictSame(await cancelHeld(text, method), [CANCELED], text)
      t.match(await ask('select 1'), [/^current transaction is aborted/])
      t.strictSame(await ask('rollback to s'), ['ROLLBACK'])
      t.strictSame(await ask(`update c set n = n + 1 where id = 2; commit`), ['UPDATE 1', 'COMMIT'])
      t.strictSame(await ask('select n from c order by id'), ['0', '6', 'SELECT 2'])
    }
  })

  await t.test('a replay', async (t) => {
    await ask(
      `begin; update c set n = 7 where id = 2; savepoint s; ${UPDATE}; rollback to s; savepoint r`,
    )
    t.strictSame(await cancelHeld('select n from c', 'ExecuteBatchDml'), [CANCELED])
    t.strictSame(await ask('rollback to r; select n from c order by id; commit'), [
      'ROLLBACK',
      '0',
      '7',
      'SELECT 2',
      'COMMIT',
    ])
  })

  await t.test('a Commit that was sent is not taken back', async (t) => {
    const held = holdNext(backend.proxy, 'Commit')
    const answer = ask(`begin; ${UPDATE}; commit`)
    await held.arrived
    const canceled = cancelUntilSettled(spanwire, key, answer)
    held.release()
    await canceled
    t.strictSame(await answer, ['BEGIN', 'UPDATE 1', 'COMMIT'])
    t.strictSame(await ask('select n from c where id = 1'), ['1', 'SELECT 1'])
  })

  await t.test('the wait for what another client holds', async (t) => {
    await other.ask(`begin; ${UPDATE}; select pg_advisory_lock(1)`)
    for (const text of [UPDATE, 'select pg_advisory_lock(1)']) {
      await ask('begin')
      const answer = ask(text)
      await cancelUntilSettled(spanwire, key, answer)
      t.strictSame(await answer, [CANCELED], text)
      t.strictSame(await ask('commit'), ['ROLLBACK'])
    }
    t.strictSame(await other.ask('rollback'), ['ROLLBACK'])
  })

  await t.test('statement_timeout', async (t) => {
    await ask("begin; savepoint s; set local statement_timeout = '500ms'")
    const held = holdNext(backend.proxy, 'ExecuteStreamingSql')
    t.strictSame(await ask('select n from c'), ['canceling statement due to statement timeout'])
    held.release()
    t.strictSame(await ask('rollback to s; select n from c where id = 2; commit'), [
      'ROLLBACK',
      '7',
      'SELECT 1',
      'COMMIT',
    ])
  })
}
