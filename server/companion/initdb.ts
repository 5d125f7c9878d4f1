import { chown, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClusterError } from './cluster-error.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import type { RunAs } from './run-as.ts'
import { lastLine, runProgram } from './run-program.ts'

export interface InitdbOptions {
  readonly binaries: PostgresBinaries
  /** Name of the bootstrap superuser. */
  readonly superuser: string
  /** Size of a WAL segment in MiB, a power of two; 1 keeps a small cluster small. */
  readonly walSegmentMiB: number
  readonly signal: AbortSignal
}

/** Locales for character classes, best first; every system has the last. */
const CHARACTER_TYPES = ['C.UTF-8', 'C']

/**
 * Makes a cluster in `target`, whose content is lost: UTF8, collation C (as Spanner sorts), character classes of C.UTF-8 where the system has it. Does not
 * wait for the disk. 0.6 s. Throws ClusterError.
 */
export async function initdb(target: string, options: InitdbOptions): Promise<void> {
  let complaint = ''
  for (const characterType of CHARACTER_TYPES) {
    await makeEmpty(target, options.binaries.runAs)
    complaint = await runInitdb(options, target, characterType)
    if (complaint === '' || !complaint.includes('locale')) break
  }
  if (complaint !== '') throw new ClusterError('failed', `initdb failed: ${complaint}`)
}

/** Makes an empty private directory of `runAs`, in place of whatever is there. */
export async function makeEmpty(path: string, runAs: RunAs | undefined): Promise<void> {
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { mode: 0o700 })
  if (runAs !== undefined) await chown(path, runAs.uid, runAs.gid)
}

/** The last line of initdb's complaint, empty where it succeeded. */
async function runInitdb(
  options: InitdbOptions,
  target: string,
  characterType: string,
): Promise<string> {
  const { binaries, superuser, walSegmentMiB, signal } = options
  const args = [
    ...[
      '-D',
      target,
      '-U',
      superuser,
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-instructions',
      '--no-sync',
    ],
    ...['--locale=C', `--lc-ctype=${characterType}`, `--wal-segsize=${walSegmentMiB}`],
  ]
  const result = await runProgram(join(binaries.binDir, 'initdb'), args, {
    environment: binaries.environment,
    runAs: binaries.runAs,
    cwd: '/',
    signal,
  })
  signal.throwIfAborted()
  if (result.startError !== undefined) {
    throw new ClusterError('binaries', `initdb cannot be run: ${result.startError.message}`)
  }
  if (result.status === 0) return ''
  // "initdb: removing contents of data directory" comes last and says nothing.
  const lines = result.stderr.split('\n').filter((line) => /error|fatal|panic/i.test(line))
  return lastLine(lines.join('\n')) || lastLine(result.stderr) || `status ${result.status}`
}
