import { createHash } from 'node:crypto'
import { chown, lstat, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDirectory } from '../base/make-directory.ts'
import { ClusterError } from './cluster-error.ts'
import { findBarrier, type RunAs } from './run-as.ts'

/** The port in the socket's name: clusters differ by directory, so that one number serves all. */
export const SOCKET_PORT = 5432

/** sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, the final zero included. */
const SOCKET_PATH_LIMIT_BYTES = 103

/** Path of the socket in a cluster's socket directory. */
export function socketPath(socketDir: string): string {
  return join(socketDir, `.s.PGSQL.${SOCKET_PORT}`)
}

/**
 * Makes the private directory (0700) that holds a cluster's socket: `wanted` where it is given, else one below the system's temporary directory,
 * whose name depends on the data directory alone, so that kill -9 leaves one directory behind and not one a run.
 */
export async function makeSocketDirectory(
  wanted: string | undefined,
  dataDir: string,
  runAs: RunAs | undefined,
): Promise<string> {
  const directory = wanted ?? (await findOwnDirectory(dataDir, runAs).catch(refuse(tmpdir())))
  if (Buffer.byteLength(socketPath(directory)) > SOCKET_PATH_LIMIT_BYTES) {
    throw new ClusterError(
      'unreadable',
      `socket directory ${directory} has too long a name: a socket's path may have ${SOCKET_PATH_LIMIT_BYTES} bytes`,
    )
  }
  await makeDirectory(directory, 0o700).catch(refuse(directory))
  if (runAs !== undefined) {
    await chown(directory, runAs.uid, runAs.gid)
    const barrier = await findBarrier(directory, runAs)
    if (barrier !== undefined) {
      throw new ClusterError(
        'unreadable',
        `socket directory ${directory} cannot be reached by user ${runAs.uid}: ${barrier} is closed to it`,
      )
    }
  }
  return directory
}

function refuse(directory: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw new ClusterError(
      'unreadable',
      `no socket can be made in ${directory}: ${error.code ?? error.message}`,
      { cause: error },
    )
  }
}

async function findOwnDirectory(dataDir: string, runAs: RunAs | undefined): Promise<string> {
  const owner = runAs?.uid ?? process.getuid?.() ?? 0
  const key = createHash('sha256').update(`${owner} ${dataDir}`).digest('hex').slice(0, 12)
  const directory = join(tmpdir(), `spanwire-${key}`)
  try {
    await mkdir(directory, { mode: 0o700 })
    return directory
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  // The temporary directory is everybody's: somebody else's directory under our name is not used.
  const status = await lstat(directory)
  const isOurs = status.isDirectory() && status.uid === owner && (status.mode & 0o077) === 0
  return isOurs ? directory : mkdtemp(join(tmpdir(), 'spanwire-'))
}

/** Removes a socket directory after the server has stopped. */
export async function removeSocketDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
}
