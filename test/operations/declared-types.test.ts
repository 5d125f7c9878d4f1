import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { TYPED_VALUES } from '../clients/values.ts'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { mustSucceed } from '../helpers/messages.ts'
import { startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

const LOGIN = { user: 'tester', database: 'postgres' }

/** Descriptions of columns and their values, and what the catalogs call the types. */
const QUESTIONS = [
  'select * from every_type order by id',
  `select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'every_type'::regclass and attnum > 0 order by attnum`,
]

t.test('declared types outlive the companion that knew them', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const { dataDir } = workspace
  const ask = async (...before: readonly string[]) => {
    const spanwire = await startSpanwire({ dataDir })
    const { client } = await WireClient.connect(spanwire, LOGIN)
    for (const text of before) mustSucceed(await client.query(text))
    const answers = []
    for (const text of QUESTIONS) {
      const answer = await client.query(text)
      mustSucceed(answer)
      // The number of the table may be another one.
      answers.push(JSON.stringify(answer).replace(/"tableID":\d+/g, '"tableID":0'))
    }
    await client.end()
    await spanwire.stop()
    return answers
  }
  const columns = TYPED_VALUES.map(({ type }, i) => `c${i} ${type}`)
  const values = TYPED_VALUES.map(({ values: [value] }) => `'${value?.replaceAll("'", "''")}'`)
  const before = await ask(
    `create table every_type (id bigint primary key, ${columns.join(', ')})`,
    `insert into every_type values (1, ${values.join(', ')})`,
  )
  t.ok(before[0]?.includes('"dataTypeModifier"'), 'columns are described')
  await rm(join(dataDir, 'companion'), { recursive: true })
  t.strictSame(await ask(), before)
})
