import { access } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The interpreter, with psycopg, that `test/clients/install` made; undefined where it did not run. */
export async function findPython(): Promise<string | undefined> {
  const folder =
    process.env['SPANWIRE_TEST_VENV'] ??
    join(tmpdir(), `spanwire-clients-${process.getuid?.() ?? 0}`)
  const python = join(folder, 'bin', 'python')
  return access(python).then(
    () => python,
    () => undefined,
  )
}
