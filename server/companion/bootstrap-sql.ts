/**
 * What template1, and with it every mirror, gets before a client's SQL may run there. Nothing of it may show in `\d` commands or in the output of
 * pg_dump: objects of pg_catalog keep their OIDs, and changed privileges are entered in pg_init_privs as if initdb had made them so.
 */

/** Bootstrap superuser: the service connections, never a client's text. `spanwire` is left to users: it is a likely name for theirs. */
export const SUPERUSER = 'spanwire_admin'
/** Owns the databases and all that belongs to no client user. Cannot log in; every client user's role is a member. */
export const OWNER_ROLE = 'spanwire_owner'
/** Logs in for analysis. Executes nothing; may use every schema, so that one small pool serves all users. */
export const ANALYST_ROLE = 'spanwire_analyst'

/** Roles of the cluster. Harmless where they exist. */
export const ROLES_SQL = `
do $$
begin
  if not exists (select from pg_roles where rolname = '${OWNER_ROLE}') then
    create role ${OWNER_ROLE} nologin;
  end if;
  if not exists (select from pg_roles where rolname = '${ANALYST_ROLE}') then
    create role ${ANALYST_ROLE} login in role ${OWNER_ROLE}, pg_read_all_data;
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

/**
 * The moment of the client's transaction, not of the companion's. CURRENT_TIMESTAMP, CURRENT_DATE and 'now' constants do not go through a function
 * and tell the companion's own time.
 */
const NOW_BODY = `return coalesce(nullif(current_setting('spanwire.now', true), '')::timestamptz, current_timestamp)`

const FUNCTIONS_SQL = `
create or replace function pg_catalog.now() returns timestamptz
  language sql stable parallel safe ${NOW_BODY};
create or replace function pg_catalog.transaction_timestamp() returns timestamptz
  language sql stable parallel safe ${NOW_BODY};
create or replace function pg_catalog.pg_backend_pid() returns integer
  language sql stable parallel restricted
  return coalesce(nullif(current_setting('spanwire.backend_pid', true), '')::integer, 0);`

/** The proxy's clients: a JSON array in `spanwire.backends`, objects with the view's column names; the session alone where it is not set. */
const ACTIVITY_SQL = `
create or replace view pg_catalog.pg_stat_activity as
  select d.oid as datid, a.datname, a.pid, a.leader_pid, r.oid as usesysid, a.usename, a.application_name, a.client_addr,
    a.client_hostname, a.client_port, a.backend_start, a.xact_start, a.query_start, a.state_change, a.wait_event_type,
    a.wait_event, a.state, a.backend_xid, a.backend_xmin, a.query_id, a.query, a.backend_type
  from json_to_recordset(coalesce(
      nullif(current_setting('spanwire.backends', true), '')::json,
      json_build_array(json_build_object(
        'datname', current_database(), 'pid', pg_backend_pid(), 'usename', current_user,
        'application_name', current_setting('application_name'), 'client_port', -1, 'backend_start', now(),
        'xact_start', now(), 'query_start', now(), 'state_change', now(), 'state', 'active',
        'query', '', 'backend_type', 'client backend'))))
    as a(datname name, pid integer, leader_pid integer, usename name, application_name text, client_addr inet,
      client_hostname text, client_port integer, backend_start timestamptz, xact_start timestamptz,
      query_start timestamptz, state_change timestamptz, wait_event_type text, wait_event text, state text,
      backend_xid xid, backend_xmin xid, query_id bigint, query text, backend_type text)
    left join pg_database d on d.datname = a.datname
    left join pg_authid r on r.rolname = a.usename`

/** The statements that the proxy itself prepares on borrowed connections are nobody's business. */
const PREPARED_SQL = `
do $$
declare
  definition text := rtrim(pg_get_viewdef('pg_catalog.pg_prepared_statements'::regclass), ';');
begin
  if definition not like '%spanwire%' then
    execute 'create or replace view pg_catalog.pg_prepared_statements as ' || definition ||
      $w$ where name not like 'spanwire:%'$w$;
  end if;
end $$`

/** Everything for one database, as one simple query: one transaction. Harmless when run again. */
export const DATABASE_SQL = `
set local allow_system_table_mods = on;
set local search_path = pg_catalog;
${FUNCTIONS_SQL}
${ACTIVITY_SQL};
${PREPARED_SQL};
${REVOKE_SQL};`
