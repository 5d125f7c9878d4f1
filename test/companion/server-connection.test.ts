import tap from 'tap'
import { ConnectionPool } from '../../server/companion/connection-pool.ts'
import { FrontendWriter } from '../../server/companion/frontend-messages.ts'
import { BACKEND_TYPE } from '../../server/wire/backend-decoder.ts'
import { makeWorkspace, startTestCluster } from './test-cluster.ts'

const signal = AbortSignal.timeout(120_000)
const workspace = await makeWorkspace()
const cluster = await startTestCluster(workspace)
tap.teardown(async () => {
  await cluster.stop()
  await workspace.remove()
})
const open = () => cluster.connect({ user: 'spanwire', database: 'postgres', signal })

tap.test('exchanges queue up and keep their answers apart', async (t) => {
  const connection = await open()
  t.teardown(() => connection.close())
  const one = new FrontendWriter().run('select 1').sync().run('select 2').sync().take()
  const broken = new FrontendWriter().run('select nothing').run('select 3').sync().take()
  const answers = await Promise.all([
    connection.exchange(one, 2),
    connection.exchange(broken, 1),
    connection.exchange(one, 2),
  ])
  const types = answers.map((frames) =>
    frames.map((frame) => String.fromCharCode(frame.type)).join(''),
  )
  t.strictSame(types, ['12DCZ12DCZ', 'EZ', '12DCZ12DCZ'])
})

tap.test('query gives text by column name and throws with all fields', async (t) => {
  const connection = await open()
  t.teardown(() => connection.close())
  t.strictSame(await connection.query('select $1::int + 1 as n, null as nothing', ['41']), [
    { n: '42', nothing: null },
  ])
  await t.rejects(connection.query('select 1 as a, nothing'), {
    message: 'column "nothing" does not exist',
    code: '42703',
    severity: 'ERROR',
    fields: { position: 16 },
  })
  await connection.script('create table s(id int primary key); insert into s values (1)')
  await t.rejects(connection.script('insert into s values (2); insert into s values (1)'), {
    code: '23505',
    message: /duplicate key/,
    fields: { schema: 'public', table: 's', constraint: 's_pkey', detail: /already exists/ },
  })
  t.strictSame(await connection.query('select count(*) from s'), [{ count: '1' }])
})

tap.test('a prepared question is parsed once, and again after an error', async (t) => {
  const connection = await open()
  t.teardown(() => connection.close())
  const ask = (text: string, params: string[] = []) =>
    connection.ask(new FrontendWriter(), { text, params, isPrepared: true })
  const half = 'select 10 / $1::int as n'
  t.strictSame(await Promise.all([ask(half, ['5']), ask(half, ['2'])]), [
    [{ n: '2' }],
    [{ n: '5' }],
  ])
  const known = () =>
    connection.query('select count(*) as n from pg_prepared_statements where statement = $1', [
      half,
    ])
  t.strictSame(await known(), [{ n: '1' }])
  await t.rejects(ask(half, ['0']), { code: '22012' })
  t.strictSame(await ask(half, ['1']), [{ n: '10' }])
  t.strictSame(await known(), [{ n: '2' }])
  await t.rejects(ask('select n from later'), { code: '42P01' })
  await connection.script('create table later (n int)')
  t.strictSame(await ask('select n from later'), [])
  await connection.script('begin')
  await t.rejects(ask('select nothing'), { code: '42703' })
  await t.rejects(ask('select 1 as one'), { code: '25P02' })
  await connection.script('rollback')
  t.strictSame(await ask('select 1 as one'), [{ one: '1' }])
})

tap.test('an aborted exchange is cancelled, and nothing after it', async (t) => {
  const connection = await open()
  t.teardown(() => connection.close())
  for (let round = 0; round < 10; round++) {
    const abort = new AbortController()
    const reason = new Error(`enough ${round}`)
    const sleeping = connection.query('select pg_sleep(60)', [], abort.signal)
    if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    abort.abort(reason)
    await t.rejects(sleeping, { message: `enough ${round}` })
    t.match(await connection.query('select pg_sleep(0.01), 1 as ok'), [{ ok: '1' }])
  }
  const aborted = AbortSignal.abort(new Error('never sent'))
  await t.rejects(connection.query('select 1', [], aborted), { message: 'never sent' })
  t.notOk(connection.isLost)
})

