import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

t.test('a build leaves nothing of sources that are gone', async (t) => {
  const root = t.testdir({
    server: { 'kept.ts': '' },
    test: { folder: { 'kept.test.ts': '' } },
    dist: {
      server: { 'kept.js': '', 'kept.js.map': '', 'gone.js': '', 'gone.js.map': '' },
      test: {
        'kept.test.js': '',
        folder: { 'kept.test.js': '', 'gone.test.js': '', 'data.json': '' },
        empty: { 'gone.js': '' },
      },
      spanwire: { 'main.js': '' },
    },
  })
  const run = spawnSync(process.execPath, ['deploy/remove-stale.mjs', root], { encoding: 'utf8' })
  t.strictSame([run.status, run.stderr], [0, ''])
  const left = readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })
  t.strictSame(
    left
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
      .sort(),
    [
      'dist/server/kept.js',
      'dist/server/kept.js.map',
      'dist/spanwire/main.js',
      'dist/test/folder/data.json',
      'dist/test/folder/kept.test.js',
    ],
  )
})

t.test('before anything was built there is nothing to remove', async (t) => {
  const run = spawnSync(process.execPath, ['deploy/remove-stale.mjs', t.testdir({ server: {} })])
  t.equal(run.status, 0)
})
