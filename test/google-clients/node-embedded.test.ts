import t from 'tap'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { startStandalone } from '../embedded/standalone.ts'
import { checkNodeClient, WITHOUT_MULTIPLEXED_SESSIONS } from './node-client.ts'

t.test("Google's client for Node on the embedded Spanner", async (t) => {
  const workspace = await makeWorkspace()
  const { address, instance, stop } = await startStandalone({ dataDir: workspace.dataDir })
  t.teardown(async () => {
    await stop()
    await workspace.remove()
  })
  // Its one instance is there from the start.
  const server = { address, instance, otherwise: { createInstance: { code: 6 } } }
  await t.test('with a multiplexed session', (t) => checkNodeClient(t, server))
  await t.test('with a pool of sessions', (t) =>
    checkNodeClient(t, server, WITHOUT_MULTIPLEXED_SESSIONS),
  )
})
