/**
 * Roles and databases as the client's own server has them. The companion has roles that serve it alone, and its databases belong to some of them, so that
 * every client may make what it likes in any of them. None of that is shown: not these roles, nor what they are members of; and a database belongs
 * to the user who made it through the proxy, else to the bootstrap superuser, as what initdb makes does.
 *
 * Views of pg_catalog and information_schema are defined anew (they keep their OIDs, columns and types). pg_database and pg_auth_members are tables: where a
 * client's statement names them, queries take their places.
 */

/** Names of all roles that serve the companion begin so; no client's role may. */
export const SERVICE_ROLE_PREFIX = 'spanwire_'

/** The bootstrap superuser: the catalogs show it, as every PostgreSQL has one. */
export const SHOWN_SUPERUSER = `${SERVICE_ROLE_PREFIX}admin`

/** Whether no client may know of a role. */
export function isHiddenRole(name: string): boolean {
  return name.startsWith(SERVICE_ROLE_PREFIX) && name !== SHOWN_SUPERUSER
}

/** Owns the databases that nobody made through the proxy. Cannot log in; every client user's role is a member. */
export const OWNER_ROLE = `${SERVICE_ROLE_PREFIX}owner`

/** Its members are the roles that have CREATEROLE in their clients' eyes: in the companion that attribute reaches too far. */
export const CREATORS_ROLE = `${SERVICE_ROLE_PREFIX}creators`

/** Makes and changes roles in the place of those. Cannot log in, and no client's role is a member. */
export const ROLE_MAKER = `${SERVICE_ROLE_PREFIX}role_maker`

/**
 * Puts rows into a mirror's tables, whoever owns them, and past their foreign keys: for the length of a transaction that is rolled back. Cannot log in. Clients'
 * roles may become it and inherit nothing of it: what it can do shows nowhere in what the catalogs say of them.
 */
export const LOADER_ROLE = `${SERVICE_ROLE_PREFIX}loader`

/** What lies between clients' roles and {@link LOADER_ROLE}: it is NOINHERIT. */
export const LOADER_GATE = `${SERVICE_ROLE_PREFIX}loader_gate`

/**
 * Settings of roles in all databases are kept as settings for this one, into which nobody logs in: they are for the clients' sessions, the companion's own connections
 * must not have them. Its OID is 1 in every cluster (Template1DbOid).
 */
export const ROLE_SETTINGS_DATABASE = 'template1'

/** BOOTSTRAP_SUPERUSERID of src/include/catalog/pg_authid.dat: shown, as every PostgreSQL has one. */
const BOOTSTRAP_SUPERUSER = '10'

/** The role, without login, that really owns the databases of the role with that OID; {@link OWNER_ROLE} is a member. */
export function databaseOwnerRole(oid: string): string {
  return `${OWNER_ROLE}_${oid}`
}

const isShown = (oid: string, name: string): string =>
  `(${oid} = ${BOOTSTRAP_SUPERUSER} or not pg_catalog.starts_with(${name}, '${SERVICE_ROLE_PREFIX}'))`

const nameOf = (oid: string): string => `pg_catalog.pg_get_userbyid(${oid})`

/** The OID, as text, of the role that owns the database of row `t` of pg_database in clients' eyes. */
export const SHOWN_OWNER = `case
  when ${nameOf('t.datdba')} = '${OWNER_ROLE}' then '${BOOTSTRAP_SUPERUSER}'
  when pg_catalog.starts_with(${nameOf('t.datdba')}, '${OWNER_ROLE}_') then pg_catalog.split_part(${nameOf('t.datdba')}, '_', 3)
  else t.datdba::pg_catalog.text end`

const QUERIES: ReadonlyMap<string, (columns: string) => string> = new Map([
  [
    'pg_database',
    // The same columns, whichever they are in this major.
    (columns) => `select r.*${columns} from pg_catalog.pg_database t,
      lateral pg_catalog.jsonb_populate_record(t, pg_catalog.jsonb_build_object('datdba', ${SHOWN_OWNER})) r`,
  ],
  [
    'pg_db_role_setting',
    (columns) => `select r.*${columns} from pg_catalog.pg_db_role_setting t,
      lateral pg_catalog.jsonb_populate_record(t, case t.setdatabase when 1 then '{"setdatabase": 0}'::pg_catalog.jsonb else '{}' end) r`,
  ],
  [
    'pg_parameter_acl',
    // The loader's are the only ones that nobody granted through the proxy.
    (columns) =>
      `select t.*${columns} from pg_catalog.pg_parameter_acl t where t.parname <> 'session_replication_role'`,
  ],
  [
    'pg_auth_members',
    // What the role maker granted, the superuser did.
    (columns) => `select r.*${columns} from pg_catalog.pg_auth_members t,
      lateral pg_catalog.jsonb_populate_record(t, case ${nameOf('t.grantor')} when '${ROLE_MAKER}'
        then '{"grantor": ${BOOTSTRAP_SUPERUSER}}'::pg_catalog.jsonb else '{}' end) r
      where ${isShown('t.roleid', nameOf('t.roleid'))} and ${isShown('t.member', nameOf('t.member'))}`,
  ],
])

