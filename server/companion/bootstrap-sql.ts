import { SESSION_FUNCTIONS_SQL, SESSION_VIEWS_SQL } from './session-views-sql.ts'
import {
  CREATORS_ROLE,
  LOADER_GATE,
  LOADER_ROLE,
  OWNER_ROLE,
  ROLE_MAKER,
  SERVICE_ROLE_PREFIX,
  SHARED_CATALOG_VIEWS_SQL,
  SHOWN_SUPERUSER,
} from './shared-catalogs-sql.ts'

/**
 * What template1, and with it every mirror, gets before a client's SQL may run there. Nothing of it may show in `\d` commands or in the output of
 * pg_dump: objects of pg_catalog keep their OIDs, and changed privileges are entered in pg_init_privs as if initdb had made them so.
 */

/** Bootstrap superuser: the service connections, never a client's text. `spanwire` is left to users: it is a likely name for theirs. */
export const SUPERUSER = SHOWN_SUPERUSER
/** Logs in for analysis. Executes nothing; may use every schema, so that one small pool serves all users. */
export const ANALYST_ROLE = `${SERVICE_ROLE_PREFIX}analyst`

/** Roles of the cluster. Harmless where they exist. Of earlier versions of Spanwire are users that nobody made a creator. */
export const ROLES_SQL = `
do $$
declare
  known name;
begin
  if not exists (select from pg_authid where rolname = '${OWNER_ROLE}') then
    create role ${OWNER_ROLE} nologin;
  end if;
  if not exists (select from pg_authid where rolname = '${ANALYST_ROLE}') then
    create role ${ANALYST_ROLE} login in role ${OWNER_ROLE}, pg_read_all_data;
  end if;
  if not exists (select from pg_authid where rolname = '${CREATORS_ROLE}') then
    create role ${CREATORS_ROLE} nologin;
    create role ${ROLE_MAKER} nologin createrole createdb;
    for known in select rolname from pg_authid where rolcanlogin and oid >= 16384 and not starts_with(rolname, '${SERVICE_ROLE_PREFIX}') loop
      execute format('grant ${CREATORS_ROLE} to %I', known);
    end loop;
  end if;
  if not exists (select from pg_authid where rolname = '${LOADER_GATE}') then
    create role ${LOADER_ROLE} nologin in role pg_write_all_data;
    grant set on parameter session_replication_role to ${LOADER_ROLE};
    create role ${LOADER_GATE} nologin noinherit in role ${LOADER_ROLE} role ${OWNER_ROLE};
  end if;
end $$`

/**
 * What an unprivileged role may do in a plain PostgreSQL although a read-only transaction does not stop it: reach other sessions, take locks
 * that outlive the transaction, write large objects, run SQL that is hidden in a string (where the guard's look at the statement does not see it), sleep.
 */
const REVOKED = [
  'pg_cancel_backend',
  'pg_terminate_backend',
  'pg_sleep.*',
  'pg_(try_)?advisory_.*',
  'pg_notify',
  'pg_export_snapshot',
  'pg_logical_emit_message',
  'lo_.*',
  'loread',
  'lowrite',
  '(query|table|schema|database|cursor)_to_xml.*',
  'ts_stat',
]

const REVOKE_SQL = `
do $$
declare
  f record;
begin
  for f in
    select p.oid, p.oid::regprocedure::text as signature from pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace
      and (p.proname ~ '^(${REVOKED.join('|')})$' or p.oid = 'ts_rewrite(tsquery, text)'::regprocedure)
  loop
    execute format('revoke execute on function %s from public', f.signature);
    delete from pg_init_privs where objoid = f.oid and classoid = 'pg_proc'::regclass;
    insert into pg_init_privs (objoid, classoid, objsubid, privtype, initprivs)
      select oid, 'pg_proc'::regclass, 0, 'i', proacl from pg_proc where oid = f.oid;
  end loop;
end $$`

/** Everything for one database, as one simple query: one transaction. Harmless when run again. */
export const DATABASE_SQL = `
set local allow_system_table_mods = on;
set local search_path = pg_catalog;
${SESSION_FUNCTIONS_SQL};
${SESSION_VIEWS_SQL};
${SHARED_CATALOG_VIEWS_SQL};
${REVOKE_SQL};`
