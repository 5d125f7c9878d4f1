import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { skipMissing } from '../clients/missing.ts'
import { findGoClient } from '../helpers/installed-drivers.ts'
import { GO_OPERATIONS } from './go-operations.ts'
import type { SpannerServer } from './node-client.ts'

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
  const values = await run(t, program, server, env)
  t.equal(values.size, GO_OPERATIONS.length)
  for (const [name, expected] of GO_OPERATIONS)
    t.strictSame(values.get(name), server.otherwise?.[name] ?? expected, name)
}

async function run(
  t: Test,
  program: string,
  server: SpannerServer,
  env: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, unknown>> {
  const child = spawn(program, [server.instance], {
    env: {
      PATH: process.env['PATH'],
      SPANNER_EMULATOR_HOST: server.address,
      // No test sends figures to Google's cloud.
      SPANNER_DISABLE_BUILTIN_METRICS: 'true',
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
  return new Map(
    lines.map((line) => {
      const { name, value } = JSON.parse(line)
      return [name, value]
    }),
  )
}
