import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeDirectory } from '../../server/base/make-directory.ts'

const root = await mkdtemp(join(tmpdir(), 'spanwire-make-'))
t.teardown(() => rm(root, { recursive: true }))

t.test('makes what is missing, and nothing where it is there', async (t) => {
  const path = join(root, 'a', 'b', 'c')
  await makeDirectory(path, 0o700)
  await makeDirectory(path, 0o755)
  t.equal((await stat(path)).mode & 0o777, 0o700)
  t.equal((await stat(join(root, 'a'))).mode & 0o777, 0o700)
})

t.test('a file in its place', async (t) => {
  const path = join(root, 'file')
  await writeFile(path, '')
  await t.rejects(makeDirectory(path), { code: 'EEXIST' })
  await t.rejects(makeDirectory(join(path, 'x')), { code: 'ENOTDIR' })
})

t.test('where nothing can be made', { skip: process.platform !== 'linux' }, async (t) => {
  await t.rejects(makeDirectory('/proc/nosuch/x'), { code: 'ENOENT' })
})
