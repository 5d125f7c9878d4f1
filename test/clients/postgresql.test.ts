import t from 'tap'
import { startOracle } from '../helpers/oracle.ts'
import { checkClients } from './suites.ts'

t.test('the suites are right about PostgreSQL itself', async (t) => {
  const oracle = await startOracle()
  t.teardown(() => oracle.stop())
  await checkClients(t, oracle)
})
