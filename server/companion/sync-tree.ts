import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** What Node's thread pool works on at a time: the disk takes many at once for little more than one. */
const AT_A_TIME = 4

/** Waits until the disk has a directory with everything in it (fsync of each file and directory). */
export async function syncTree(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true })
  const paths = [root, ...entries.map((entry) => join(root, entry))]
  const syncRest = async () => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) await syncPath(path)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, syncRest))
}

/** Waits until the disk has a file, or the names in a directory. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
