import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isRunning } from '../base/is-running.ts'

/**
 * The name under which this process makes what becomes `target` by a rename when it is complete. What processes left under such
 * names that were killed in between is removed, and so is what lies under the name itself.
 */
export async function unfinishedDirectory(target: string): Promise<string> {
  const parent = dirname(target)
  const prefix = `${basename(target)}.unfinished-`
  for (const entry of await readdir(parent)) {
    const pid = entry.startsWith(prefix) ? Number.parseInt(entry.slice(prefix.length), 10) : 0
    if (!(pid > 0) || (pid !== process.pid && isRunning(pid))) continue
    await rm(join(parent, entry), { recursive: true, force: true })
  }
  return join(parent, `${prefix}${process.pid}`)
}
