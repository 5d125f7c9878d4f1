import { spawnSync } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import tap from 'tap'
import { unfinishedDirectory } from '../../server/companion/unfinished-directory.ts'

tap.test('what a killed process left half-made goes, and nothing else', async (t) => {
  const parent = t.testdir({ data: {}, 'data.unfinished-': {}, 'data.unfinished-x': {} })
  const { pid: deadPid } = spawnSync(process.execPath, ['--version'])
  const named = (pid: number, target = 'data') => `${target}.unfinished-${pid}`
  for (const name of [named(deadPid), named(process.pid), named(process.ppid)]) {
    await mkdir(join(parent, name))
  }
  await mkdir(join(parent, named(deadPid, 'other')))
  const mine = await unfinishedDirectory(join(parent, 'data'))
  t.equal(mine, join(parent, named(process.pid)))
  t.strictSame(
    (await readdir(parent)).sort(),
    [
      'data',
      'data.unfinished-',
      'data.unfinished-x',
      named(process.ppid),
      named(deadPid, 'other'),
    ].sort(),
  )
})
