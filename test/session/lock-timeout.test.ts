import t from 'tap'
import { outcomesBy } from '../helpers/outcome.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const outcome = outcomesBy('code')

t.test('lock_timeout ends the wait for a lock that Spanner gave somebody else', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  const connect = async () => {
    const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
    t.teardown(() => client.end())
    return async (text: string) => (await client.query(text)).flatMap(outcome)
  }
  const holder = await connect()
  const waiter = await connect()
  await holder('create table l (id bigint primary key, n bigint)')
  await holder('insert into l values (1, 0), (2, 0), (3, 0)')
  await holder('begin; update l set n = 1 where id = 1')

  await t.test('of a statement outside a block', async (t) => {
    await waiter("set lock_timeout = '50ms'")
    t.strictSame(await waiter('update l set n = 2 where id = 1'), ['55P03'])
    await waiter('reset lock_timeout')
    t.strictSame(await waiter('update l set n = 2 where id = 2'), ['UPDATE 1'])
  })

  await t.test(
    'of a statement and of a batch in a block, which goes on from a savepoint',
    async (t) => {
      await waiter('begin; update l set n = 3 where id = 2')
      for (const text of [
        'update l set n = 3 where id = 1',
        'update l set n = 4 where id = 3; update l set n = 3 where id = 1',
        'select n from l where id = 1 for update',
      ]) {
        await waiter("savepoint s; set local lock_timeout = '50ms'")
        t.match(await waiter(text), ['55P03'], text)
        t.strictSame(await waiter('select 1'), ['25P02'])
        t.strictSame(await waiter('rollback to s'), ['ROLLBACK'])
      }
      t.strictSame(await waiter('commit'), ['COMMIT'])
      t.strictSame(await waiter('select n from l where id > 1 order by id'), ['3', '0', 'SELECT 2'])
    },
  )

  t.strictSame(await holder('commit'), ['COMMIT'])
})
