import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { unsupportedExtension } from '../schema/physical-extension.ts'
import { isConcurrently, withoutConcurrently } from '../sql/concurrently.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { noteAlteredColumns } from './altered-columns.ts'
import { type Answer, tagOnly } from './answer.ts'
import { companionLost } from './companion-lost.ts'
import { DdlParticipant } from './ddl-participant.ts'
import { definedText } from './defined-text.ts'
import { ClientRowChanges } from './row-changes.ts'
import { preventInBlock } from './run-transaction.ts'
import type { SessionState } from './session-state.ts'
import { textRequest } from './text-request.ts'

/** Runs DDL in the client's companion transaction; Spanner follows when the transaction commits. */
export async function runDdl(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  if (state.block.characteristics.readOnly) throw readOnlyViolation(statement.tag)
  const ddl = await joinDdl(state)
  const running = ddl.execute(textRequest(state, transactionalText(state, statement)))
  const answer = await running.catch((error: unknown) => {
    throw refusedExtension(statement, error) ?? error
  })
  for (const notice of answer.notices) state.notice(notice)
  await noteAlteredColumns(state, ddl, statement)
  await ddl.check(state.scope.callOptions())
  return tagOnly(answer.tag)
}

/** Who may make an extension that PostgreSQL does not trust is no question of privileges here. */
function refusedExtension({ node }: ParsedStatement, error: unknown): PgError | undefined {
  const isDenied = error instanceof PgError && error.code === SQL_STATE.insufficientPrivilege
  if (!isDenied || !('CreateExtensionStmt' in node)) return undefined
  return unsupportedExtension(node.CreateExtensionStmt.extname ?? '')
}

/** CONCURRENTLY is about locks that Spanner does not take: outside a block the plain form means the same. */
function transactionalText(state: SessionState, statement: ParsedStatement): string {
  if (!isConcurrently(statement.node)) return definedText(state, statement)
  preventInBlock(state, `${statement.tag} CONCURRENTLY`)
  return withoutConcurrently(statement.text, statement.node)
}

async function joinDdl(state: SessionState): Promise<DdlParticipant> {
  if (state.ddl !== undefined) return state.ddl
  const { companion, schema } = state.database
  const pinned = await companion.pin(state.context(), state.scope.signal)
  const rows = new ClientRowChanges(state.block.spanner)
  const ddl = await DdlParticipant.begin({ schema, pinned, rows }, () =>
    state.io.terminate(companionLost()),
  )
  state.ddl = ddl
  // What was declared is not declared again: an attempt that Spanner aborts is replayed from its log.
  state.block.answerSent()
  await state.block.enlist(ddl)
  return ddl
}

/** Before rows are changed, Spanner is made to hold what their transaction has declared. */
export async function beforeRows({ ddl, scope }: SessionState): Promise<void> {
  await ddl?.expand(scope.callOptions())
}
