import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { NODE_OPERATIONS } from './node-operations.ts'
import { runProgram, type SpannerServer } from './run-program.ts'

const PROGRAM = fileURLToPath(new URL('./node-program.js', import.meta.url))

/** How the client's own switches for sessions that many transactions share are named. */
export const WITHOUT_MULTIPLEXED_SESSIONS = {
  GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS: 'false',
  GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS_PARTITIONED_OPS: 'false',
  GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS_FOR_RW: 'false',
} as const

/** Runs Google's client for Node in a process of its own, and holds every operation to what is written. */
export async function checkNodeClient(
  t: Test,
  server: SpannerServer,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  // No test looks for a machine of Google's cloud around it.
  const quiet = { METADATA_SERVER_DETECTION: 'none' }
  const program = { command: process.execPath, args: [PROGRAM], env: { ...quiet, ...env } }
  const values = await runProgram(t, program, server)
  for (const { name, expected } of NODE_OPERATIONS)
    t.strictSame(values.get(name), server.otherwise?.[name] ?? expected, name)
}
