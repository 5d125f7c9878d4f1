import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { SHOWN_OWNER } from '../companion/shared-catalogs-sql.ts'
import { quoteIdentifier, quoteLiteral } from '../schema/postgres-text.ts'
import { commentOnDatabaseCommand } from '../sql/database-commands.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { type Answer, tagOnly } from './answer.ts'
import { currentRole } from './run-role.ts'
import type { SessionState } from './session-state.ts'
import { UndoParticipant } from './undo-participant.ts'

/**
 * COMMENT ON DATABASE; undefined for every other statement. Databases are objects of the companion's cluster, and so are comments on them: the whole
 * cluster sees one at once, and it is taken back with the transaction.
 */
export async function commentOnDatabase(
  state: SessionState,
  statement: ParsedStatement,
): Promise<Answer | undefined> {
  const command = commentOnDatabaseCommand(statement.node)
  if (command === undefined) return undefined
  if (state.block.characteristics.readOnly) throw readOnlyViolation(statement.tag)
  const present = await findDatabase(state, command.name)
  if (present === undefined) {
    // CommentObject of src/backend/commands/comment.c: so that dumps can be restored under another name.
    state.notice({
      severity: 'WARNING',
      code: SQL_STATE.invalidCatalogName,
      message: `database "${command.name}" does not exist`,
    })
    return tagOnly(statement.tag)
  }
  if (!present.isOwner) {
    throw new PgError(SQL_STATE.insufficientPrivilege, `must be owner of database ${command.name}`)
  }
  const write = (comment: string | undefined) => writeComment(state, command.name, comment)
  await write(command.comment)
  // It is not run again where Spanner aborts what else is in the query string.
  state.block.answerSent()
  const { savepointLevel } = state.block
  await state.block.enlist(new UndoParticipant(savepointLevel, () => write(present.comment)))
  return tagOnly(statement.tag)
}

interface PresentDatabase {
  readonly comment: string | undefined
  readonly isOwner: boolean
}

async function findDatabase(
  state: SessionState,
  name: string,
): Promise<PresentDatabase | undefined> {
  const [row] = await state.database.companion.service(
    `select shobj_description(t.oid, 'pg_database') as comment, pg_has_role($1::name, (${SHOWN_OWNER})::oid, 'USAGE') as is_owner
      from pg_database t where t.datname = $2`,
    [currentRole(state), name],
  )
  if (row === undefined) return undefined
  return { comment: row['comment'] ?? undefined, isOwner: row['is_owner'] === 't' }
}

async function writeComment(
  state: SessionState,
  name: string,
  comment: string | undefined,
): Promise<void> {
  const text = comment === undefined ? 'NULL' : quoteLiteral(comment)
  await state.database.companion.service(`comment on database ${quoteIdentifier(name)} is ${text}`)
}
