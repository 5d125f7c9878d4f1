import type { Test } from 'tap'
import { skipMissing } from '../clients/missing.ts'
import { findGoClient } from '../helpers/installed-drivers.ts'
import { GO_OPERATIONS } from './go-operations.ts'
import { runProgram, type SpannerServer } from './run-program.ts'

/** Runs Google's client for Go in a process of its own, and holds every operation to what is written. */
export async function checkGoClient(
  t: Test,
  server: SpannerServer,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const program = await findGoClient()
  if (program === undefined) {
    skipMissing(t, "Google's client for Go")
    return
  }
  // No test sends figures to Google's cloud.
  const quiet = { SPANNER_DISABLE_BUILTIN_METRICS: 'true' }
  const values = await runProgram(
    t,
    { command: program, args: [], env: { ...quiet, ...env } },
    server,
  )
  t.equal(values.size, GO_OPERATIONS.length)
  for (const [name, expected] of GO_OPERATIONS)
    t.strictSame(values.get(name), server.otherwise?.[name] ?? expected, name)
}
