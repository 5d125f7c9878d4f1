import { isConcurrently, withoutConcurrently } from '../sql/concurrently.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { type Answer, tagOnly } from './answer.ts'
import { notSupported } from './client-error.ts'
import { companionLost } from './companion-lost.ts'
import { DdlParticipant } from './ddl-participant.ts'
import { preventInBlock } from './run-transaction.ts'
import type { SessionState } from './session-state.ts'

/** Runs DDL in the client's companion transaction; Spanner follows when the transaction commits. */
export async function runDdl(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  if (state.block.hasWritten) throw mixed()
  if (state.block.characteristics.readOnly) throw readOnlyViolation(statement.tag)
  const ddl = await joinDdl(state)
  const answer = await ddl.pinned.execute({
    text: transactionalText(state, statement),
    paramTypes: [],
    paramFormats: [],
    params: [],
    resultFormats: [],
    session: state.context(),
    signal: state.scope.signal,
  })
  for (const notice of answer.notices) state.notice(notice)
  await ddl.check(state.scope.callOptions())
  return tagOnly(answer.tag)
}

/** CONCURRENTLY is about locks that Spanner does not take: outside a block the plain form means the same. */
function transactionalText(state: SessionState, statement: ParsedStatement): string {
  if (!isConcurrently(statement.node)) return statement.text
  preventInBlock(state, `${statement.tag} CONCURRENTLY`)
  return withoutConcurrently(statement.text, statement.node)
}

async function joinDdl(state: SessionState): Promise<DdlParticipant> {
  if (state.ddl !== undefined) return state.ddl
  const { companion, schema } = state.database
  const pinned = await companion.pin(state.context(), state.scope.signal)
  const ddl = await DdlParticipant.begin(schema, pinned, () => state.io.terminate(companionLost()))
  state.ddl = ddl
  await state.block.enlist(ddl)
  return ddl
}

/** DML after DDL in one transaction, or the other way round. */
export function mixed() {
  return notSupported(
    'DDL together with changes of rows in one transaction',
    'Commit the transaction between the two.',
  )
}
