import { chown, lchown, readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The system user that a server process runs as. */
export interface RunAs {
  readonly uid: number
  readonly gid: number
}

/** `nobody` on Linux: PostgreSQL refuses to run as root, so a proxy that is root hands its servers to this user. */
export const UNPRIVILEGED: RunAs = { uid: 65_534, gid: 65_534 }

/** Who must run the servers: undefined where this process is no root and they simply inherit its user. */
export function serverUser(): RunAs | undefined {
  return process.getuid?.() === 0 ? UNPRIVILEGED : undefined
}

/**
 * Whether `user` may pass through every directory above `path` and read `path` itself, by the mode bits; the first place that
 * it may not pass is the answer, undefined where all is open. Access control lists are not looked at.
 */
export async function findBarrier(path: string, user: RunAs): Promise<string | undefined> {
  let current = await realpath(path)
  for (;;) {
    const status = await stat(current)
    const needed = status.isDirectory() ? 1 : 4
    const shift = status.uid === user.uid ? 6 : status.gid === user.gid ? 3 : 0
    if (((status.mode >> shift) & needed) === 0) return current
    const parent = dirname(current)
    if (parent === current) return undefined
    current = parent
  }
}

/** Gives a directory and all in it to `user`. Symbolic links are given away themselves, never followed. */
export async function chownTree(path: string, user: RunAs): Promise<void> {
  await chown(path, user.uid, user.gid)
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inside = join(path, entry.name)
    if (entry.isDirectory()) await chownTree(inside, user)
    else await lchown(inside, user.uid, user.gid)
  }
}
