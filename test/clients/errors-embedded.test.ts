import t from 'tap'
import { startSpanwire } from '../helpers/spanwire.ts'
import { checkOrdinaryErrors } from './ordinary-errors-check.ts'

t.test('ordinary errors, on the embedded backend', async (t) => {
  const spanwire = await startSpanwire()
  t.teardown(() => spanwire.stop())
  await checkOrdinaryErrors(t, 'embedded', spanwire)
})
