import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { isRunning } from '../base/is-running.ts'
import { findRecycledPid, readPostmasterFile } from './data-directory.ts'

/**
 * The companion's data directory is written with fsync off. That survives kill -9 of everything, because the kernel still has what was written, but
 * not the end of the kernel. A file in the directory says under which boot of the machine it was last used: an unclean directory of an earlier boot is
 * removed, and the mirrors are built again. Only a directory that bears this file is ever removed.
 */
export interface Marker {
  /** Digest of what the databases were prepared with. */
  readonly bootstrap: string
  /** The boot of the machine under which it was last used; undefined in a copy of a template. */
  readonly boot: string | undefined
}

const MARKER_FILE = 'spanwire.json'

/** What was written last; undefined where the directory is new or was never finished. */
export async function readMarker(dataDir: string): Promise<Marker | undefined> {
  const text = await readFile(join(dataDir, MARKER_FILE), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const value: { bootstrap?: unknown; boot?: unknown } = JSON.parse(text)
    const boot = value.boot === undefined ? undefined : String(value.boot)
    return { bootstrap: String(value.bootstrap), boot }
  } catch (error) {
    if (error instanceof SyntaxError) return { bootstrap: '', boot: '' }
    throw error
  }
}

/** Marks the directory as prepared and in use under this boot. */
export async function writeMarker(dataDir: string, bootstrap: string): Promise<void> {
  await write(dataDir, { bootstrap, boot: await currentBoot() })
}

/** Marks the directory as prepared and never used: what copies are made of. */
export async function forgetUse(dataDir: string): Promise<void> {
  const marker = await readMarker(dataDir)
  if (marker !== undefined) await write(dataDir, { ...marker, boot: undefined })
}

async function write(dataDir: string, marker: Marker): Promise<void> {
  await writeFile(join(dataDir, MARKER_FILE), `${JSON.stringify(marker)}\n`)
}

/** Removes a directory that a crash of the machine may have damaged (`always`: any that is ours and that no server uses). True where it did. */
export async function clearAfterCrash(
  dataDir: string,
  when: 'damaged' | 'always' = 'damaged',
): Promise<boolean> {
  const marker = await readMarker(dataDir)
  if (marker === undefined) return false
  if (when === 'damaged') {
    const isUnclean = await stat(join(dataDir, 'postmaster.pid')).then(
      () => true,
      () => false,
    )
    if (!isUnclean || marker.boot === (await currentBoot())) return false
  } else if (await isServed(dataDir)) return false
  await rm(dataDir, { recursive: true, force: true })
  return true
}

/** Whether the process that the directory's lock file names may be its server. */
async function isServed(dataDir: string): Promise<boolean> {
  const pid = (await readPostmasterFile(dataDir))?.pid ?? 0
  return pid > 0 && isRunning(pid) && (await findRecycledPid(dataDir)) === undefined
}

/** Names this boot of the machine: Linux's boot id, elsewhere the minute of the boot. */
async function currentBoot(): Promise<string> {
  const id = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined)
  return id?.trim() ?? String(Math.round((Date.now() / 1000 - uptime()) / 60))
}
