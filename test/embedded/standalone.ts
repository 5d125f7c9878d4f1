import { spawn } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { MAIN } from '../helpers/spanwire.ts'

/** `spanwire embedded` in a process of its own. */
export interface Standalone {
  /** `host:port` for SPANNER_EMULATOR_HOST. */
  readonly address: string
  readonly instance: string
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>
}

/** Starts it on a free port and waits for its ready line. */
export async function startStandalone(options: {
  readonly dataDir: string
  readonly args?: readonly string[]
}): Promise<Standalone> {
  await mkdir(options.dataDir, { recursive: true })
  await chmod(options.dataDir, 0o755)
  const args = ['--listen', '127.0.0.1:0', '--data-dir', options.dataDir, ...(options.args ?? [])]
  const child = spawn(process.execPath, [MAIN, 'embedded', ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const ready = await new Promise<{ addresses: string[]; backend: string }>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line)
      if (String(event.msg).startsWith('ready for connections')) resolve(event)
    })
    void exited.then((code) => reject(new Error(`exit code ${code} before it was ready`)))
  })
  return {
    address: ready.addresses[0] ?? '',
    instance: ready.backend,
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}
