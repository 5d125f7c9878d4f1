import { access } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where `test/clients/install` puts what it built or downloaded for languages other than Python. */
const FOLDER =
  process.env['SPANWIRE_TEST_DRIVERS'] ??
  join(tmpdir(), `spanwire-drivers-${process.getuid?.() ?? 0}`)

/** The program of test/operations/pgx; undefined where it was not built. */
export function findPgxBudget(): Promise<string | undefined> {
  return findInstalled('pgx-budget')
}

/** The program of test/google-clients/go; undefined where it was not built. */
export function findGoClient(): Promise<string | undefined> {
  return findInstalled('google-go-client')
}

/** The jar of pgjdbc; undefined where it is not here. */
export function findPgjdbc(): Promise<string | undefined> {
  return findInstalled('postgresql.jar')
}

function findInstalled(name: string): Promise<string | undefined> {
  const file = join(FOLDER, name)
  return access(file).then(
    () => file,
    () => undefined,
  )
}
