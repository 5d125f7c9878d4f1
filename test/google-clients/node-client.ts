import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { NODE_OPERATIONS } from './node-operations.ts'

const PROGRAM = fileURLToPath(new URL('./node-program.js', import.meta.url))

/** How the client's own switches for sessions that many transactions share are named. */
export const WITHOUT_MULTIPLEXED_SESSIONS = {
  GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS: 'false',
  GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS_PARTITIONED_OPS: 'false',
  GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS_FOR_RW: 'false',
} as const

/** A server that speaks Spanner's API. */
export interface SpannerServer {
  /** `host:port` */
  readonly address: string
  /** The full name of the instance to use. */
  readonly instance: string
  /** What it is known to answer otherwise than is written, by operation. */
  readonly otherwise?: Readonly<Record<string, unknown>>
}

/** Runs Google's client for Node in a process of its own, and holds every operation to what is written. */
export async function checkNodeClient(
  t: Test,
  server: SpannerServer,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, server.instance], {
    env: {
      PATH: process.env['PATH'],
      SPANNER_EMULATOR_HOST: server.address,
      // No test looks for a machine of Google's cloud around it.
      METADATA_SERVER_DETECTION: 'none',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const [code] = await once(child, 'close')
  t.equal(code, 0, 'the client ended by itself')
  const lines = printed.split('\n').filter((line) => line !== '')
  const values = new Map(
    lines.map((line) => {
      const { name, value } = JSON.parse(line)
      return [name, value]
    }),
  )
  for (const { name, expected } of NODE_OPERATIONS)
    t.strictSame(values.get(name), server.otherwise?.[name] ?? expected, name)
}
