import { optionsOf, optionText, type RawBody, type RawNode } from './raw-node.ts'
import { StatementTokens } from './statement-tokens.ts'

/** Who is meant by CURRENT_USER and its relatives. */
export interface RoleSpeaker {
  readonly current: string
  readonly session: string
  /** The database that settings in all databases are put down for. */
  readonly settingsDatabase: string
}

/** A statement about roles, written anew with every role by its name. */
export interface RoleCommand {
  readonly kind: 'create' | 'alter' | 'set' | 'drop' | 'rename' | 'grant' | 'comment'
  readonly sql: string
  /** Roles that are made, or get a new name. */
  readonly created: readonly string[]
  /** Roles that are changed, dropped or made members. */
  readonly changed: readonly string[]
  /** Roles that others are made members of. */
  readonly granted: readonly string[]
  /** CREATEROLE or NOCREATEROLE, which `sql` leaves out. */
  readonly createsRoles: boolean | undefined
  /** Attributes that stand for something else than what `sql` may do: `connection limit`. */
  readonly refused: string | undefined
  /** DROP ROLE of CURRENT_USER or its like. */
  readonly hasSpecialRole: boolean
  /** Byte offset of an option that was given before. */
  readonly redundantAt: number | undefined
  /** The setting of ALTER ROLE .. SET, in lower case. */
  readonly setting: string | undefined
}

type RoleNode = RawBody<'RoleSpec'>

const NOTHING = {
  created: [],
  changed: [],
  granted: [],
  createsRoles: undefined,
  refused: undefined,
  hasSpecialRole: false,
  redundantAt: undefined,
  setting: undefined,
} as const

/** Reads CREATE, ALTER, DROP ROLE (USER, GROUP), GRANT and REVOKE of roles, COMMENT ON ROLE; undefined for every other statement. */
export function roleCommand(
  { text, node }: { readonly text: string; readonly node: RawNode },
  speaker: RoleSpeaker,
): RoleCommand | undefined {
  if ('CreateRoleStmt' in node) return createRole(node.CreateRoleStmt, speaker)
  if ('AlterRoleStmt' in node) return alterRole(node.AlterRoleStmt, speaker)
  if ('AlterRoleSetStmt' in node) return alterRoleSet(text, node.AlterRoleSetStmt, speaker)
  if ('DropRoleStmt' in node) return dropRole(node.DropRoleStmt, speaker)
  if ('GrantRoleStmt' in node) return grantRole(node.GrantRoleStmt, speaker)
  if ('RenameStmt' in node && node.RenameStmt.renameType === 'OBJECT_ROLE') {
    const { subname = '', newname = '' } = node.RenameStmt
    const sql = `ALTER ROLE ${quoted(subname)} RENAME TO ${quoted(newname)}`
    return { ...NOTHING, kind: 'rename', sql, created: [newname], changed: [subname] }
  }
  if ('CommentStmt' in node && node.CommentStmt.objtype === 'OBJECT_ROLE') {
    const { object, comment } = node.CommentStmt
    const name = object !== undefined && 'String' in object ? (object.String.sval ?? '') : ''
    const sql = `COMMENT ON ROLE ${quoted(name)} IS ${comment === undefined ? 'NULL' : literal(comment)}`
    return { ...NOTHING, kind: 'comment', sql, changed: [name] }
  }
  return undefined
}

function createRole(stmt: RawBody<'CreateRoleStmt'>, speaker: RoleSpeaker): RoleCommand {
  const { role = '', stmt_type } = stmt
  const options = readOptions(stmt.options, speaker)
  const login = stmt_type === 'ROLESTMT_USER' && !options.hasLogin ? ' LOGIN' : ''
  return {
    ...NOTHING,
    ...options.command,
    kind: 'create',
    sql: `CREATE ROLE ${quoted(role)}${login}${options.sql}`,
    created: [role],
  }
}

function alterRole(stmt: RawBody<'AlterRoleStmt'>, speaker: RoleSpeaker): RoleCommand {
  const role = nameOf(stmt.role, speaker)
  const options = readOptions(stmt.options, speaker)
  const { members } = options
  // ALTER GROUP .. ADD USER, DROP USER.
  if (members.length > 0) {
    const list = members.map(quoted).join(', ')
    const sql =
      stmt.action === -1
        ? `REVOKE ${quoted(role)} FROM ${list}`
        : `GRANT ${quoted(role)} TO ${list}`
    return { ...NOTHING, kind: 'grant', sql, granted: [role], changed: members }
  }
  const sql = `ALTER ROLE ${quoted(role)}${options.sql}`
  return { ...NOTHING, ...options.command, kind: 'alter', sql, changed: [role] }
}

function alterRoleSet(
  text: string,
  stmt: RawBody<'AlterRoleSetStmt'>,
  speaker: RoleSpeaker,
): RoleCommand {
  const role = stmt.role === undefined ? 'ALL' : quoted(nameOf(stmt.role, speaker))
  const database = stmt.database || (stmt.role === undefined ? undefined : speaker.settingsDatabase)
  const place = database === undefined ? '' : ` IN DATABASE ${quoted(database)}`
  const source = new StatementTokens(text)
  const found = ['set', 'reset'].map((word) => source.find(word, 3)).filter((at) => at > 0)
  const change = source.slice(source.tokens[Math.min(...found)]?.start ?? 0, source.endByte)
  return {
    ...NOTHING,
    kind: 'set',
    sql: `ALTER ROLE ${role}${place} ${change}`,
    changed: stmt.role === undefined ? [] : [nameOf(stmt.role, speaker)],
    setting: stmt.setstmt?.name?.toLowerCase(),
  }
}

