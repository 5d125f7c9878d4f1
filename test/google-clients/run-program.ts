import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'

/** A server that speaks Spanner's API. */
export interface SpannerServer {
  /** `host:port` */
  readonly address: string
  /** The full name of the instance to use. */
  readonly instance: string
  /** What it is known to answer otherwise than is written, by operation. */
  readonly otherwise?: Readonly<Record<string, unknown>>
}

/** A client of Google's as it is started: a command, and what its environment needs besides the server's address. */
export interface ClientProgram {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Runs a client against a server, and gives what it printed: one JSON object with `name` and `value` a line, by name. */
export async function runProgram(
  t: Test,
  { command, args, env }: ClientProgram,
  server: SpannerServer,
): Promise<ReadonlyMap<string, unknown>> {
  const child = spawn(command, [...args, server.instance], {
    env: { PATH: process.env['PATH'], SPANNER_EMULATOR_HOST: server.address, ...env },
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
