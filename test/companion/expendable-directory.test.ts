import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import tap from 'tap'
import { clearAfterCrash } from '../../server/companion/expendable-directory.ts'
import { makeWorkspace } from './test-cluster.ts'
import { startTestCompanion } from './test-companion.ts'

tap.test('mirrors stay over a restart, and damaged ones are made anew', async (t) => {
  const workspace = await makeWorkspace()
  t.teardown(workspace.remove)
  const withCompanion = async (work: (names: readonly string[]) => void, make?: string) => {
    const { companion } = await startTestCompanion(workspace)
    try {
      if (make !== undefined) await companion.createDatabase(make)
      work(await companion.listDatabases())
    } finally {
      await companion.stop()
    }
  }
  await withCompanion((names) => {
    t.strictSame(names, ['postgres', 'shop'])
  }, 'shop')
  await withCompanion((names) => {
    t.strictSame(names, ['postgres', 'shop'])
  })

  const marker = join(workspace.dataDir, 'spanwire.json')
  const value = JSON.parse(await readFile(marker, 'utf8'))
  await writeFile(marker, JSON.stringify({ ...value, bootstrap: 'older' }))
  await withCompanion((names) => {
    t.strictSame(names, ['postgres', 'shop'], 'upgraded')
  })

  await writeFile(marker, JSON.stringify({ ...value, boot: 'yesterday' }))
  await withCompanion((names) => {
    t.strictSame(names, ['postgres', 'shop'], 'shut down in order')
  })
  await writeFile(marker, JSON.stringify({ ...value, boot: 'yesterday' }))
  await writeFile(join(workspace.dataDir, 'postmaster.pid'), '1\n')
  await withCompanion((names) => {
    t.strictSame(names, ['postgres'], 'the machine crashed')
  })

  await writeFile(marker, JSON.stringify({ bootstrap: value.bootstrap }))
  await writeFile(join(workspace.dataDir, 'postmaster.pid'), '1\n')
  t.equal(await clearAfterCrash(workspace.dataDir), true, 'a copy of a template, never used')
  await withCompanion((names) => {
    t.strictSame(names, ['postgres'])
  })

  await writeFile(join(workspace.dataDir, 'global', 'pg_control'), 'garbage')
  await withCompanion((names) => {
    t.strictSame(names, ['postgres'], 'does not start')
  })

  const { companion } = await startTestCompanion(workspace)
  t.equal(await clearAfterCrash(workspace.dataDir, 'always'), false, 'a server uses it')
  t.strictSame(await companion.listDatabases(), ['postgres'])
  await companion.stop()
  t.equal(await clearAfterCrash(workspace.dataDir, 'always'), true)
})
