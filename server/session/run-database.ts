import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  type CreateDatabaseCommand,
  createDatabaseCommand,
  dropDatabaseCommand,
} from '../sql/database-commands.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { type Answer, tagOnly } from './answer.ts'
import { notSupported } from './client-error.ts'
import { preventInBlock } from './run-transaction.ts'
import type { SessionState } from './session-state.ts'

/** CREATE DATABASE and DROP DATABASE: databases are the proxy's, not the companion's. */
export async function runDatabase(
  state: SessionState,
  statement: ParsedStatement,
): Promise<Answer> {
  const create = createDatabaseCommand(statement.node)
  if (create !== undefined) {
    preventInBlock(state, 'CREATE DATABASE')
    const owner = await ownerOf(state, create)
    await state.directory.create(create.name, owner, state.scope.signal)
    return tagOnly(statement.tag)
  }
  const drop = dropDatabaseCommand(statement.node)
  if (drop === undefined) throw notSupported(statement.tag, 'Databases can be created and dropped.')
  preventInBlock(state, 'DROP DATABASE')
  if (drop.name === state.database.name) {
    throw new PgError(SQL_STATE.objectInUse, 'cannot drop the currently open database')
  }
  try {
    await state.directory.drop(drop.name, state.scope.signal)
  } catch (error) {
    if (
      !drop.missingOk ||
      !(error instanceof PgError) ||
      error.code !== SQL_STATE.invalidCatalogName
    )
      throw error
    state.notice({
      severity: 'NOTICE',
      code: SQL_STATE.successfulCompletion,
      message: `database "${drop.name}" does not exist, skipping`,
    })
  }
  return tagOnly(statement.tag)
}

/** The user, or OWNER: a role that there is and that the user is a member of (src/backend/commands/dbcommands.c, createdb). */
async function ownerOf(state: SessionState, { options }: CreateDatabaseCommand): Promise<string> {
  const owner = options.get('owner') ?? state.user
  if (owner === state.user) return owner
  const [row] = await state.database.companion.service(
    'select pg_has_role($1::name, oid, $3) from pg_roles where rolname = $2',
    [state.user, owner, 'MEMBER'],
  )
  if (row === undefined) {
    throw new PgError(SQL_STATE.undefinedObject, `role "${owner}" does not exist`)
  }
  if (row['pg_has_role'] === 't') return owner
  throw new PgError(SQL_STATE.insufficientPrivilege, `must be member of role "${owner}"`)
}
