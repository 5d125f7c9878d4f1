import t from 'tap'
import { startEmulator } from '../helpers/emulator.ts'
import { checkNodeClient, WITHOUT_MULTIPLEXED_SESSIONS } from './node-client.ts'

t.test("Google's client for Node on the emulator", async (t) => {
  const emulator = await startEmulator()
  if (emulator === undefined) {
    t.pass('SKIPPED: the Spanner emulator is not on this machine', { skip: true })
    return
  }
  t.teardown(() => emulator.stop())
  const server = {
    address: emulator.address,
    instance: 'projects/spanwire/instances/emulator',
    otherwise: { getDatabaseDialect: 'DATABASE_DIALECT_UNSPECIFIED' },
  }
  await checkNodeClient(t, server, WITHOUT_MULTIPLEXED_SESSIONS)
})
