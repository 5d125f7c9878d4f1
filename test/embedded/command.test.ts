import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import tap from 'tap'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { runSpanwire } from '../helpers/spanwire.ts'
import { connectTo } from './embedded-client.ts'
import { startStandalone } from './standalone.ts'

tap.test('it serves until SIGTERM, and the data are there the next time', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const first = await startStandalone({ dataDir: workspace.dataDir })
  t.equal(first.instance, 'projects/spanwire/instances/embedded')
  const before = await connectTo(first, 'alone')
  await before.ddl('CREATE TABLE t (id bigint PRIMARY KEY)')
  await before.write('INSERT INTO t (id) VALUES (1)')
  before.close()
  t.equal(await first.stop(), 0)
  const second = await startStandalone({ dataDir: workspace.dataDir })
  const after = await connectTo(second, 'alone')
  t.strictSame((await after.run('SELECT id FROM t')).rows, [['1']])
  const other = await runSpanwire([
    ...['embedded', '--listen', '127.0.0.1:0'],
    ...['--data-dir', workspace.dataDir],
  ])
  t.equal(other.code, 1)
  t.match(other.stderr, /^spanwire: [^\n]+\n$/, 'one server at a time uses a data directory')
  after.close()
  t.equal(await second.stop(), 0)
})

tap.test('it says in one line that it cannot listen', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(() => workspace.remove())
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const ended = await runSpanwire([
    ...['embedded', '--listen', `127.0.0.1:${port}`],
    ...['--data-dir', join(workspace.root, 'data')],
  ])
  t.equal(ended.code, 1)
  t.match(ended.stderr, new RegExp(`^spanwire: cannot listen on 127.0.0.1:${port}: [^\\n]+\\n$`))
})
