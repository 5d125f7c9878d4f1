import t from 'tap'
import { startOracle } from '../helpers/oracle.ts'
import { checkScripts } from './check.ts'

t.test('the scripts say what PostgreSQL says', async (t) => {
  const oracle = await startOracle()
  t.teardown(() => oracle.stop())
  await checkScripts(t, 'postgresql', oracle)
})
