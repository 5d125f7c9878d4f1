import t from 'tap'
import { startEmulator } from '../helpers/emulator.ts'
import { orSkip } from '../helpers/on-emulator.ts'
import { checkNodeClient, WITHOUT_MULTIPLEXED_SESSIONS } from './node-client.ts'

t.test("Google's client for Node on the emulator", async (t) => {
  await orSkip(t, startEmulator, async ({ address }) => {
    const server = {
      address,
      instance: 'projects/spanwire/instances/emulator',
      otherwise: { getDatabaseDialect: 'DATABASE_DIALECT_UNSPECIFIED' },
    }
    await checkNodeClient(t, server, WITHOUT_MULTIPLEXED_SESSIONS)
  })
})
