import { chmod, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeDirectory } from '../base/make-directory.ts'
import { ClusterError } from './cluster-error.ts'
import { type ClusterRecipe, copyTemplate, templateFile } from './cluster-template.ts'
import { initdb, makeEmpty } from './initdb.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { chownTree, findBarrier, type RunAs } from './run-as.ts'
import { syncPath, syncTree } from './sync-tree.ts'
import { unfinishedDirectory } from './unfinished-directory.ts'

export interface DataDirectoryOptions {
  readonly binaries: PostgresBinaries
  readonly dataDir: string
  readonly recipe: ClusterRecipe
  /** False: a new directory is not waited for until the disk has it (a cluster whose loss costs nothing). */
  readonly durable: boolean
  /** Where templates of clusters lie; those of the build where absent. */
  readonly templatesDir?: string | undefined
  readonly signal: AbortSignal
}

/** What the data directory is: as it was found, or made here by one of two ways. */
export interface DataDirectoryOrigin {
  readonly madeFrom: 'nothing' | 'template' | 'initdb'
  /** Why a template that is there was not used. */
  readonly templateFailure?: string | undefined
}

/**
 * Makes sure that `dataDir` holds a cluster of the right major version that the server's user can open: makes it where it is missing or
 * empty, from a template (50 ms) where there is one, else by initdb (0.6 s). A directory appears under its name only when it is complete,
 * so that a kill in between, or another proxy that does the same, never leaves half a cluster.
 */
export async function prepareDataDirectory(
  options: DataDirectoryOptions,
): Promise<DataDirectoryOrigin> {
  const { dataDir, binaries } = options
  const version = await readVersion(dataDir)
  if (version === undefined) return initialise(options)
  if (version !== String(binaries.major)) {
    throw new ClusterError(
      'wrong-major',
      `data directory ${dataDir} was made by PostgreSQL ${version}, and these binaries are PostgreSQL ${binaries.major}`,
    )
  }
  await secure(dataDir, binaries.runAs)
  return { madeFrom: 'nothing' }
}

/** Content of PG_VERSION; undefined where there is nothing yet. */
async function readVersion(dataDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim()
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw unreadable(dataDir, error)
  }
  const entries = await readdir(dataDir).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return []
    throw unreadable(dataDir, error)
  })
  if (entries.length === 0) return undefined
  throw new ClusterError(
    'not-a-cluster',
    `directory ${dataDir} is not empty and holds no PostgreSQL cluster: name another one`,
  )
}

function unreadable(path: string, cause: unknown): ClusterError {
  return new ClusterError(
    'unreadable',
    `data directory ${path} cannot be used: ${errorCode(cause) ?? String(cause)}`,
    { cause },
  )
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** As root: the directory belongs to the server's user, which can get there. Otherwise: it is ours. */
async function secure(dataDir: string, runAs: RunAs | undefined): Promise<void> {
  const status = await stat(dataDir)
  if (runAs !== undefined) {
    if (status.uid !== runAs.uid) await chownTree(dataDir, runAs)
    await demandReachable(dataDir, runAs)
  } else if (process.getuid !== undefined && status.uid !== process.getuid()) {
    throw new ClusterError(
      'unreadable',
      `data directory ${dataDir} belongs to user ${status.uid}, not to the user that runs this program`,
    )
  }
  // More would be refused by the server.
  if ((status.mode & 0o027) !== 0) await chmod(dataDir, 0o700)
}

async function demandReachable(path: string, runAs: RunAs): Promise<void> {
  const barrier = await findBarrier(path, runAs)
  if (barrier === undefined) return
  throw new ClusterError(
    'unreadable',
    `data directory ${path} cannot be reached by user ${runAs.uid}, which runs PostgreSQL because the proxy is root: ${barrier} is closed to it`,
  )
}

async function initialise(options: DataDirectoryOptions): Promise<DataDirectoryOrigin> {
  const { dataDir, binaries } = options
  let unfinished: string | undefined
  try {
    await makeDirectory(dirname(dataDir), 0o755)
    unfinished = await unfinishedDirectory(dataDir)
    if (binaries.runAs !== undefined) await demandReachable(dirname(dataDir), binaries.runAs)
    const origin = await fill(unfinished, options)
    if (options.durable) await syncTree(unfinished)
    await publish(unfinished, options)
    return origin
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    throw unreadable(dataDir, error)
  } finally {
    if (unfinished !== undefined) await rm(unfinished, { recursive: true, force: true })
  }
}

/** A template that fails costs time and nothing else. */
async function fill(
  target: string,
  { binaries, recipe, templatesDir, signal }: DataDirectoryOptions,
): Promise<DataDirectoryOrigin> {
  let templateFailure: string | undefined
  if (recipe.contents !== undefined) {
    const file = await templateFile(binaries, recipe, templatesDir)
    try {
      await makeEmpty(target, binaries.runAs)
      if (await copyTemplate(file, target, binaries)) return { madeFrom: 'template' }
    } catch (error) {
      templateFailure = `${file}: ${error instanceof Error ? error.message : String(error)}`
    }
    signal.throwIfAborted()
  }
  await initdb(target, { binaries, ...recipe, signal })
  return { madeFrom: 'initdb', templateFailure }
}

/** Gives the finished cluster its name; where another proxy was faster, its cluster is used. */
async function publish(unfinished: string, options: DataDirectoryOptions): Promise<void> {
  const { dataDir, durable } = options
  try {
    await rename(unfinished, dataDir)
    if (durable) await syncPath(dirname(dataDir))
  } catch (error) {
    const code = errorCode(error)
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    await prepareDataDirectory(options)
  }
}

/** What `postmaster.pid` says (src/include/miscadmin.h, LOCK_FILE_LINE_*). */
export interface PostmasterFile {
  readonly pid: number
  /** `starting`, `stopping`, `ready`, `standby`; empty while the server is still writing. */
  readonly status: string
}

/** Reads `postmaster.pid`; undefined where there is none. */
export async function readPostmasterFile(dataDir: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw unreadable(dataDir, error)
  })
  if (text === undefined) return undefined
  const lines = text.split('\n')
  const pid = Number.parseInt(lines[0] ?? '', 10)
  return { pid: Number.isNaN(pid) ? 0 : pid, status: lines[7]?.trim() ?? '' }
}

/**
 * The pid of a stale `postmaster.pid` that meanwhile belongs to some other program (usual after a container restart): the server would take
 * that program for its predecessor and refuse to start. undefined where the file is absent or its pid may well be a server.
 */
export async function findRecycledPid(dataDir: string): Promise<number | undefined> {
  const file = await readPostmasterFile(dataDir)
  if (file === undefined || file.pid <= 0) return undefined
  const name = await readFile(`/proc/${file.pid}/comm`, 'utf8').catch(() => undefined)
  return name === undefined || /^(postgres|postmaster)/.test(name) ? undefined : file.pid
}
