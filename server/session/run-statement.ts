import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { transactionCommand } from '../sql/transaction-command.ts'
import { type Answer, tagOnly } from './answer.ts'
import type { RunnableStatement } from './bound-statement.ts'
import { mustBe } from './client-error.ts'
import { commentOnDatabase } from './comment-on-database.ts'
import { demandRelations } from './demand-relations.ts'
import { openCursorsBefore } from './open-cursors.ts'
import { refuseStatement } from './refuse-statement.ts'
import { runWithTemporary } from './run-beside-temporary.ts'
import { runConstraints } from './run-constraints.ts'
import { runCopy } from './run-copy.ts'
import { runCreateAs } from './run-create-as.ts'
import { runCursor } from './run-cursor.ts'
import { runDatabase } from './run-database.ts'
import { beforeRows, runDdl } from './run-ddl.ts'
import { runExplain } from './run-explain.ts'
import { runListen } from './run-listen.ts'
import { bindExecute, runDeallocate, runDiscard, runPrepare } from './run-prepared.ts'
import { runQuery } from './run-query.ts'
import { runRole } from './run-role.ts'
import { runSet, runShow } from './run-settings.ts'
import { preventInBlock, requireBlock, runTransaction } from './run-transaction.ts'
import { runTruncate } from './run-truncate.ts'
import type { SessionState } from './session-state.ts'
import { tellTruncated } from './tell-truncated.ts'

/** Runs one statement with its values, by its category. `isSole`: nothing else will be in its implicit transaction. */
export async function runStatement(
  state: SessionState,
  bound: RunnableStatement,
  isSole: boolean,
): Promise<Answer> {
  const { statement } = bound
  checkNotFailed(state, statement)
  state.block.startStatement()
  tellTruncated(state, statement)
  await openCursorsBefore(state, statement)
  if (bound.described.isTemporary === true) return runWithTemporary(state, bound, isSole)
  switch (statement.category) {
    case 'query':
      return runQuery(state, bound, isSole)
    case 'dml':
      await beforeRows(state)
      return runQuery(state, bound, isSole)
    case 'show':
      return (
        (await runShow(state, statement, bound.described.plan)) ?? runQuery(state, bound, isSole)
      )
    case 'execute': {
      const inner = await bindExecute(state, statement, bound.resultFormats)
      if (inner.statement === undefined) return tagOnly(statement.tag)
      return runStatement(state, { ...inner, statement: inner.statement }, isSole)
    }
    case 'transaction':
      return runTransaction(state, statement)
    case 'set':
      return runSet(state, statement)
    case 'prepare':
      return runPrepare(state, statement)
    case 'deallocate':
      return runDeallocate(state, statement)
    case 'discard':
      return runDiscard(state, statement)
    case 'ddl':
      return runDdl(state, statement)
    case 'database':
      return runDatabase(state, statement)
    case 'lock':
      return runLock(state, statement)
    case 'listen':
      return runListen(state, statement)
    case 'copy':
      return runCopy(state, statement, isSole)
    case 'truncate':
      return runTruncate(state, statement, isSole)
    case 'shared':
      return (
        (await runRole(state, statement)) ??
        (await commentOnDatabase(state, statement)) ??
        refuseStatement(state, statement)
      )
    case 'create-as':
      return runCreateAs(state, statement)
    case 'explain':
      return runExplain(state, bound, { isSole, runStatement })
    case 'cursor':
      return runCursor(state, bound, runStatement)
    case 'constraints':
      return runConstraints(state, statement, isSole)
    case 'maintenance':
      return runMaintenance(state, statement)
    default:
      return refuseStatement(state, statement)
  }
}

/** In a failed transaction nothing runs but its end (src/backend/tcop/postgres.c, exec_simple_query). */
export function checkNotFailed(state: SessionState, statement: ParsedStatement | undefined): void {
  if (state.block.state !== 'failed' || isTransactionExit(statement)) return
  throw new PgError(
    SQL_STATE.inFailedSqlTransaction,
    'current transaction is aborted, commands ignored until end of transaction block',
  )
}

function isTransactionExit(statement: ParsedStatement | undefined): boolean {
  if (statement?.category !== 'transaction') return false
  const { kind } = mustBe(transactionCommand(statement.node))
  return kind === 'commit' || kind === 'rollback' || kind === 'rollback-to'
}

/** LOCK TABLE: Spanner locks what a transaction reads and writes by itself; the tables must exist all the same. */
async function runLock(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  requireBlock(state, 'LOCK TABLE')
  await demandRelations(state, statement)
  return tagOnly(statement.tag)
}

/** VACUUM, ANALYZE and their relatives: Spanner does all that by itself. */
async function runMaintenance(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  if (statement.tag === 'VACUUM' || statement.tag === 'CLUSTER')
    preventInBlock(state, statement.tag)
  await demandRelations(state, statement)
  return tagOnly(statement.tag)
}
