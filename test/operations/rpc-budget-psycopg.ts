import { join } from 'node:path'
import type { Test } from 'tap'
import { skipMissing } from '../clients/missing.ts'
import { findPython } from '../helpers/python.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import type { CheckRows } from './rpc-budget.ts'
import { checkSteps } from './step-program.ts'

const SCRIPT = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'test',
  'operations',
  'rpc_budget_psycopg.py',
)

const STEPS: readonly (readonly [step: string, calls: readonly string[]])[] = [
  ['select 1', []],
  ['read', ['read']],
  ['read prepared', ['read']],
  ['write', ['begin', 'Commit']],
  ['write returning', ['begin', 'Commit']],
  ['transaction', ['begin', 'execute', 'execute', 'Commit']],
  ['nested transaction', ['begin', 'execute', 'Commit']],
  ['read-only transaction', ['begin read only', 'execute']],
  ['empty transaction', []],
  ['implicit transaction', ['begin', 'execute', 'Commit']],
  ['pipeline of reads', ['begin', 'execute', 'Commit']],
  ['pipeline of writes', ['ExecuteBatchDml: begin', 'Commit']],
  ['pipeline of prepared writes', ['ExecuteBatchDml: begin', 'Commit']],
  ['executemany', ['ExecuteBatchDml: begin', 'Commit']],
]

/** What an application pays that uses psycopg 3. */
export async function psycopgBudget(
  t: Test,
  address: ServerAddress,
  check: CheckRows,
): Promise<void> {
  const command = await findPython()
  if (command === undefined) skipMissing(t, 'psycopg 3')
  else await checkSteps(t, address, check, { command, args: [SCRIPT], steps: STEPS })
}
