import t from 'tap'
import { onEmulator } from '../helpers/on-emulator.ts'
import { checkRequestLimits, makeDatabase } from './request-limits.ts'

t.test('what a statement may hold, on the emulator', async (t) => {
  await onEmulator(t, async (spanwire) => {
    await makeDatabase(spanwire)
    await checkRequestLimits(t, spanwire)
  })
})
