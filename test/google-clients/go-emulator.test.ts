import t from 'tap'
import { startEmulator } from '../helpers/emulator.ts'
import { orSkip } from '../helpers/on-emulator.ts'
import { checkGoClient } from './go-client.ts'
import { WITHOUT_MULTIPLEXED_SESSIONS } from './node-client.ts'

t.test("Google's client for Go on the emulator", async (t) => {
  await orSkip(t, startEmulator, async ({ address }) => {
    const server = {
      address,
      instance: 'projects/spanwire/instances/emulator',
      // It has no BatchWrite.
      otherwise: {
        'groups of mutations': 'Unimplemented',
        'no groups of mutations': 'Unimplemented',
      },
    }
    await checkGoClient(t, server, WITHOUT_MULTIPLEXED_SESSIONS)
  })
})
