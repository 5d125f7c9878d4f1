import { chown, mkdir, readdir } from 'node:fs/promises'
import t from 'tap'
import { findBarrier, UNPRIVILEGED } from '../../server/companion/run-as.ts'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { mustSucceed } from '../helpers/messages.ts'
import { MAIN, startSpanwire } from '../helpers/spanwire.ts'
import { WireClient } from '../helpers/wire-client.ts'

type Tap = Pick<typeof t, 'teardown' | 'equal' | 'strictSame'>

interface StartedLine {
  readonly msg: string
  readonly cluster: string
  readonly made_from: string
}

/** How the clusters' data directories came about, from the log at debug. */
function origins(output: string): Record<string, string> {
  const lines = output
    .split('\n')
    .filter((line) => line.includes('PostgreSQL started'))
    .map((line): StartedLine => JSON.parse(line))
  return Object.fromEntries(lines.map(({ cluster, made_from }) => [cluster, made_from]))
}

const isRoot = process.getuid?.() === 0

/** Root and an ordinary user, as far as we can be them. */
async function users(): Promise<readonly (number | undefined)[]> {
  if (!isRoot) return [undefined]
  const barrier = await findBarrier(MAIN, UNPRIVILEGED)
  if (barrier === undefined) return [undefined, UNPRIVILEGED.uid]
  t.comment(`NOT RUN as an ordinary user: ${barrier} is closed to it`)
  return [undefined]
}

async function testStarts(t: Tap, uid: number | undefined): Promise<void> {
  const workspace = await makeWorkspace()
  t.teardown(workspace.remove)
  await mkdir(workspace.dataDir, { mode: 0o755 })
  if (uid !== undefined) await chown(workspace.dataDir, uid, uid)
  const args = ['--log-level', 'debug']
  for (const madeFrom of ['template', 'nothing']) {
    const spanwire = await startSpanwire({ dataDir: workspace.dataDir, args, uid })
    t.teardown(() => spanwire.kill())
    const { client } = await WireClient.connect(spanwire, { user: 'tester', database: 'postgres' })
    // Emulated, for the third kind of cluster: it starts with a statement.
    if (madeFrom === 'template') {
      mustSucceed(await client.query('create table t (id bigint primary key, n bigint)'))
    }
    mustSucceed(await client.query('select n, row_number() over (order by n) from t'))
    await client.end()
    t.equal(await spanwire.stop(), 0)
    t.strictSame(
      origins(spanwire.output()),
      { companion: madeFrom, embedded: madeFrom, scratch: madeFrom },
      `made from ${madeFrom}`,
    )
  }
  t.strictSame(
    (await readdir(workspace.dataDir)).filter((name) => name.includes('unfinished')),
    [],
    'nothing half-made',
  )
}

for (const uid of await users()) {
  t.test(`the first start copies the templates of the build (uid ${uid ?? 'as we are'})`, (t) =>
    testStarts(t, uid),
  )
}
