import { findPostgresBinaries } from '../../server/companion/postgres-binaries.ts'
import { startEmbedded } from '../../server/embedded/embedded-server.ts'
import { makeWorkspace } from '../companion/test-cluster.ts'
import { startEmulator } from './emulator.ts'
import { RecordingProxy } from './recording-proxy.ts'

export type BackendKind = 'embedded' | 'emulator'

/** A backend behind a recording proxy. Spanwire is led there by {@link env}, the way users lead it to the emulator. */
export interface RecordedBackend {
  /** The same until `reconnect` makes another. */
  readonly proxy: RecordingProxy
  readonly env: Readonly<Record<string, string>>
  /** The backend lives on, and cannot be reached. */
  disconnect(): Promise<void>
  /** It can be reached again at the same address. */
  reconnect(): Promise<void>
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
  return recorded(behind)
}

/** The same for tests that need the embedded server only. */
export async function startRecordedEmbedded(): Promise<RecordedBackend> {
  return recorded(await startEmbeddedAlone())
}

async function recorded(behind: Behind): Promise<RecordedBackend> {
  let proxy = await RecordingProxy.start(behind.address)
  const { address } = proxy
  return {
    get proxy() {
      return proxy
    },
    env: { SPANNER_EMULATOR_HOST: address },
    disconnect: () => proxy.stop(),
    async reconnect() {
      proxy = await RecordingProxy.start(behind.address, Number(address.split(':')[1]))
    },
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
