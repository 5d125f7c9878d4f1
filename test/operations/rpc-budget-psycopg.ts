import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { findPython } from '../helpers/python.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import { type CheckRows, DATABASE, USER } from './rpc-budget.ts'

const SCRIPT = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'test',
  'operations',
  'rpc_budget_psycopg.py',
)

/** The steps of the script, and what each costs. */
const STEPS: readonly (readonly [step: string, calls: readonly string[]])[] = [
  ['select 1', []],
  ['read', ['read']],
  ['read prepared', ['read']],
  ['write', ['begin', 'Commit']],
  ['write returning', ['begin', 'Commit']],
  ['transaction', ['begin', 'execute', 'execute', 'Commit']],
  ['read-only transaction', ['begin read only', 'execute']],
  ['empty transaction', []],
  ['implicit transaction', ['begin', 'execute', 'Commit']],
  ['pipeline of reads', ['begin', 'execute', 'Commit']],
  ['pipeline of writes', ['ExecuteBatchDml: begin', 'Commit']],
  ['pipeline of prepared writes', ['ExecuteBatchDml: begin', 'Commit']],
  ['executemany', ['ExecuteBatchDml: begin', 'Commit']],
]

/** What an application pays that uses psycopg 3; its script does one step for each line it gets. */
export async function psycopgBudget(
  t: Test,
  address: ServerAddress,
  check: CheckRows,
): Promise<void> {
  const python = await findPython()
  if (python === undefined) {
    t.pass('SKIPPED: no psycopg here; `bash test/clients/install` installs it', { skip: true })
    return
  }
  const child = spawn(python, [SCRIPT], {
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
    STEPS.map(([what, calls]) => ({ what, run: () => run(what), calls })),
  )
  child.stdin.end()
}
