import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { batchCommand } from '../sql/batch-command.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import type { BoundStatement, RunnableStatement } from './bound-statement.ts'
import { mustBe, notSupported } from './client-error.ts'
import { isBatchable } from './dml-batch.ts'
import type { ImplicitUnit } from './implicit-unit.ts'
import { checkNotFailed } from './run-statement.ts'
import type { SessionState } from './session-state.ts'

/** What may run between START BATCH and RUN BATCH beside the statements of the batch. */
const ALLOWED: ReadonlySet<ParsedStatement['category']> = new Set(['set', 'show'])

/**
 * START BATCH DML, what comes after it, RUN BATCH and ABORT BATCH (PGAdapter's commands): INSERT, UPDATE and DELETE without RETURNING are
 * kept, answered with spanner.dml_batch_update_count, and sent with RUN BATCH in one ExecuteBatchDml. Gives the tag of a statement
 * that is about a batch, undefined for all others.
 */
export async function runInClientBatch(
  state: SessionState,
  bound: BoundStatement,
  unit: ImplicitUnit,
): Promise<string | undefined> {
  const { statement } = bound
  if (statement?.category === 'batch') {
    checkNotFailed(state, statement)
    return runCommand(state, statement, unit)
  }
  if (state.clientBatch === undefined || statement === undefined) return undefined
  if (isBatchable(bound)) return keep(state, state.clientBatch, bound)
  if (statement.tag === 'ROLLBACK' || statement.category === 'discard') {
    state.clientBatch = undefined
    return undefined
  }
  if (ALLOWED.has(statement.category)) return undefined
  throw notInBatch(
    `${statement.tag} cannot be run in a DML batch`,
    'RUN BATCH or ABORT BATCH first.',
  )
}

async function runCommand(
  state: SessionState,
  statement: ParsedStatement,
  unit: ImplicitUnit,
): Promise<string> {
  const command = mustBe(batchCommand(statement.tag))
  switch (command) {
    case 'START BATCH DML':
      if (state.clientBatch !== undefined) throw notInBatch('there is already a batch')
      state.clientBatch = []
      return command
    case 'START BATCH DDL':
      throw notSupported(
        command,
        'DDL statements of one transaction, or of one query string, go to Spanner together.',
      )
    case 'RUN BATCH':
      for (const [index, bound] of endBatch(state).entries()) await unit.defer(bound, index + 1)
      await unit.runBatch()
      return command
    case 'ABORT BATCH':
      endBatch(state)
      return command
  }
}

function keep(state: SessionState, batch: RunnableStatement[], bound: RunnableStatement): string {
  batch.push(bound)
  const count = state.settings.get('spanner.dml_batch_update_count') ?? '0'
  const { tag } = bound.statement
  return tag === 'INSERT' ? `INSERT 0 ${count}` : `${tag} ${count}`
}

function endBatch(state: SessionState): readonly RunnableStatement[] {
  const batch = state.clientBatch
  if (batch === undefined) throw notInBatch('there is no batch', 'START BATCH DML begins one.')
  state.clientBatch = undefined
  return batch
}

function notInBatch(message: string, hint?: string): PgError {
  return new PgError(SQL_STATE.objectNotInPrerequisiteState, message, { hint })
}
