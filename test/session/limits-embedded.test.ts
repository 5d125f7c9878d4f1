import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkRequestLimits, connectTo, makeDatabase, outcome, statusOf } from './request-limits.ts'

const spanwire = await startSpanwire()
t.teardown(() => spanwire.stop())
await makeDatabase(spanwire)

const TOO_MANY = /^54000 too many mutations for one statement: Spanner takes at most 80000$/

t.test('what a statement may hold', (t) => checkRequestLimits(t, spanwire))

t.test('COPY is several statements', async (t) => {
  const client = await connectTo(spanwire)
  await client.query('create table copied (id bigint primary key, a bigint, b bigint)')
  const lines = Array.from({ length: 30_000 }, (_, n) => `${n}\t${n}\t${n}\n`)
  client.copyData = [Buffer.from(lines.join(''))]
  t.equal(outcome(await client.query('copy copied from stdin')), 'COPY 30000')
  await client.end()
})

t.test('one statement of a pipeline is too large for Spanner', async (t) => {
  const client = await connectTo(spanwire)
  await client.query('create table piped (id bigint primary key, a bigint)')
  const fill = 'insert into piped select g, g from generate_series($1::bigint, $2::bigint) g'
  const answers = await client.pipeline([
    { text: fill, values: ['1', '40000'] },
    { text: fill, values: ['40001', '80001'] },
    { text: fill, values: ['90001', '90002'] },
  ])
  t.match(outcome(answers), TOO_MANY)
  t.equal(statusOf(answers), 'I')
  t.equal(outcome(await client.query('select id from piped')), 'SELECT 0')
  const fits = await client.pipeline([
    { text: fill, values: ['1', '40000'] },
    { text: fill, values: ['40001', '80000'] },
    { text: 'update piped set a = 0 where id <= $1', values: ['40000'] },
  ])
  t.equal(outcome(fits), 'INSERT 0 40000, INSERT 0 40000, UPDATE 40000')
  await client.end()
})

t.test('a label in more rows than Spanner changes at a time is not renamed', async (t) => {
  const client = await connectTo(spanwire)
  await client.query("create type mood as enum ('sad', 'ok')")
  await client.query('create table moods (id bigint primary key, m mood)')
  for (const first of [1, 40_001]) {
    const last = first + 39_999
    await client.query(
      `insert into moods select g, 'sad' from generate_series(${first}, ${last}) g`,
    )
  }
  const renamed = await client.query("alter type mood rename value 'sad' to 'blue'")
  t.match(outcome(renamed), TOO_MANY)
  t.equal(outcome(await client.query("select 1 from moods where m = 'sad' limit 1")), 'SELECT 1')
  t.match(outcome(await client.query("select 'blue'::mood")), /^22P02 /)
  await client.query('delete from moods where id > 40000')
  t.equal(outcome(await client.query("alter type mood rename value 'sad' to 'blue'")), 'ALTER TYPE')
  t.equal(outcome(await client.query("select 1 from moods where m = 'blue' limit 1")), 'SELECT 1')
  await client.end()
})

t.test('what a transaction may write', async (t) => {
  const client = await connectTo(spanwire)
  await client.query('create table written (id bigint primary key, b text)')
  // As much as one text of Spanner's holds.
  const text = 'x'.repeat(2_621_440)
  const insert = async (from: number, to: number): Promise<void> => {
    for (let id = from; id <= to; id++) {
      await client.extended('insert into written values ($1, $2)', [String(id), text])
    }
  }
  await client.query('begin')
  await insert(1, 20)
  await client.query('savepoint here')
  await insert(21, 41)
  const refused = await client.query('commit')
  t.equal(
    outcome(refused),
    '54000 too much data for one transaction: Spanner takes at most 104857600 bytes',
  )
  t.equal(statusOf(refused), 'I')
  t.equal(outcome(await client.query('select id from written')), 'SELECT 0')
  await client.query('begin')
  await insert(1, 20)
  await client.query('savepoint here')
  await insert(21, 40)
  await client.query('rollback to here')
  await insert(21, 39)
  t.equal(outcome(await client.query('commit')), 'COMMIT', 'what was rolled back is not counted')
  t.equal(outcome(await client.query('select id from written')), 'SELECT 39')
  await client.end()
})
