import { type RunningBackend, startEmbeddedBackend } from '../helpers/embedded-backend.ts'
import { startEmulator } from '../helpers/emulator.ts'
import { RecordingProxy } from '../helpers/recording-proxy.ts'
import { type RunningSpanwire, startSpanwire } from '../helpers/spanwire.ts'
import { FaultInjector } from './fault-injector.ts'

export type BackendName = 'embedded' | 'emulator'

/** The product with a proxy between it and its backend. Nothing fails until the injector is told to. */
export interface FaultySpanwire {
  readonly backend: BackendName
  /** The process that runs now: `restart` replaces it. */
  readonly spanwire: RunningSpanwire
  readonly proxy: RecordingProxy
  readonly injector: FaultInjector
  /** kill -9, and a new process on the same data directory (at another port). Transactions stay open at the backend. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Undefined where this machine has no emulator. */
export async function startFaultySpanwire(
  backend: BackendName,
): Promise<FaultySpanwire | undefined> {
  const server = backend === 'embedded' ? await startEmbeddedBackend() : await emulatorBackend()
  if (server === undefined) return undefined
  const proxy = await RecordingProxy.start(server.target)
  proxy.isRecording = false
  const injector = new FaultInjector(proxy)
  const env = { SPANNER_EMULATOR_HOST: proxy.address }
  let spanwire = await startSpanwire({ env })
  return {
    backend,
    get spanwire() {
      return spanwire
    },
    proxy,
    injector,
    async restart() {
      const { dataDir } = spanwire
      await spanwire.kill()
      spanwire = await startSpanwire({ env, dataDir })
    },
    async stop() {
      injector.stop()
      await spanwire.stop()
      await proxy.stop()
      await server.stop()
    },
  }
}

async function emulatorBackend(): Promise<RunningBackend | undefined> {
  const emulator = await startEmulator()
  return emulator === undefined ? undefined : { target: emulator.address, stop: emulator.stop }
}
