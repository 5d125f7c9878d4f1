import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { type ClusterOptions, PostgresCluster } from '../../server/companion/postgres-cluster.ts'

/** A temporary directory that every user may pass, with what a test needs in it; removed by `remove`. */
export async function makeWorkspace() {
  const root = await mkdtemp(join(tmpdir(), 'spanwire-test-'))
  await chmod(root, 0o755)
  const stateDir = join(root, 'state')
  await mkdir(stateDir, { mode: 0o755 })
  return {
    root,
    stateDir,
    dataDir: join(root, 'data'),
    socketDir: join(root, 'run'),
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

export type Workspace = Awaited<ReturnType<typeof makeWorkspace>>

/** Starts a cluster in a workspace with settings that suit a test. */
export async function startTestCluster(
  workspace: Workspace,
  options: Partial<ClusterOptions> = {},
): Promise<PostgresCluster> {
  const signal = AbortSignal.timeout(60_000)
  return PostgresCluster.start({
    name: 'test',
    binaries: await findPostgresBinaries({ stateDir: workspace.stateDir, signal }),
    dataDir: workspace.dataDir,
    socketDir: workspace.socketDir,
    settings: { fsync: 'off', shared_buffers: '16MB', autovacuum: 'off' },
    recipe: { superuser: 'spanwire', walSegmentMiB: 1 },
    signal,
    ...options,
  })
}

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
