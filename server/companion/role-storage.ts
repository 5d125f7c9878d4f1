import { readFile, rename, writeFile } from 'node:fs/promises'
import { ROLE_SETTINGS_DATABASE, SERVICE_ROLE_PREFIX } from './shared-catalogs-sql.ts'

/*
 * Roles belong to no database, and so to none of Spanner's: the companion holds them. It may be made anew, so that after each change what makes its
 * roles is written into a file beside it.
 */

/** Settings whose values are lists of quoted names (GUC_LIST_QUOTE; src/bin/pg_dump/dumputils.c). */
const LISTS = [
  'search_path',
  'temp_tablespaces',
  'local_preload_libraries',
  'session_preload_libraries',
]

const OURS = (oid: string, name: string): string =>
  `(${oid} >= 16384 and not starts_with(${name}, '${SERVICE_ROLE_PREFIX}'))`

/** One row: statements that make the clients' roles, their memberships, settings and comments. */
export const DUMP_ROLES_SQL = `
select coalesce(string_agg(line, E'\\n' order by step, rolname, place), '') as script from (
  select 1 as step, rolname, 0 as place, format('create role %I %s %s %s%s%s;', rolname,
      case when rolcanlogin then 'login' else 'nologin' end,
      case when rolcreatedb then 'createdb' else 'nocreatedb' end,
      case when rolinherit then 'inherit' else 'noinherit' end,
      ' password ' || quote_literal(rolpassword), ' valid until ' || quote_literal(rolvaliduntil)) as line
    from pg_authid where ${OURS('oid', 'rolname')}
  union all
  select 2, m.rolname, 0, format('grant %I to %I%s;', r.rolname, m.rolname, case when a.admin_option then ' with admin option' else '' end)
    from pg_auth_members a join pg_authid r on r.oid = a.roleid join pg_authid m on m.oid = a.member
    where ${OURS('m.oid', 'm.rolname')}
  union all
  select 3, r.rolname, n, format('alter role %I in database ${ROLE_SETTINGS_DATABASE} set %I to %s;', r.rolname, split_part(c, '=', 1),
      case when split_part(c, '=', 1) = any ('{${LISTS.join(',')}}') then substr(c, strpos(c, '=') + 1)
        else quote_literal(substr(c, strpos(c, '=') + 1)) end)
    from pg_db_role_setting s join pg_authid r on r.oid = s.setrole, unnest(s.setconfig) with ordinality as x(c, n)
    where ${OURS('r.oid', 'r.rolname')} and s.setdatabase = 1
  union all
  select 4, r.rolname, 0, format('comment on role %I is %L;', r.rolname, d.description)
    from pg_shdescription d join pg_authid r on r.oid = d.objoid and d.classoid = 'pg_authid'::regclass
    where ${OURS('r.oid', 'r.rolname')}
) lines`

/** Replaces the file; it holds verifiers of passwords. */
export async function writeRoles(path: string, script: string): Promise<void> {
  await writeFile(`${path}.new`, script, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** What {@link writeRoles} wrote last; undefined where there is no such file. */
export async function readRoles(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
