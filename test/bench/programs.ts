import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../helpers/free-port.ts'
import { BenchError } from './options.ts'

const run = promisify(execFile)

/** The two Go programs, built. */
export interface BenchPrograms {
  readonly fakespanner: string
  readonly pgload: string
}

/** Builds the programs into `outDir`. Throws BenchError where their sources or Go are missing. */
export async function buildPrograms(benchDir: string, outDir: string): Promise<BenchPrograms> {
  if (!existsSync(join(benchDir, 'go.mod'))) {
    throw new BenchError(
      `no bench programs in ${benchDir}: name the folder with their sources in SPANWIRE_BENCH_DIR`,
    )
  }
  try {
    await run('go', ['version'])
  } catch (error) {
    throw new BenchError('the bench needs Go on the PATH (https://go.dev/dl)', { cause: error })
  }
  await run('go', ['build', '-o', `${outDir}/`, './cmd/...'], { cwd: benchDir })
  return { fakespanner: join(outDir, 'fakespanner'), pgload: join(outDir, 'pgload') }
}

/** A fake Spanner that runs. */
export interface FakeSpannerProcess {
  /** gRPC, `127.0.0.1:port`. */
  readonly address: string
  /** Counters and settings over HTTP, `127.0.0.1:port`. */
  readonly httpAddress: string
  /** Statements that it had no canned reply for. */
  unknownStatements(): Promise<readonly string[]>
  stop(): Promise<void>
}

/** It generates and encodes 100,000 rows first: a second of CPU, much longer beside others. */
const START_ATTEMPTS = 1_000
const START_PAUSE_MS = 50

/** Starts fakespanner on free ports of the loopback, with a table of statements. */
export async function startFakeSpanner(
  program: string,
  statementsFile: string,
): Promise<FakeSpannerProcess> {
  const address = `127.0.0.1:${await freePort()}`
  const httpAddress = `127.0.0.1:${await freePort()}`
  const child = spawn(
    program,
    ['-listen', address, '-http', httpAddress, '-statements', statementsFile],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  await waitForHttp(`http://${httpAddress}/pid`, child)
  return {
    address,
    httpAddress,
    async unknownStatements() {
      const response = await fetch(`http://${httpAddress}/unknown`)
      return ((await response.json()) as string[] | null) ?? []
    },
    async stop() {
      const exited = once(child, 'exit')
      if (child.kill()) await exited
    },
  }
}

async function waitForHttp(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    if (child.exitCode !== null) throw new BenchError(`fakespanner ended with ${child.exitCode}`)
    const isUp = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (isUp) return
    await sleep(START_PAUSE_MS)
  }
  child.kill()
  throw new BenchError('fakespanner does not answer')
}

/** Runs pgload to its end, shows what it prints on stderr as it comes, and gives it back. */
export async function runPgload(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    process.stderr.write(text)
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new BenchError(`pgload ${args[0]} ended with ${code}`)
  return output
}
