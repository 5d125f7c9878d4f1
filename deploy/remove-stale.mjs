// Removes what an earlier build made of sources that are no longer there: tests among it would be run for ever.
// Usage: remove-stale.mjs [ROOT]
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const root = process.argv[2] ?? join(import.meta.dirname, '..')

for (const folder of ['server', 'test']) {
  const built = join(root, 'dist', folder)
  if (!existsSync(built)) continue
  for (const name of readdirSync(built, { recursive: true })) {
    const [, module] = /^(.+)\.js(\.map)?$/.exec(name) ?? []
    if (module !== undefined && !existsSync(join(root, folder, `${module}.ts`))) {
      rmSync(join(built, name))
    }
  }
}
