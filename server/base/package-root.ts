import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The directory of this package, the nearest one above the running code that has a package.json: the code runs bundled and in files of its own. */
export const PACKAGE_ROOT = findUpwards(import.meta.dirname)

function findUpwards(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : findUpwards(dirname(directory))
}