tap.test('a listener that is busy stops the stream', async (t) => {
  const connection = await open()
  t.teardown(() => connection.close())
  const text = `select repeat('x', 100000) from generate_series(1, 200)`
  let rows = 0
  let isBusy = false
  await connection.stream(
    { bytes: new FrontendWriter().run(text).sync().take(), syncs: 1 },
    (frame) => {
      if (isBusy) throw new Error('called while busy')
      if (frame.type !== BACKEND_TYPE.dataRow) return
      rows++
      if (rows % 50 !== 0) return
      isBusy = true
      return new Promise((resolve) => {
        setTimeout(() => {
          isBusy = false
          resolve()
        }, 20)
      })
    },
  )
  t.equal(rows, 200)
  t.match(await connection.query('select 1 as one'), [{ one: '1' }])
})

tap.test('the end of the server process', async (t) => {
  const connection = await open()
  const other = await open()
  t.teardown(() => other.close())
  const words = { code: '57P01', severity: 'FATAL', message: /administrator command/ }
  const ended = t.rejects(connection.query('select pg_sleep(60)'), words)
  await other.query(`select pg_terminate_backend(${connection.processId})`)
  await ended
  await t.rejects(connection.query('select 1'), { code: '57P01', message: /administrator command/ })
  t.ok(connection.lost.aborted)
})

tap.test('a login that the server refuses', async (t) => {
  await t.rejects(cluster.connect({ user: 'nobody', database: 'postgres', signal }), {
    code: '28000',
    message: /role "nobody" does not exist/,
  })
  await t.rejects(cluster.connect({ user: 'spanwire', database: 'void', signal }), {
    code: '3D000',
    message: /database "void" does not exist/,
  })
})

const POOL = {
  open,
  max: 2,
  min: 0,
  waitMs: 10_000,
  maxAgeMs: 60_000,
  idleMs: 60_000,
  maxPrivateKiB: 1e6,
}

tap.test('a pool lends each connection once, in the order asked', async (t) => {
  const pool = new ConnectionPool(POOL)
  t.teardown(() => pool.close())
  const first = await pool.acquire(signal)
  const second = await pool.acquire(signal)
  t.not(first, second)
  const order: number[] = []
  const third = pool.acquire(signal).then((connection) => {
    order.push(3)
    return connection
  })
  const fourth = pool.acquire(signal).then((connection) => {
    order.push(4)
    return connection
  })
  pool.release(second)
  t.equal(await third, second)
  pool.release(first)
  t.equal(await fourth, first)
  t.strictSame(order, [3, 4])
  t.equal(pool.size, 2)
  pool.release(second)
  pool.release(first)
  await t.rejects(
    pool.use(signal, () => Promise.reject(new Error('work failed'))),
    { message: 'work failed' },
  )
  t.equal(pool.size, 2)
})

tap.test('nobody waits longer than a pool allows', async (t) => {
  const only = await open()
  const pool = new ConnectionPool({ ...POOL, open: async () => only, max: 1, waitMs: 50 })
  t.teardown(() => pool.close())
  pool.release(await pool.acquire(signal))
  t.equal(await pool.acquire(signal), only)
  await t.rejects(pool.acquire(signal), { code: '53300', message: /timed out/ })
  pool.release(only)
})

tap.test('a pool gives up on what is not clean', async (t) => {
  const pool = new ConnectionPool({ ...POOL, max: 1 })
  t.teardown(() => pool.close())
  const inBlock = await pool.acquire(signal)
  const abort = new AbortController()
  const waiting = pool.acquire(abort.signal)
  abort.abort(new Error('gone'))
  await t.rejects(waiting, { message: 'gone' })
  await inBlock.query('begin')
  const next = pool.acquire(signal)
  pool.release(inBlock)
  const fresh = await next
  t.not(fresh, inBlock)
  t.ok(inBlock.isLost)
  fresh.destroy()
  pool.release(fresh)
  const last = await pool.acquire(signal)
  t.match(await last.query('select 1 as one'), [{ one: '1' }])
  await pool.close()
  pool.release(last)
  t.equal(pool.size, 0)
})

tap.test('a pool replaces old and large connections', async (t) => {
  for (const limits of [{ maxAgeMs: 0 }, { maxPrivateKiB: 0 }]) {
    const pool = new ConnectionPool({ ...POOL, max: 1, ...limits })
    const seen = new Set<number>()
    for (let use = 0; use < 70; use++) {
      await pool.use(signal, async (connection) => {
        seen.add(connection.processId)
      })
      if ('maxAgeMs' in limits && use > 3) break
    }
    t.ok(seen.size > 1, JSON.stringify(limits))
    await pool.close()
  }
})
