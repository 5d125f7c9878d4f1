import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { type CheckRows, DATABASE, USER } from './rpc-budget.ts'

/** A program that does one step of a client for each line it gets, and writes `done` after each. */
export interface StepProgram {
  readonly command: string
  readonly args: readonly string[]
  /** Its steps, and what each costs; the step `connect` comes before them. */
  readonly steps: readonly (readonly [step: string, calls: readonly string[]])[]
}

/** Counts what the steps of a program cost. It finds the server in the variables that libpq has names for. */
export async function checkSteps(
  t: Test,
  address: ServerAddress,
  check: CheckRows,
  program: StepProgram,
): Promise<void> {
  const child = spawn(program.command, program.args, {
    env: {
      PATH: process.env['PATH'],
      PGHOST: address.host,
      PGPORT: String(address.port),
      PGUSER: USER,
      PGDATABASE: DATABASE,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const run = async (step: string) => {
    child.stdin.write(`${step}\n`)
    const { value } = await answers.next()
    if (value !== 'done') throw new Error(`${step}: ${value}`)
  }
  await run('connect')
  await check(
    t,
    program.steps.map(([what, calls]) => ({ what, run: () => run(what), calls })),
  )
  child.stdin.end()
}
