import t, { type Test } from 'tap'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { type Standalone, startStandalone } from '../embedded/standalone.ts'
import { findError, mustSucceed, rowsOf } from '../helpers/messages.ts'
import { type RunningSpanwire, startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const TRUE = [['t']]
const FALSE = [['f']]

/** A proxy in front of a Spanner that others are in front of, too. */
async function startProxy(t: Test, spanner: Standalone, lease = '30s'): Promise<RunningSpanwire> {
  const proxy = await startSpanwire({
    env: { SPANNER_EMULATOR_HOST: spanner.address },
    args: ['--project=spanwire', '--instance=embedded', `--advisory-lock-lease=${lease}`],
  })
  t.teardown(() => proxy.stop())
  return proxy
}

async function connect(t: Test, proxy: RunningSpanwire) {
  const { client } = await WireClient.connect(proxy, { user: 'tester', database: 'postgres' })
  t.teardown(() => client.end())
  return {
    client,
    send: (text: string) => client.query(text),
    ask: async (text: string) => {
      const answer = await client.query(text)
      mustSucceed(answer)
      return rowsOf(answer)
    },
  }
}

t.test('advisory locks of two proxies', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const spanner = await startStandalone({ dataDir: workspace.dataDir })
  t.teardown(() => spanner.stop())
  const [first, second] = [await startProxy(t, spanner), await startProxy(t, spanner)]
  const [a, a2, b] = [await connect(t, first), await connect(t, first), await connect(t, second)]

  await t.test('both make the tables at once', async (t) => {
    await Promise.all([
      a.ask('select pg_advisory_lock_shared(0)'),
      b.ask('select pg_advisory_lock_shared(0)'),
    ])
    for (const one of [a, b])
      t.strictSame(await one.ask('select pg_advisory_unlock_shared(0)'), TRUE)
    mustSucceed(await a.send('create table t (id bigint primary key)'))
  })

  await t.test('exclusive keeps others out, shared does not', async (t) => {
    await a.ask('select pg_advisory_lock(1)')
    t.strictSame(await b.ask('select pg_try_advisory_lock(1)'), FALSE)
    t.strictSame(await b.ask('select pg_try_advisory_lock_shared(1)'), FALSE)
    t.strictSame(await b.ask('select pg_try_advisory_lock(1, 0)'), TRUE, 'another space of keys')
    await a.ask('select pg_advisory_lock_shared(1)')
    await a.ask('select pg_advisory_unlock(1)')
    t.strictSame(await b.ask('select pg_try_advisory_lock(1)'), FALSE, 'still shared')
    t.strictSame(await b.ask('select pg_try_advisory_lock_shared(1)'), TRUE)
    t.strictSame(await a.ask('select pg_try_advisory_lock(1)'), FALSE)
    await b.ask('select pg_advisory_unlock_all()')
    t.strictSame(await a.ask('select pg_try_advisory_lock(1)'), TRUE)
    await a.ask('select pg_advisory_unlock_all()')
    t.strictSame(await b.ask('select pg_try_advisory_lock(1)'), TRUE)
    await b.ask('select pg_advisory_unlock(1)')
  })

  await t.test('one client of several lets go', async (t) => {
    for (const one of [a, a2]) await one.ask('select pg_advisory_lock_shared(2)')
    await a.ask('select pg_advisory_unlock_shared(2)')
    t.strictSame(await b.ask('select pg_try_advisory_lock(2)'), FALSE)
    await a2.ask('select pg_advisory_unlock_shared(2)')
    t.strictSame(await b.ask('select pg_try_advisory_lock(2)'), TRUE)
    await b.ask('select pg_advisory_unlock(2)')
  })

  await t.test('whoever waits gets it after the release, or gives up', async (t) => {
    await a.ask('select pg_advisory_lock(3)')
    const waiting = b.ask('select pg_advisory_lock(3)')
    await a.ask('select pg_advisory_unlock(3)')
    await waiting
    await a.ask("set lock_timeout = '100ms'")
    t.match(findError(await a.send('select pg_advisory_lock(3)')), { code: '55P03' })
    await a.ask('reset lock_timeout')
    await a.ask("set statement_timeout = '500ms'")
    t.match(findError(await a.send('select pg_advisory_lock(3)')), {
      code: '57014',
      message: 'canceling statement due to statement timeout',
    })
    await a.ask('reset statement_timeout')
    t.strictSame(await a2.ask('select pg_try_advisory_lock(3)'), FALSE)
    await b.ask('select pg_advisory_unlock(3)')
    t.strictSame(await a2.ask('select pg_try_advisory_lock(3)'), TRUE, 'who gave up has nothing')
    await a2.ask('select pg_advisory_unlock(3)')
  })

  await t.test('locks of a transaction end with it, or with its savepoint', async (t) => {
    for (const end of ['commit', 'rollback']) {
      await a.ask('begin')
      mustSucceed(await a.send('delete from t'))
      await a.ask('select pg_advisory_xact_lock(4)')
      await a.ask('savepoint s')
      await a.ask('select pg_advisory_xact_lock(5)')
      t.strictSame(await b.ask('select pg_try_advisory_lock(4)'), FALSE)
      t.strictSame(await b.ask('select pg_try_advisory_lock(5)'), FALSE)
      await a.ask('rollback to s')
      t.strictSame(await b.ask('select pg_try_advisory_xact_lock(5)'), TRUE)
      await a.ask(end)
      t.strictSame(await b.ask('select pg_try_advisory_xact_lock(4)'), TRUE)
    }
  })

  await t.test('those who ask at the same time come one after the other', async (t) => {
    let inside = 0
    const turn = async (one: typeof a) => {
      await one.ask('select pg_advisory_lock(6)')
      t.equal(++inside, 1)
      await one.ask('select 1')
      inside--
      await one.ask('select pg_advisory_unlock(6)')
    }
    for (let round = 0; round < 5; round++) await Promise.all([a, a2, b].map(turn))
  })

  await t.test('they end with the session, and with the proxy', async (t) => {
    const gone = await connect(t, first)
    await gone.ask('select pg_advisory_lock(7)')
    const waiting = b.ask('select pg_advisory_lock(7)')
    await gone.client.end()
    await waiting
    const third = await startProxy(t, spanner)
    const c = await connect(t, third)
    await c.ask('select pg_advisory_lock(8)')
    await third.stop()
    t.strictSame(await b.ask('select pg_try_advisory_lock(8)'), TRUE)
  })
})