function dropRole(stmt: RawBody<'DropRoleStmt'>, speaker: RoleSpeaker): RoleCommand {
  const changed = namesOf(stmt.roles, speaker)
  const ifExists = stmt.missing_ok === true ? 'IF EXISTS ' : ''
  const sql = `DROP ROLE ${ifExists}${changed.map(quoted).join(', ')}`
  const hasSpecialRole = (stmt.roles ?? []).some(
    (role) => 'RoleSpec' in role && role.RoleSpec.roletype !== 'ROLESPEC_CSTRING',
  )
  return { ...NOTHING, kind: 'drop', sql, changed, hasSpecialRole }
}

function grantRole(stmt: RawBody<'GrantRoleStmt'>, speaker: RoleSpeaker): RoleCommand {
  const granted = (stmt.granted_roles ?? []).flatMap((node) =>
    'AccessPriv' in node ? [node.AccessPriv.priv_name ?? ''] : [],
  )
  const changed = namesOf(stmt.grantee_roles, speaker)
  const [list, members] = [granted.map(quoted).join(', '), changed.map(quoted).join(', ')]
  const options = [...optionsOf(stmt.opt)].map(({ defname }) => defname)
  const isAdmin = options.includes('admin')
  const behavior = stmt.behavior === 'DROP_CASCADE' ? ' CASCADE' : ''
  const sql =
    stmt.is_grant === true
      ? `GRANT ${list} TO ${members}${isAdmin ? ' WITH ADMIN OPTION' : ''}`
      : `REVOKE ${isAdmin ? 'ADMIN OPTION FOR ' : ''}${list} FROM ${members}${behavior}`
  const refused = options.some((name) => name !== 'admin') ? 'this option of GRANT' : undefined
  return { ...NOTHING, kind: 'grant', sql, granted, changed, refused }
}

type RoleOption = RawBody<'DefElem'>

interface RoleOptions {
  readonly sql: string
  readonly hasLogin: boolean
  readonly members: readonly string[]
  readonly command: Pick<
    RoleCommand,
    'granted' | 'changed' | 'createsRoles' | 'refused' | 'redundantAt'
  >
}

const SWITCHES: ReadonlyMap<string, string> = new Map([
  ['superuser', 'SUPERUSER'],
  ['inherit', 'INHERIT'],
  ['createdb', 'CREATEDB'],
  ['canlogin', 'LOGIN'],
  ['isreplication', 'REPLICATION'],
  ['bypassrls', 'BYPASSRLS'],
])

const LISTS: ReadonlyMap<string, string> = new Map([
  ['rolemembers', 'ROLE'],
  ['adminmembers', 'ADMIN'],
  ['addroleto', 'IN ROLE'],
])

function readOptions(nodes: readonly RawNode[] | undefined, speaker: RoleSpeaker): RoleOptions {
  const options = [...optionsOf(nodes)]
  const find = (name: string) => options.findLast(({ defname }) => defname === name)
  const rolesOf = (name: string) => rolesIn(find(name), speaker)
  const createsRoles = find('createrole')
  const redundant = options.find(
    ({ defname }, index) => options.findIndex((other) => other.defname === defname) < index,
  )
  const limitsConnections = options.some(
    (option) => option.defname === 'connectionlimit' && optionText(option) !== '-1',
  )
  return {
    sql: options.map((option) => optionSql(option, speaker)).join(''),
    hasLogin: find('canlogin') !== undefined,
    members: rolesOf('rolemembers'),
    command: {
      granted: rolesOf('addroleto'),
      changed: [...rolesOf('rolemembers'), ...rolesOf('adminmembers')],
      createsRoles: createsRoles === undefined ? undefined : optionText(createsRoles) === 'true',
      refused: limitsConnections ? 'CONNECTION LIMIT' : undefined,
      redundantAt: redundant === undefined ? undefined : (redundant.location ?? 0),
    },
  }
}

/** The option as it is written anew, with a space before it; empty for those that are the proxy's. */
function optionSql(option: RoleOption, speaker: RoleSpeaker): string {
  const { defname = '' } = option
  const text = optionText(option)
  const word = SWITCHES.get(defname)
  if (word !== undefined) return text === 'true' ? ` ${word}` : ` NO${word}`
  const list = LISTS.get(defname)
  if (list !== undefined) return ` ${list} ${rolesIn(option, speaker).map(quoted).join(', ')}`
  if (defname === 'password') return ` PASSWORD ${text === undefined ? 'NULL' : literal(text)}`
  return defname === 'validUntil' ? ` VALID UNTIL ${literal(text ?? '')}` : ''
}

function rolesIn(option: RoleOption | undefined, speaker: RoleSpeaker): readonly string[] {
  const arg = option?.arg
  return namesOf(arg !== undefined && 'List' in arg ? arg.List.items : [], speaker)
}

function namesOf(nodes: readonly RawNode[] | undefined, speaker: RoleSpeaker): readonly string[] {
  return (nodes ?? []).flatMap((node) =>
    'RoleSpec' in node ? [nameOf(node.RoleSpec, speaker)] : [],
  )
}

function nameOf(role: RoleNode | undefined, { current, session }: RoleSpeaker): string {
  switch (role?.roletype) {
    case 'ROLESPEC_SESSION_USER':
      return session
    case 'ROLESPEC_CURRENT_USER':
    case 'ROLESPEC_CURRENT_ROLE':
      return current
    case 'ROLESPEC_PUBLIC':
      return 'public'
    default:
      return role?.rolename ?? ''
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
