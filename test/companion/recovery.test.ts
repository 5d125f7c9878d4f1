import tap from 'tap'
import { readPostmasterFile } from '../../server/companion/data-directory.ts'
import { until } from '../helpers/until.ts'
import { session, signal, startTestCompanion, statement, textRows } from './test-companion.ts'

const one = statement('select 1 as one')

tap.test('the companion is lost', async (t) => {
  const { companion, workspace, end } = await startTestCompanion()
  t.teardown(end)
  await companion.createDatabase('shop')
  const shop = companion.database('shop')
  await shop.serviceTransaction(['create table item (id bigint primary key)'])
  const kill = async () => {
    const file = await readPostmasterFile(workspace.dataDir)
    if (file !== undefined) process.kill(file.pid, 'SIGKILL')
  }
  const pinned = await shop.pin(session(), signal)
  await pinned.execute(statement('create table note (id int)'))
  t.match(textRows(await shop.read(one)), [{ one: '1' }])
  const running = pinned.execute(statement('do $$ begin loop perform 1; end loop; end $$'))
  const outcome = t.rejects(running, {
    code: '57P01',
    severity: 'FATAL',
    message: /terminating connection/,
  })
  await kill()
  const answers = await Promise.all([
    shop.read(one),
    shop.analyse(statement('select id from item')),
    shop.service('select count(*) as n from item'),
    shop.serviceTransaction(['create table later (id int)']),
  ])
  await outcome
  t.match(textRows(answers[0]), [{ one: '1' }])
  t.equal(answers[1].fields?.length, 1)
  t.match(answers[2], [{ n: '0' }])
  t.strictSame(
    await shop.service(`select to_regclass('later')::text as later, to_regclass('note') as note`),
    [{ later: 'later', note: null }],
  )
  t.ok(pinned.lost.aborted)
  await t.rejects(pinned.read(one), { code: '57P01', message: /terminating connection/ })
  await pinned.release()
  const next = await shop.pin(session(), signal)
  t.match(textRows(await next.read(one)), [{ one: '1' }])
  await next.release()
})

tap.test('a crash of one server process', async (t) => {
  const { companion, end } = await startTestCompanion()
  t.teardown(end)
  const database = companion.database('postgres')
  const pinned = await database.pin(session(), signal)
  const [row] = await pinned.query(
    'select pg_stat_get_backend_pid(s) as pid from pg_stat_get_backend_idset() s order by 1 desc limit 1',
  )
  await database.read(one)
  process.kill(Number(row?.['pid']), 'SIGSEGV')
  await until(() => pinned.lost.aborted)
  t.match(textRows(await database.read(one)), [{ one: '1' }])
  await pinned.release()
})
