import { createHash } from 'node:crypto'
import { chmod, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory } from '../base/make-directory.ts'
import { PACKAGE_ROOT } from '../base/package-root.ts'
import { packDirectory, unpackDirectory } from './directory-archive.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'

/*
 * A template is a cluster that was initialised, prepared by its owner and shut down while Spanwire was built, as one file beside the program. A new data directory
 * is a copy of it (0.1 s) instead of the work of initdb and of the owner (0.5 s). The file's name is a digest of all that goes into a cluster, so that a
 * template is never used for another one: where there is none of that name, initdb does it.
 *
 * Copies have one system identifier. It keeps WAL of different clusters apart in archives and replicas, of which ours have neither.
 */

/** What goes into a new cluster besides PostgreSQL. */
export interface ClusterRecipe {
  /** Name of the bootstrap superuser. */
  readonly superuser: string
  /** Size of a WAL segment in MiB, a power of two; 1 keeps a small cluster small. */
  readonly walSegmentMiB: number
  /** Stands for what the owner puts into it before its first use; the owner does so itself where that is missing. No template is used where absent. */
  readonly contents?: string | undefined
}

/** Where `npm run build` puts them. */
const TEMPLATES_DIR = join(PACKAGE_ROOT, 'dist', 'templates')
/** Changes when the form of the files does. */
const FORMAT = 2

/** The file that the template of a recipe has, made or not. */
export async function templateFile(
  binaries: PostgresBinaries,
  recipe: ClusterRecipe,
  templatesDir = TEMPLATES_DIR,
): Promise<string> {
  const { superuser, walSegmentMiB, contents } = recipe
  const { size } = await stat(join(binaries.binDir, 'postgres'))
  const server = [binaries.build, size, process.platform, process.arch]
  // initdb asks the system which locales and which kind of shared memory it has.
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const hasSharedMemory = await stat('/dev/shm').then(
    () => true,
    () => false,
  )
  const all = [FORMAT, superuser, walSegmentMiB, contents, ...server, release, hasSharedMemory]
  const key = createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 16)
  return join(templatesDir, `${superuser}-${key}.template`)
}

/** Writes a template into an empty directory. False where there is no such template; rejects where it is damaged or the disk is full. */
export async function copyTemplate(
  file: string,
  target: string,
  binaries: PostgresBinaries,
): Promise<boolean> {
  try {
    await unpackDirectory(file, target, binaries.runAs)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
  return true
}

/** Makes a template of a cluster that was shut down, in place of those of the same superuser. */
export async function saveTemplate(file: string, dataDir: string): Promise<void> {
  const templatesDir = join(file, '..')
  const archive = await packDirectory(dataDir, await wantedFiles(dataDir))
  await makeDirectory(templatesDir, 0o755)
  const unfinished = `${file}.unfinished-${process.pid}`
  await writeFile(unfinished, archive)
  await chmod(unfinished, 0o644)
  const own = file.slice(templatesDir.length + 1).replace(/-.*/s, '-')
  for (const name of await readdir(templatesDir)) {
    const isOlder = name.startsWith(own) && join(templatesDir, name) !== unfinished
    if (isOlder) await rm(join(templatesDir, name))
  }
  await rename(unfinished, file)
}

/** All but what a server makes when it starts, and WAL that was only put aside for later: the last checkpoint has its segment to itself. */
async function wantedFiles(dataDir: string): Promise<(path: string) => boolean> {
  const segments = (await readdir(join(dataDir, 'pg_wal'))).filter((name) =>
    /^[0-9A-F]{24}$/.test(name),
  )
  const needed = join('pg_wal', segments.sort()[0] ?? '')
  return (path) =>
    !/(^|\/)(postmaster\.opts|pg_internal\.init)$/.test(path) &&
    (!/^pg_wal\/[0-9A-F]{24}$/.test(path) || path === needed)
}