/** What takes the place of a table of pg_catalog; `systemColumns` (tableoid, xmin ...) come after its own. undefined: it stays. */
export function sharedCatalogQuery(
  table: string,
  systemColumns: readonly string[],
): string | undefined {
  return QUERIES.get(table)?.(systemColumns.map((name) => `, t.${name}`).join(''))
}

/** Whether a text could name one of those tables. */
export const MAY_NAME_SHARED_CATALOG = new RegExp(`\\b(?:${[...QUERIES.keys()].join('|')})\\b`, 'i')

/** Configured settings of roles in all databases are columns of these views. */
const CONFIGURED = 'left join pg_db_role_setting s on r.oid = s.setrole and s.setdatabase = 1'

const CREATES_ROLES = `(r.rolsuper or exists (
    select from pg_auth_members c where c.member = r.oid and c.roleid = (select g.oid from pg_authid g where g.rolname = '${CREATORS_ROLE}')))`

const ROLES = `
create or replace view pg_catalog.pg_roles as
  select r.rolname, r.rolsuper, r.rolinherit, ${CREATES_ROLES} as rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolconnlimit,
    '********'::text as rolpassword, r.rolvaliduntil, r.rolbypassrls, s.setconfig as rolconfig, r.oid
  from pg_authid r ${CONFIGURED}
  where ${isShown('r.oid', 'r.rolname')}`

/** pg_user is a view of it. */
const USERS = `
create or replace view pg_catalog.pg_shadow as
  select r.rolname as usename, r.oid as usesysid, r.rolcreatedb as usecreatedb, r.rolsuper as usesuper, r.rolreplication as userepl,
    r.rolbypassrls as usebypassrls, r.rolpassword as passwd, r.rolvaliduntil as valuntil, s.setconfig as useconfig
  from pg_authid r ${CONFIGURED}
  where r.rolcanlogin and ${isShown('r.oid', 'r.rolname')}`

const GROUPS = `
create or replace view pg_catalog.pg_group as
  select r.rolname as groname, r.oid as grosysid,
    array(select m.member from pg_auth_members m where m.roleid = r.oid and ${isShown('m.member', nameOf('m.member'))}) as grolist
  from pg_authid r
  where not r.rolcanlogin and ${isShown('r.oid', 'r.rolname')}`

const ENABLED_ROLES = `
create or replace view information_schema.enabled_roles as
  select r.rolname::information_schema.sql_identifier as role_name
  from pg_authid r
  where case r.rolname
    when 'pg_database_owner' then exists (select from pg_database t where t.datname = current_database() and pg_has_role((${SHOWN_OWNER})::oid, 'USAGE'))
    else pg_has_role(r.oid, 'USAGE') and ${isShown('r.oid', 'r.rolname')} end`

/** administrable_role_authorizations is a view of it. */
const APPLICABLE_ROLES = `
create or replace view information_schema.applicable_roles as
  select a.rolname::information_schema.sql_identifier as grantee, b.rolname::information_schema.sql_identifier as role_name,
    (case when m.admin_option then 'YES' else 'NO' end)::information_schema.yes_or_no as is_grantable
  from (
      select member, roleid, admin_option from pg_auth_members
      union
      select (${SHOWN_OWNER})::oid, o.oid, false from pg_database t, pg_authid o
      where t.datname = current_database() and o.rolname = 'pg_database_owner') m
    join pg_authid a on m.member = a.oid
    join pg_authid b on m.roleid = b.oid
  where pg_has_role(a.oid, 'USAGE') and ${isShown('a.oid', 'a.rolname')} and ${isShown('b.oid', 'b.rolname')}`

/** Views about roles. */
export const SHARED_CATALOG_VIEWS_SQL: string = [
  ROLES,
  USERS,
  GROUPS,
  ENABLED_ROLES,
  APPLICABLE_ROLES,
].join(';\n')
