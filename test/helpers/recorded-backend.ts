import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { startEmbedded } from '../../server/embedded/embedded-server.ts'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { startEmulator } from './emulator.ts'
import { RecordingProxy } from './recording-proxy.ts'

export type BackendKind = 'embedded' | 'emulator'

/** A backend behind a recording proxy. Spanwire is led there by {@link env}, the way users lead it to the emulator. */
export interface RecordedBackend {
  readonly proxy: RecordingProxy
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

interface Behind {
  readonly address: string
  stop(): Promise<void>
}

/**
 * Starts Spanwire's embedded server in this process, or the official emulator, and a recording proxy in front of it. Undefined
 * where the machine has no emulator.
 */
export async function startRecordedBackend(
  kind: BackendKind,
): Promise<RecordedBackend | undefined> {
  const behind = kind === 'emulator' ? await startEmulator() : await startEmbeddedAlone()
  if (behind === undefined) return undefined
  const proxy = await RecordingProxy.start(behind.address)
  return {
    proxy,
    env: { SPANNER_EMULATOR_HOST: proxy.address },
    async stop() {
      await proxy.stop()
      await behind.stop()
    },
  }
}

/** The embedded server on a port of the loopback, with project and instance as Spanwire names them in front of an emulator. */
async function startEmbeddedAlone(): Promise<Behind> {
  const workspace = await makeWorkspace()
  const signal = AbortSignal.timeout(60_000)
  const server = await startEmbedded({
    binaries: await findPostgresBinaries({ stateDir: workspace.stateDir, signal }),
    dataDir: workspace.dataDir,
    listen: '127.0.0.1:0',
    project: 'spanwire',
    instance: 'spanwire',
    settings: { shared_buffers: '16MB', autovacuum: 'off' },
    signal,
  })
  return {
    address: server.address,
    async stop() {
      await server.stop()
      await workspace.remove()
    },
  }
}
