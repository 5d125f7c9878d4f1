import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import tap from 'tap'
import { packDirectory, unpackDirectory } from '../../server/companion/directory-archive.ts'
import { UNPRIVILEGED } from '../../server/companion/run-as.ts'

const isRoot = process.getuid?.() === 0
const everything = () => true
/** Zeros before, between and after what is not zero, and a last block that is not whole. */
const HOLES = Buffer.alloc(20_000)
HOLES.write('first', 1_000)
HOLES.write('across two blocks', 8_185)
HOLES.write('last', 16_000)

/** An archive of a directory, in a file beside it. */
async function packed(source: string, isWanted: (path: string) => boolean): Promise<string> {
  const archive = `${source}.archive`
  await writeFile(archive, await packDirectory(source, isWanted))
  return archive
}

tap.test('a directory comes back as it was, private and with its owner', async (t) => {
  const source = t.testdir({
    PG_VERSION: '15\n',
    base: { 1: { 112: 'same', 113: '' }, 4: { 112: 'same', '112_fsm': 'other' } },
    'base.old': 'before base/ by its bytes',
    empty: {},
  })
  await writeFile(join(source, 'base', '1', 'bytes'), Buffer.from([0, 255, 128, 10]))
  await writeFile(join(source, 'base', '1', 'holes'), HOLES)
  const target = join(source, 'target')
  await mkdir(target)
  const archive = await packed(source, (path) => !/^(target|base\.old)$/.test(path))
  await unpackDirectory(archive, target, isRoot ? UNPRIVILEGED : undefined)
  const names = (await readdir(target, { recursive: true })).sort()
  t.strictSame(names, [
    'PG_VERSION',
    'base',
    'base/1',
    'base/1/112',
    'base/1/113',
    'base/1/bytes',
    'base/1/holes',
    'base/4',
    'base/4/112',
    'base/4/112_fsm',
    'empty',
  ])
  for (const name of names) {
    const status = await stat(join(target, name))
    t.equal(status.mode & 0o777, status.isDirectory() ? 0o700 : 0o600, name)
    t.equal(status.uid, isRoot ? UNPRIVILEGED.uid : process.getuid?.(), name)
    if (!status.isFile()) continue
    t.strictSame(await readFile(join(target, name)), await readFile(join(source, name)), name)
  }
})

tap.test('equal contents are kept once, zeros not at all', async (t) => {
  const noise = Array.from({ length: 2_000 }, (_, i) => ((i * 7919) % 65_537).toString(36)).join()
  const once = t.testdir({ a: noise })
  const size = (await packDirectory(once, everything)).length
  for (const name of ['b', 'c', 'd']) await writeFile(join(once, name), noise)
  await writeFile(join(once, 'zeros'), Buffer.alloc(1_000_000))
  const many = (await packDirectory(once, everything)).length
  t.ok(many < size + 100, `${size} bytes, four times ${many}`)
})

tap.test('a damaged archive is refused', async (t) => {
  const source = t.testdir({ a: 'some text', b: 'and more' })
  const archive = await packDirectory(source, everything)
  const target = join(source, 'target')
  await mkdir(target)
  const damaged = join(source, 'damaged')
  for (let length = 0; length < archive.length; length++) {
    await writeFile(damaged, archive.subarray(0, length))
    await t.rejects(unpackDirectory(damaged, target, undefined), /is damaged$/, `${length} bytes`)
  }
  for (let at = 0; at < archive.length; at++) {
    const bytes = Buffer.from(archive)
    bytes.writeUInt8((archive[at] ?? 0) ^ 1, at)
    await writeFile(damaged, bytes)
    await t.rejects(unpackDirectory(damaged, target, undefined), /is damaged$/, `byte ${at}`)
  }
  t.strictSame(await readdir(target), [], 'and nothing is written')
})
