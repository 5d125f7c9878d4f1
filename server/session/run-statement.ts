import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { lockCommand, type RelationName } from '../sql/session-commands.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { transactionCommand } from '../sql/transaction-command.ts'
import { OID } from '../types/pg-type.ts'
import { type Answer, tagOnly } from './answer.ts'
import type { BoundStatement } from './bound-statement.ts'
import { mustBe, notSupported } from './client-error.ts'
import { runDatabase } from './run-database.ts'
import { mixed, runDdl } from './run-ddl.ts'
import { runListen } from './run-listen.ts'
import { bindExecute, runDeallocate, runDiscard, runPrepare } from './run-prepared.ts'
import { runQuery } from './run-query.ts'
import { runSet, runShow } from './run-settings.ts'
import { preventInBlock, requireBlock, runTransaction } from './run-transaction.ts'
import type { SessionState } from './session-state.ts'

/** Runs one statement with its values, by its category. `isSole`: nothing else will be in its implicit transaction. */
export async function runStatement(
  state: SessionState,
  bound: BoundStatement & { readonly statement: ParsedStatement },
  isSole: boolean,
): Promise<Answer> {
  const { statement } = bound
  checkNotFailed(state, statement)
  state.block.startStatement()
  switch (statement.category) {
    case 'query':
      return runQuery(state, bound, isSole)
    case 'dml':
      if (state.ddl !== undefined) throw mixed()
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
    case 'maintenance':
      return runMaintenance(state, statement)
    default:
      throw notSupported(statement.tag, HINTS[statement.category] ?? 'See docs/limitations.md.')
  }
}

const HINTS: Readonly<Partial<Record<ParsedStatement['category'], string>>> = {
  copy: 'Use INSERT with several rows, or SELECT.',
  cursor: 'Use a portal with a row limit (a driver’s own cursor), or LIMIT.',
  explain: 'Look at the query plan in the Cloud console.',
  truncate: 'Use DELETE without WHERE.',
  'create-as': 'Create the table first, then use INSERT .. SELECT.',
  do: 'Run the statements of the block one by one.',
  call: 'Spanner has no procedures.',
  shared: 'Roles and tablespaces are managed in Spanner.',
  constraints: 'Constraints are checked after each statement.',
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
  for (const relation of mustBe(lockCommand(statement.node)).relations) {
    await state.database.companion.read({
      text: 'SELECT $1::pg_catalog.text::pg_catalog.regclass',
      paramTypes: [OID.text],
      paramFormats: [],
      params: [Buffer.from(quotedName(relation))],
      resultFormats: [],
      session: state.context(),
      signal: state.scope.signal,
    })
  }
  return tagOnly(statement.tag)
}

function quotedName({ schema, name }: RelationName): string {
  const parts = schema === undefined ? [name] : [schema, name]
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}

/** VACUUM, ANALYZE and their relatives: Spanner does all that by itself. */
function runMaintenance(state: SessionState, statement: ParsedStatement): Answer {
  if (statement.tag === 'VACUUM' || statement.tag === 'CLUSTER')
    preventInBlock(state, statement.tag)
  return tagOnly(statement.tag)
}
