import t, { type Test } from 'tap'
import { onEachBackend } from '../helpers/on-emulator.ts'
import { outcomesBy } from '../helpers/outcome.ts'
import type { RunningSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const outcome = outcomesBy('code')

t.test('START BATCH DML, RUN BATCH and ABORT BATCH', (t) => onEachBackend(t, checkBatches))

async function checkBatches(t: Test, spanwire: RunningSpanwire): Promise<void> {
  const { client } = await WireClient.connect(spanwire, { user: 'me', database: 'postgres' })
  t.teardown(() => client.end())
  const ask = async (text: string) => (await client.query(text)).flatMap(outcome)
  const bind = async (text: string, ...values: string[]) =>
    (await client.extended(text, values)).flatMap(outcome)
  const rows = () => ask('select n from b order by id')
  await ask('create table b (id bigint primary key, n bigint not null)')

  await t.test('statements wait for RUN BATCH', async (t) => {
    t.strictSame(await ask('start batch dml'), ['START BATCH DML'])
    t.strictSame(await bind('insert into b values ($1, $2)', '1', '10'), ['INSERT 0 0'])
    t.strictSame(await ask('set spanner.dml_batch_update_count = 7'), ['SET'])
    t.strictSame(await ask('update b set n = n + 1'), ['UPDATE 7'])
    t.strictSame(await ask('reset spanner.dml_batch_update_count'), ['RESET'])
    t.strictSame(await bind('RUN BATCH'), ['RUN BATCH'])
    t.strictSame(await rows(), ['11', 'SELECT 1'])
  })

  await t.test('all in one string, between other statements', async (t) => {
    t.strictSame(
      await ask(
        "insert into b values (2, 0); /* ; */ START  batch DML; insert into b values (3, 0); update b set n = 5 where id in (2, 3); run batch ; select ';' from b where n = 5",
      ),
      [
        'INSERT 0 1',
        'START BATCH DML',
        'INSERT 0 0',
        'UPDATE 0',
        'RUN BATCH',
        ';',
        ';',
        'SELECT 2',
      ],
    )
  })

  await t.test('what is aborted never runs', async (t) => {
    t.strictSame(await ask('start batch dml; delete from b; abort batch'), [
      'START BATCH DML',
      'DELETE 0',
      'ABORT BATCH',
    ])
    await ask('begin; start batch dml; delete from b')
    t.strictSame(await ask('rollback'), ['ROLLBACK'])
    t.strictSame(await ask('run batch'), ['55000'])
    t.strictSame(await rows(), ['11', '5', '5', 'SELECT 3'])
  })

  await t.test('an error names its statement, and undoes the batch outside a block', async (t) => {
    await ask('start batch dml; update b set n = 0; insert into b values (1, 1); delete from b')
    const [error] = await client.query('run batch')
    t.match(error, {
      name: 'error',
      code: '23505',
      where: 'statement 2 of the batch: insert into b values (1, 1)',
    })
    t.strictSame(await rows(), ['11', '5', '5', 'SELECT 3'])
  })

  await t.test('in a block, with a savepoint', async (t) => {
    await ask('begin; update b set n = 1 where id = 1; savepoint s')
    await ask('start batch dml; update b set n = 2; insert into b values (2, 2)')
    t.strictSame(await ask('run batch'), ['23505'])
    t.strictSame(await ask('run batch'), ['25P02'])
    t.strictSame(await ask('rollback to s; commit'), ['ROLLBACK', 'COMMIT'])
    t.strictSame(await rows(), ['1', '5', '5', 'SELECT 3'])
  })

  await t.test('what is no DML without rows does not belong into a batch', async (t) => {
    await ask('start batch dml')
    for (const text of [
      'select 1',
      'insert into b values (9, 9) returning n',
      'begin',
      'start batch dml',
    ])
      t.strictSame(await ask(text), ['55000'], text)
    t.strictSame(await ask('discard all'), ['DISCARD ALL'])
    t.strictSame(await ask('abort batch'), ['55000'], 'it went with the rest of the session')
    t.strictSame(await ask('start batch ddl'), ['0A000'])
    t.strictSame(await ask('start batch'), ['42601'])
    t.strictSame(await ask('select 1 run batch'), ['42601'])
  })
}
