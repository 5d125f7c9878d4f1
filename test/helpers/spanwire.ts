import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ServerAddress } from './wire-client.ts'

/** The product as users start it: `dist/spanwire/main.js`, in a process and a data directory of its own. */
export interface RunningSpanwire extends ServerAddress {
  readonly pid: number
  readonly dataDir: string
  readonly healthUrl: string
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>
  /** kill -9; the data directory stays. */
  kill(): Promise<void>
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void
  /** The exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>
  /** Everything it printed. */
  output(): string
}

export interface SpanwireOptions {
  /** Environment on top of what a process needs; `SPANNER_EMULATOR_HOST` makes it use the emulator. */
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Of an earlier run; made (and removed at `stop`) where absent. */
  readonly dataDir?: string
  /** Of the system user that runs it; the tests' own where absent. */
  readonly uid?: number | undefined
  /** Whether Spanner may refuse what is pushed down: unless it is expected to, `stop` fails where that happened. */
  readonly refusals?: 'expected'
}

/* Against a process that hangs: a busy machine takes seconds for what is a moment else. */
const READY_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 60_000

/** The built program. */
export const MAIN = join(import.meta.dirname, '..', '..', 'spanwire', 'main.js')

/** What a run that ended by itself left behind. */
export interface EndedRun {
  /** null where it had to be killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the product until it ends by itself; after two minutes it is killed. */
export async function runSpanwire(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<EndedRun> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  })
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
    })
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...printed }
}

/** Starts the product on free ports and waits until it says that it is ready. */
export async function startSpanwire(options: SpanwireOptions = {}): Promise<RunningSpanwire> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'spanwire-test-')))
  await mkdir(dataDir, { recursive: true })
  // Where the tests run as root, PostgreSQL runs as somebody else and must get in.
  await chmod(dataDir, 0o755)
  const child = spawn(
    process.execPath,
    [
      MAIN,
      '--listen',
      '127.0.0.1:0',
      '--health-listen',
      '127.0.0.1:0',
      '--data-dir',
      dataDir,
      ...(options.args ?? []),
    ],
    {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    },
  )
  const printed: string[] = []
  const exited = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => resolve(code)),
  )
  const ready = new Promise<{ listen: string; health: string }>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not ready: ${printed.join('\n')}`)),
      READY_TIMEOUT_MS,
    )
    const take = (line: string) => {
      printed.push(line)
      const told = readyLine(line)
      if (told === undefined) return
      clearTimeout(timer)
      resolve(told)
    }
    createInterface({ input: child.stdout }).on('line', take)
    createInterface({ input: child.stderr }).on('line', (line) => printed.push(line))
    void exited.then((code) => {
      clearTimeout(timer)
      reject(new Error(`exit code ${code}: ${printed.join('\n')}`))
    })
  })
  const removeOwnData = async () => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
  }
  const { listen, health } = await ready.catch(async (error: unknown) => {
    child.kill('SIGKILL')
    await exited
    await removeOwnData()
    throw error
  })
  const colon = listen.lastIndexOf(':')
  return {
    host: listen.slice(0, colon),
    port: Number(listen.slice(colon + 1)),
    pid: child.pid ?? 0,
    dataDir,
    healthUrl: `http://${health}`,
    exited,
    output: () => printed.join('\n'),
    signal(name) {
      child.kill(name)
    },
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      const code = await exited
      clearTimeout(timer)
      await removeOwnData()
      if (options.refusals === undefined) demandNoRefusals(printed)
      return code
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** The dialect's table has what Spanner has not. */
function demandNoRefusals(printed: readonly string[]): void {
  const refusals = printed.filter((line) => line.includes('Spanner refused a statement'))
  if (refusals.length > 0) throw new Error(refusals.join('\n'))
}

/** The log line that begins with `ready for connections`. */
function readyLine(line: string): { listen: string; health: string } | undefined {
  if (!line.startsWith('{')) return undefined
  const event = JSON.parse(line) as {
    msg?: string
    addresses?: readonly string[]
    health_address?: string
  }
  const [listen] = event.addresses ?? []
  if (listen === undefined || !event.msg?.startsWith('ready for connections')) return undefined
  return { listen, health: event.health_address ?? '' }
}
