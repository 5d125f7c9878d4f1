import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { startEmbedded } from '../../server/embedded/embedded-server.ts'

export interface RunningBackend {
  /** `host:port`, or the path of a Unix socket. */
  readonly target: string
  stop(): Promise<void>
}

/**
 * The embedded backend by itself, so that a proxy can stand between it and the product. It does not wait for the disk: what is
 * tested in front of it does not crash the machine.
 */
export async function startEmbeddedBackend(): Promise<RunningBackend> {
  const dir = await mkdtemp(join(tmpdir(), 'spanwire-embedded-'))
  // Where the tests run as root, PostgreSQL runs as somebody else and must get in.
  await chmod(dir, 0o755)
  const signal = AbortSignal.timeout(60_000)
  const server = await startEmbedded({
    binaries: await findPostgresBinaries({ stateDir: dir, signal }),
    dataDir: join(dir, 'data'),
    socketDir: join(dir, 'grpc'),
    settings: { fsync: 'off', autovacuum: 'off' },
    signal,
  })
  return {
    target: server.address.slice('unix:'.length),
    async stop() {
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
