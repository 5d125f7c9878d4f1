import t from 'tap'
import { startEmulator } from '../helpers/emulator.ts'
import { checkGoClient } from './go-client.ts'
import { WITHOUT_MULTIPLEXED_SESSIONS } from './node-client.ts'

t.test("Google's client for Go on the emulator", async (t) => {
  const emulator = await startEmulator()
  if (emulator === undefined) {
    t.pass('SKIPPED: the Spanner emulator is not on this machine', { skip: true })
    return
  }
  t.teardown(() => emulator.stop())
  const server = {
    address: emulator.address,
    instance: 'projects/spanwire/instances/emulator',
    // It has no BatchWrite.
    otherwise: {
      'groups of mutations': 'Unimplemented',
      'no groups of mutations': 'Unimplemented',
    },
  }
  await checkGoClient(t, server, WITHOUT_MULTIPLEXED_SESSIONS)
})
