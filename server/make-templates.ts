import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { ClusterError } from './companion/cluster-error.ts'
import { type ClusterRecipe, saveTemplate, templateFile } from './companion/cluster-template.ts'
import { COMPANION_RECIPE, startCompanion } from './companion/companion.ts'
import { forgetUse } from './companion/expendable-directory.ts'
import { findPostgresBinaries, type PostgresBinaries } from './companion/postgres-binaries.ts'
import { embeddedRecipe, startEmbedded } from './embedded/embedded-server.ts'

/*
 * The end of `npm run build`: starts and stops each kind of cluster once and keeps it beside the program as a template, unless it is there. Spanwire
 * starts without them, too, only later.
 */

const DEADLINE_MS = 120_000
/** What is written after it, the last checkpoint above all, has a WAL segment to itself. */
const LAST_STATEMENT = 'select pg_switch_wal()'

interface Making {
  readonly binaries: PostgresBinaries
  readonly dataDir: string
  readonly signal: AbortSignal
}

interface Kind {
  readonly recipe: ClusterRecipe
  /** Makes a cluster as a first start does, and shuts it down. */
  readonly make: (making: Making) => Promise<void>
}

const KINDS: readonly Kind[] = [
  { recipe: COMPANION_RECIPE, make: makeCompanion },
  { recipe: embeddedRecipe(), make: makeEmbedded },
]

async function main(): Promise<void> {
  const workspace = await mkdtemp(join(tmpdir(), 'spanwire-templates-'))
  // As root, PostgreSQL runs as another user.
  await chmod(workspace, 0o755)
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS)
    const binaries = await findPostgresBinaries({ stateDir: workspace, signal })
    for (const kind of KINDS) await keepTemplate(kind, binaries, join(workspace, 'data'), signal)
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error
    process.stderr.write(`no templates of clusters, a first start takes longer: ${error.message}\n`)
  } finally {
    await rm(workspace, { recursive: true, force: true })
  }
}

async function keepTemplate(
  { recipe, make }: Kind,
  binaries: PostgresBinaries,
  dataDir: string,
  signal: AbortSignal,
): Promise<void> {
  const file = await templateFile(binaries, recipe)
  if (await isThere(file)) return
  await make({ binaries, dataDir, signal })
  await saveTemplate(file, dataDir)
  await rm(dataDir, { recursive: true })
  process.stdout.write(`made ${basename(file)}\n`)
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

async function makeCompanion(making: Making): Promise<void> {
  const companion = await startCompanion(making)
  await companion.database('postgres').service(LAST_STATEMENT)
  await companion.stop()
  await forgetUse(making.dataDir)
}

async function makeEmbedded(making: Making): Promise<void> {
  const embedded = await startEmbedded(making)
  const { superuser } = embeddedRecipe()
  const { signal } = making
  const connection = await embedded.cluster.connect({
    user: superuser,
    database: 'postgres',
    signal,
  })
  await connection.query(LAST_STATEMENT)
  await connection.close()
  await embedded.stop()
}

await main()
