import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkPgDump } from './pg-dump.ts'

t.test('pg_dump of the schema, on the embedded backend', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  await checkPgDump(t, spanwire)
})
