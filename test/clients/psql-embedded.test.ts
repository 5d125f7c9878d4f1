import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkPsqlCatalog } from './psql-catalog-check.ts'

t.test('psql’s catalog commands, on the embedded backend', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  await checkPsqlCatalog(t, spanwire)
})
