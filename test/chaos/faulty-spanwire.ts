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

/** Undefined where this machine has no emulator. `args` are Spanwire's. Where one part does not start, those before it are stopped. */
export async function startFaultySpanwire(
  backend: BackendName,
  args: readonly string[] = [],
): Promise<FaultySpanwire | undefined> {
  const server = backend === 'embedded' ? await startEmbeddedBackend() : await emulatorBackend()
  if (server === undefined) return undefined
  const started = [server.stop]
  try {
    const proxy = await RecordingProxy.start(server.target)
    started.unshift(() => proxy.stop())
    proxy.isRecording = false
    const injector = new FaultInjector(proxy)
    const options = { args, env: { SPANNER_EMULATOR_HOST: proxy.address } }
    let spanwire = await startSpanwire(options)
    started.unshift(async () => {
      injector.stop()
      await spanwire.stop()
    })
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
        spanwire = await startSpanwire({ ...options, dataDir })
      },
      stop: () => stopAll(started),
    }
  } catch (error) {
    await stopAll(started)
    throw error
  }
}

/** In this order, and all of them: the first failure is thrown in the end. */
async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  const [stop, ...others] = stops
  if (stop === undefined) return
  try {
    await stop()
  } finally {
    await stopAll(others)
  }
}

async function emulatorBackend(): Promise<RunningBackend | undefined> {
  const emulator = await startEmulator()
  return emulator === undefined ? undefined : { target: emulator.address, stop: emulator.stop }
}
