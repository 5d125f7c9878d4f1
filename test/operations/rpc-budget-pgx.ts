import type { Test } from 'tap'
import { skipMissing } from '../clients/missing.ts'
import { findPgxBudget } from '../helpers/installed-drivers.ts'
import type { ServerAddress } from '../helpers/wire-client.ts'
import type { CheckRows } from './rpc-budget.ts'
import { checkSteps } from './step-program.ts'

const STEPS: readonly (readonly [step: string, calls: readonly string[]])[] = [
  ['select 1', []],
  ['first read', ['read']],
  ['read', ['read']],
  ['read without a prepared statement', ['read']],
  ['read by the simple protocol', ['read']],
  ['write', ['begin', 'Commit']],
  ['write returning', ['begin', 'Commit']],
  ['transaction', ['begin', 'execute', 'execute', 'Commit']],
  ['nested transaction', ['begin', 'execute', 'Commit']],
  ['read-only transaction', ['begin read only', 'execute']],
  ['empty transaction', []],
  ['batch of reads', ['begin', 'execute', 'Commit']],
  ['batch of writes', ['ExecuteBatchDml: begin', 'Commit']],
  ['batch of inserts', ['ExecuteBatchDml: begin', 'Commit']],
]

/** What an application pays that uses pgx. */
export async function pgxBudget(t: Test, address: ServerAddress, check: CheckRows): Promise<void> {
  const command = await findPgxBudget()
  if (command === undefined) skipMissing(t, 'pgx')
  else await checkSteps(t, address, check, { command, args: [], steps: STEPS })
}
