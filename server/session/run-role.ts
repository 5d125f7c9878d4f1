import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import {
  CREATORS_ROLE,
  databaseOwnerRole,
  isHiddenRole,
  OWNER_ROLE,
  ROLE_MAKER,
  ROLE_SETTINGS_DATABASE,
  SERVICE_ROLE_PREFIX,
  SHOWN_SUPERUSER,
} from '../companion/shared-catalogs-sql.ts'
import { type RoleCommand, roleCommand } from '../sql/role-commands.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { readOnlyViolation } from '../transaction/transaction-block.ts'
import { type Answer, tagOnly } from './answer.ts'
import { notSupported, withFields } from './client-error.ts'
import type { SessionState } from './session-state.ts'
import { UndoParticipant } from './undo-participant.ts'

/*
 * Roles are the companion's, all databases share them. A client's statement is never run as it is: it is written anew with all names, and run by a role that is
 * no superuser (for a client with CREATEROLE) or by the client's own, so that PostgreSQL decides what is allowed. Nobody is made a member of what serves
 * the companion, or of what reaches its machine.
 */

/** Runs a statement about roles; undefined for every other one. It takes effect at once. */
export async function runRole(
  state: SessionState,
  statement: ParsedStatement,
): Promise<Answer | undefined> {
  const current = currentRole(state)
  const command = roleCommand(statement, {
    current,
    session: state.user,
    settingsDatabase: ROLE_SETTINGS_DATABASE,
  })
  if (command === undefined) return undefined
  if (state.block.characteristics.readOnly) throw readOnlyViolation(statement.tag)
  refuseRedundant(statement.text, command)
  refuse(state, command)
  const { companion } = state.database
  const [role] = await companion.service('select rolcreaterole from pg_roles where rolname = $1', [
    current,
  ])
  const mayCreate = role?.['rolcreaterole'] === 't'
  if (command.kind === 'drop') await refuseOwners(state, command.changed)
  const statements = [command.sql, ...(mayCreate ? attributes(command) : [])]
  const actor = mayCreate ? ROLE_MAKER : current
  const alter = () => companion.alterRoles({ statements, actor })
  try {
    const notices = command.kind === 'rename' ? rename(state, command, alter) : alter()
    for (const notice of await notices) state.notice(notice)
  } catch (error) {
    throw error instanceof PgError ? withFields(error, { position: undefined }) : error
  }
  // It is not run again where Spanner aborts what else is in the query string.
  state.block.answerSent()
  if (command.kind === 'create') {
    const undo = () => dropMade(state, command.created)
    await state.block.enlist(new UndoParticipant(state.block.savepointLevel, undo))
  }
  return tagOnly(statement.tag)
}

/** Owners and grants are stored by name. */
function rename<T>(
  { directory, scope }: SessionState,
  { changed: [from = ''], created: [to = ''] }: RoleCommand,
  work: () => Promise<T>,
): Promise<T> {
  return directory.renameRole({ from, to }, work, scope.signal)
}

/** Of roles that the transaction made. What depends on them by now stays, and so do they. */
async function dropMade(state: SessionState, names: readonly string[]): Promise<void> {
  const statements = [`DROP ROLE IF EXISTS ${names.map(quoted).join(', ')}`]
  const change = { statements, actor: ROLE_MAKER }
  await state.database.companion.alterRoles(change).catch((error: unknown) => {
    if (!(error instanceof PgError)) throw error
  })
}

/** Whom SET ROLE has made the client. */
export function currentRole({ settings, user }: SessionState): string {
  const role = settings.get('role') ?? 'none'
  return role === 'none' ? user : role
}

