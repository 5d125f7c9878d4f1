import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkClients } from './suites.ts'

t.test('client libraries on the embedded backend', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  await checkClients(t, spanwire)
})
