import t from 'tap'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { startStandalone } from '../embedded/standalone.ts'
import { checkGoClient } from './go-client.ts'
import { WITHOUT_MULTIPLEXED_SESSIONS } from './node-client.ts'

t.test("Google's client for Go on the embedded Spanner", async (t) => {
  const workspace = await makeWorkspace()
  const server = await startStandalone({ dataDir: workspace.dataDir })
  t.teardown(async () => {
    await server.stop()
    await workspace.remove()
  })
  await t.test('with a multiplexed session', (t) => checkGoClient(t, server))
  await t.test('with a pool of sessions', (t) =>
    checkGoClient(t, server, WITHOUT_MULTIPLEXED_SESSIONS),
  )
})