/** What makes a role one of this server's: it may use every schema, and is a creator where it is said to be one. */
function attributes({ kind, created, changed, createsRoles }: RoleCommand): readonly string[] {
  const statements: string[] = []
  const names = kind === 'create' ? created : kind === 'alter' ? changed : []
  for (const name of names.map(quoted)) {
    if (kind === 'create') statements.push(`GRANT ${OWNER_ROLE} TO ${name}`)
    if (createsRoles === true) statements.push(`GRANT ${CREATORS_ROLE} TO ${name}`)
    if (createsRoles === false && kind === 'alter')
      statements.push(`REVOKE ${CREATORS_ROLE} FROM ${name}`)
  }
  return statements
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** errorConflictingDefElem of src/backend/commands/define.c. */
function refuseRedundant(text: string, { redundantAt }: RoleCommand): void {
  if (redundantAt === undefined) return
  const before = Buffer.from(text).toString('utf8', 0, redundantAt)
  throw new PgError(SQL_STATE.syntaxError, 'conflicting or redundant options', {
    position: [...before].length + 1,
  })
}

/** Predefined roles that reach no further than tables. */
const HARMLESS = new Set(['pg_read_all_data', 'pg_write_all_data'])

function refuse(state: SessionState, command: RoleCommand): void {
  const { refused, setting } = command
  refuseNames(command)
  if (refused !== undefined) throw notSupported(refused, 'Leave it out.')
  if (setting === 'role' || setting === 'session_authorization')
    throw notSupported(`${setting} as a setting of a role`, 'Use SET ROLE in the session.')
  if (command.hasSpecialRole) {
    throw new PgError(
      SQL_STATE.invalidParameterValue,
      'cannot use special role specifier in DROP ROLE',
    )
  }
  if (command.kind === 'drop') refuseOwn(state, command.changed)
  if (command.kind === 'rename') refuseOwnName(state, command.changed)
}

/** Our own roles, and predefined ones that reach further than tables. */
function refuseNames({ created, changed, granted }: RoleCommand): void {
  for (const name of created) {
    if (!name.startsWith(SERVICE_ROLE_PREFIX)) continue
    throw new PgError(SQL_STATE.reservedName, `role name "${name}" is reserved`, {
      detail: `Role names starting with "${SERVICE_ROLE_PREFIX}" are reserved.`,
    })
  }
  for (const name of [...changed, ...granted]) {
    if (!isHiddenRole(name)) continue
    throw new PgError(SQL_STATE.undefinedObject, `role "${name}" does not exist`)
  }
  for (const name of granted) {
    if (!name.startsWith('pg_') || HARMLESS.has(name)) continue
    throw new PgError(SQL_STATE.insufficientPrivilege, `must have admin option on role "${name}"`)
  }
}

/** Databases depend on the roles that made them (src/backend/catalog/pg_shdepend.c). */
async function refuseOwners(state: SessionState, dropped: readonly string[]): Promise<void> {
  const owned = await state.database.companion.service(
    `select r.rolname, string_agg('owner of database ' || d.datname, E'\n' order by d.oid) as detail
      from pg_database d join pg_authid o on o.oid = d.datdba join pg_authid r on o.rolname = '${databaseOwnerRole('')}' || r.oid
      where r.rolname = any (string_to_array($1, E'\n')) group by 1`,
    [dropped.join('\n')],
  )
  const [first] = owned
  if (first === undefined) return
  throw new PgError(
    SQL_STATE.dependentObjectsStillExist,
    `role "${first['rolname']}" cannot be dropped because some objects depend on it`,
    { detail: first['detail'] ?? undefined },
  )
}

/** src/backend/commands/user.c, DropRole. */
function refuseOwn(state: SessionState, dropped: readonly string[]): void {
  if (dropped.includes(SHOWN_SUPERUSER)) {
    throw new PgError(SQL_STATE.insufficientPrivilege, 'must be superuser to drop superusers')
  }
  const whose = dropped.includes(currentRole(state))
    ? 'current'
    : dropped.includes(state.user)
      ? 'session'
      : undefined
  if (whose === undefined) return
  throw new PgError(SQL_STATE.objectInUse, `${whose} user cannot be dropped`)
}

/** src/backend/commands/user.c, RenameRole. */
function refuseOwnName(state: SessionState, renamed: readonly string[]): void {
  const isSession = renamed.includes(state.user)
  if (!isSession && !renamed.includes(currentRole(state))) return
  throw new PgError(
    SQL_STATE.featureNotSupported,
    `${isSession ? 'session' : 'current'} user cannot be renamed`,
  )
}
