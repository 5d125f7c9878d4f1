import { join } from 'node:path'
import type { Test } from 'tap'
import { skipMissing } from '../clients/missing.ts'
import { findPgjdbc } from '../helpers/installed-drivers.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import type { CheckRows } from './rpc-budget.ts'
import { checkSteps } from './step-program.ts'

const SOURCE = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'test',
  'operations',
  'pgjdbc',
  'RpcBudget.java',
)

const STEPS: readonly (readonly [step: string, calls: readonly string[]])[] = [
  ['select 1', []],
  ['isValid', []],
  ['read', ['read']],
  ['read that is prepared at the server', Array.from({ length: 7 }, () => 'read')],
  ['write', ['begin', 'Commit']],
  ['insert with generated keys', ['begin', 'Commit']],
  ['transaction', ['begin', 'execute', 'execute', 'Commit']],
  ['transaction with savepoints', ['begin', 'execute', 'Commit']],
  ['transaction with autosave', ['begin', 'execute', 'Commit']],
  ['transaction with a fetch size', ['begin', 'Commit']],
  ['read-only transaction', ['begin read only', 'execute']],
  ['empty transaction', []],
  ['batch of updates', ['ExecuteBatchDml: begin', 'Commit']],
  ['batch of inserts', ['ExecuteBatchDml: begin', 'Commit']],
  ['batch of inserts in a transaction', ['ExecuteBatchDml: begin', 'Commit']],
  ['the same with generated keys', ['begin', 'execute', 'execute', 'Commit']],
]

/** What an application pays that uses pgjdbc; Java compiles the source as it starts it. */
export async function pgjdbcBudget(
  t: Test,
  address: ServerAddress,
  check: CheckRows,
): Promise<void> {
  const jar = await findPgjdbc()
  if (jar === undefined) {
    skipMissing(t, 'pgjdbc')
    return
  }
  await checkSteps(t, address, check, { command: 'java', args: ['-cp', jar, SOURCE], steps: STEPS })
}
