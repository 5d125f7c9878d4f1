import t from 'tap'
import { renderAnswer } from '../golden/render.ts'
import { ORACLE_USER, startOracleWithUser } from '../helpers/oracle.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const [oracle, spanwire] = await Promise.all([
  startOracleWithUser('spanwire_admin'),
  startSpanwire(),
])
t.teardown(async () => {
  await Promise.all([oracle.stop(), spanwire.stop()])
})

t.before(async () => {
  for (const address of [oracle, spanwire]) {
    const user = { user: ORACLE_USER, database: 'postgres' }
    const { client } = await WireClient.connect(address, user)
    await client.query('create database l')
    await client.end()
  }
})

/** Each in a transaction of its own, and once more behind `before`. */
const STATEMENTS = [
  'select relname from pg_class for update',
  'select relname from pg_class where false for share',
  'select relname from (select relname from pg_class for key share) as c',
  'select tablename from pg_tables for update',
  `select setting from pg_settings where name = 'work_mem' for update`,
  'select 1 for update',
]

for (const before of [
  'begin',
  'begin read only',
  'begin; create table u (id bigint primary key)',
]) {
  t.test(`locks of catalogs after ${before}`, async (t) => {
    const [expected, actual] = await Promise.all(
      [oracle, spanwire].map(async (address) => {
        const { client } = await WireClient.connect(address, { user: ORACLE_USER, database: 'l' })
        const answers: string[][] = []
        for (const statement of STATEMENTS) {
          await client.query(before)
          answers.push([statement, ...renderAnswer(await client.query(statement))])
          await client.query('rollback')
        }
        await client.end()
        return answers
      }),
    )
    t.strictSame(actual, expected)
  })
}
