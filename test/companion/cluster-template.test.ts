import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import tap from 'tap'
import {
  type ClusterRecipe,
  saveTemplate,
  templateFile,
} from '../../server/companion/cluster-template.ts'
import { prepareDataDirectory } from '../../server/companion/data-directory.ts'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { makeWorkspace, startTestCluster } from './test-cluster.ts'

const signal = AbortSignal.timeout(120_000)
const workspace = await makeWorkspace()
tap.teardown(workspace.remove)
const templatesDir = join(workspace.root, 'templates')
const recipe: ClusterRecipe = { superuser: 'spanwire', walSegmentMiB: 1, contents: 'one table' }
const binaries = await findPostgresBinaries({ stateDir: workspace.stateDir, signal })
const file = await templateFile(binaries, recipe, templatesDir)

function prepare(name: string, others: { recipe?: ClusterRecipe; durable?: boolean } = {}) {
  const dataDir = join(workspace.root, name)
  return prepareDataDirectory({
    ...{ binaries, dataDir, recipe, templatesDir, signal, durable: false },
    ...others,
  })
}

async function queryIn(name: string, sql: string) {
  const cluster = await startTestCluster(workspace, { dataDir: join(workspace.root, name), recipe })
  try {
    const connection = await cluster.connect({ user: 'spanwire', database: 'postgres', signal })
    const rows = await connection.query(sql)
    await connection.close()
    return rows
  } finally {
    await cluster.stop()
  }
}

async function makeTemplate(): Promise<void> {
  await queryIn('data', 'create table kept as select 42 as answer')
  await queryIn('data', 'select pg_switch_wal()')
  await saveTemplate(file, workspace.dataDir)
}

tap.test('without a template initdb makes the cluster', async (t) => {
  t.strictSame(await prepare('data'), { madeFrom: 'initdb', templateFailure: undefined })
  t.strictSame(await prepare('data'), { madeFrom: 'nothing' })
})

tap.test('a copy of a template is a cluster with what its owner put there', async (t) => {
  await makeTemplate()
  t.strictSame(await readdir(templatesDir), [file.slice(templatesDir.length + 1)])
  t.equal((await stat(file)).mode & 0o777, 0o644)
  for (const durable of [false, true]) {
    const name = durable ? 'durable' : 'copy'
    t.strictSame(await prepare(name, { durable }), { madeFrom: 'template' })
    t.equal((await stat(join(workspace.root, name))).mode & 0o777, 0o700)
    t.strictSame(await queryIn(name, 'select answer from kept'), [{ answer: '42' }])
    t.strictSame(await queryIn(name, 'delete from kept returning answer'), [{ answer: '42' }])
  }
  t.strictSame(await prepare('third'), { madeFrom: 'template' })
  t.strictSame(await queryIn('third', 'select answer from kept'), [{ answer: '42' }], 'untouched')
  const left = (await readdir(workspace.root)).filter((name) => name.includes('unfinished'))
  t.strictSame(left, [], 'nothing half-made')
})

tap.test('a folder that nobody may write to serves', async (t) => {
  await chmod(templatesDir, 0o555)
  await chmod(file, 0o444)
  t.teardown(() => chmod(templatesDir, 0o755))
  t.strictSame(await prepare('from-read-only'), { madeFrom: 'template' })
})

tap.test('a template of anything else is none', async (t) => {
  const others = new Map([
    ['contents', templateFile(binaries, { ...recipe, contents: 'two tables' }, templatesDir)],
    ['WAL', templateFile(binaries, { ...recipe, walSegmentMiB: 4 }, templatesDir)],
    ['build', templateFile({ ...binaries, build: 'postgres (Debian) 15' }, recipe, templatesDir)],
  ])
  for (const [what, other] of others) t.not(await other, file, what)
  const { madeFrom } = await prepare('other', { recipe: { ...recipe, contents: 'two tables' } })
  t.equal(madeFrom, 'initdb')
  const plain = await prepare('plain', { recipe: { superuser: 'spanwire', walSegmentMiB: 1 } })
  t.equal(plain.madeFrom, 'initdb', 'whose contents have no name')
})

tap.test(
  'in place of a damaged template initdb makes the cluster, and it is told why',
  async (t) => {
    const whole = await readFile(file)
    for (const [name, bytes] of [
      ['cut', whole.subarray(0, whole.length / 2)],
      ['flipped', Buffer.concat([whole.subarray(0, -8), Buffer.from('checksum')])],
      ['empty', Buffer.alloc(0)],
    ] as const) {
      await writeFile(file, bytes)
      const origin = await prepare(name)
      t.equal(origin.madeFrom, 'initdb', name)
      t.match(origin.templateFailure, file)
      t.strictSame(await queryIn(name, 'select 1 as one'), [{ one: '1' }])
    }
  },
)

tap.test('a new template takes the place of the older ones of its owner', async (t) => {
  await mkdir(templatesDir, { recursive: true })
  await writeFile(join(templatesDir, 'spanwire-0123.template'), '')
  await writeFile(join(templatesDir, 'other-0123.template'), '')
  await saveTemplate(file, workspace.dataDir)
  t.strictSame(
    (await readdir(templatesDir)).sort(),
    ['other-0123.template', file.slice(templatesDir.length + 1)].sort(),
  )
})
