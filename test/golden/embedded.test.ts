import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkScripts } from './check.ts'

t.test('the embedded backend answers as PostgreSQL', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  await checkScripts(t, 'embedded', spanwire)
})