t.test('the locks of a proxy that was killed are free after its lease', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const spanner = await startStandalone({ dataDir: workspace.dataDir })
  t.teardown(() => spanner.stop())
  const [first, second] = [await startProxy(t, spanner, '5s'), await startProxy(t, spanner, '5s')]
  const [a, b] = [await connect(t, first), await connect(t, second)]
  await a.ask('select pg_advisory_lock(1)')
  await b.ask("set lock_timeout = '8s'")
  const refused = findError(await b.send('select pg_advisory_lock(1)'))
  t.match(refused, { code: '55P03' }, 'the lease is renewed')
  await first.kill()
  await b.ask('reset lock_timeout')
  await b.ask('select pg_advisory_lock(1)')
})

t.test('a proxy that comes back after its lease ends the sessions that held locks', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const spanner = await startStandalone({ dataDir: workspace.dataDir })
  t.teardown(() => spanner.stop())
  const [first, second] = [await startProxy(t, spanner, '5s'), await startProxy(t, spanner, '5s')]
  const [a, b] = [await connect(t, first), await connect(t, second)]
  await a.ask('select pg_advisory_lock(1)')
  process.kill(first.pid, 'SIGSTOP')
  try {
    await b.ask('select pg_advisory_lock(1)')
  } finally {
    process.kill(first.pid, 'SIGCONT')
  }
  t.match(findError(await a.client.untilReady()), { code: '57P01', severity: 'FATAL' })
  const again = await connect(t, first)
  t.strictSame(await again.ask('select pg_try_advisory_lock(1)'), FALSE)
  t.strictSame(await again.ask('select pg_try_advisory_lock(2)'), TRUE)
})

t.test('sessions that hold locks end where the lease cannot be renewed', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const spanner = await startStandalone({ dataDir: workspace.dataDir })
  t.teardown(() => spanner.stop())
  const proxy = await startProxy(t, spanner, '2s')
  const [holder, other] = [await connect(t, proxy), await connect(t, proxy)]
  await holder.ask('select pg_advisory_lock(1)')
  await spanner.stop()
  t.match(findError(await holder.client.untilReady()), {
    code: '57P01',
    severity: 'FATAL',
    message: 'terminating connection because its advisory locks were lost',
  })
  t.strictSame(await other.ask('select 1'), [['1']])
})
