import type { SessionView } from './companion-types.ts'

/**
 * What the companion cannot know of the clients it answers for, the proxy tells it in settings of its own at each borrowing, and functions and views of
 * pg_catalog read them: they keep their OIDs, columns and types (src/include/catalog/pg_proc.dat, src/backend/catalog/system_views.sql).
 *
 * Each of these settings is left unset where nothing is known. `spanwire.backends`, `spanwire.prepared` and `spanwire.cursors` are JSON arrays of objects
 * with the views' column names, `spanwire.settings` is an object by setting. They can be long: they are set where a statement reads them.
 */
export const SESSION_SETTINGS = {
  backendPid: 'spanwire.backend_pid',
  clientAddress: 'spanwire.client_addr',
  clientPort: 'spanwire.client_port',
  serverAddress: 'spanwire.server_addr',
  serverPort: 'spanwire.server_port',
  started: 'spanwire.started',
  backends: 'spanwire.backends',
  prepared: 'spanwire.prepared',
  cursors: 'spanwire.cursors',
  settings: 'spanwire.settings',
} as const

/** The session views that a statement reads, by the settings that its tree asks for. */
export function sessionViewsOf(settings: ReadonlySet<string>): readonly SessionView[] {
  return SESSION_VIEWS.filter((view) => settings.has(SESSION_SETTINGS[view]))
}

const SESSION_VIEWS: readonly SessionView[] = ['backends', 'prepared', 'cursors', 'settings']

type SettingName = (typeof SESSION_SETTINGS)[keyof typeof SESSION_SETTINGS]

/** NULL where it is not set. */
const told = (name: SettingName): string => `nullif(current_setting('${name}', true), '')`

/** A function without arguments. The planner puts its body in the call's place; of a function that it calls, PostgreSQL would run its own code. */
function sessionFunction(name: string, type: string, body: string): string {
  return `create or replace function pg_catalog.${name}() returns ${type}
  language sql stable parallel restricted return ${body}`
}

/** Functions about the session and the server that it is connected to. */
export const SESSION_FUNCTIONS_SQL: string = [
  sessionFunction(
    'pg_backend_pid',
    'integer',
    `coalesce(${told('spanwire.backend_pid')}::integer, 0)`,
  ),
  sessionFunction('inet_client_addr', 'inet', `${told('spanwire.client_addr')}::inet`),
  sessionFunction('inet_client_port', 'integer', `${told('spanwire.client_port')}::integer`),
  sessionFunction('inet_server_addr', 'inet', `${told('spanwire.server_addr')}::inet`),
  sessionFunction('inet_server_port', 'integer', `${told('spanwire.server_port')}::integer`),
  sessionFunction(
    'pg_postmaster_start_time',
    'timestamptz',
    `coalesce(${told('spanwire.started')}::timestamptz, pg_conf_load_time())`,
  ),
].join(';\n')

const BACKENDS = `json_to_recordset(coalesce(${told('spanwire.backends')}::json, '[]'))
  as a(datname name, pid integer, usename name, application_name text, client_addr inet, client_port integer,
    backend_start timestamptz, xact_start timestamptz, query_start timestamptz, state_change timestamptz,
    wait_event_type text, wait_event text, state text, query text, backend_type text)`

const ACTIVITY = `
create or replace view pg_catalog.pg_stat_activity as
  select d.oid as datid, a.datname, a.pid, null::integer as leader_pid, r.oid as usesysid, a.usename, a.application_name,
    a.client_addr, null::text as client_hostname, a.client_port, a.backend_start, a.xact_start, a.query_start, a.state_change,
    a.wait_event_type, a.wait_event, a.state, null::xid as backend_xid, null::xid as backend_xmin, null::bigint as query_id,
    a.query, a.backend_type
  from ${BACKENDS}
    left join pg_database d on d.datname = a.datname
    left join pg_authid r on r.rolname = a.usename`

const ENCRYPTION = `
create or replace view pg_catalog.pg_stat_ssl as
  select a.pid, false as ssl, null::text as version, null::text as cipher, null::integer as bits, null::text as client_dn,
    null::numeric as client_serial, null::text as issuer_dn
  from ${BACKENDS};
create or replace view pg_catalog.pg_stat_gssapi as
  select a.pid, false as gss_authenticated, null::text as principal, false as encrypted
  from ${BACKENDS}`

/** The statements that the proxy itself prepares on borrowed connections are nobody's business. */
const PREPARED = `
create or replace view pg_catalog.pg_prepared_statements as
  select p.name, p.statement, p.prepare_time, p.parameter_types, p.from_sql, p.generic_plans, p.custom_plans
  from json_to_recordset(coalesce(${told('spanwire.prepared')}::json, '[]'))
    as p(name text, statement text, prepare_time timestamptz, parameter_types regtype[], from_sql boolean,
      generic_plans bigint, custom_plans bigint)`

const CURSORS = `
create or replace view pg_catalog.pg_cursors as
  select c.name, c.statement, c.is_holdable, c.is_binary, c.is_scrollable, c.creation_time
  from json_to_recordset(coalesce(${told('spanwire.cursors')}::json, '[]'))
    as c(name text, statement text, is_holdable boolean, is_binary boolean, is_scrollable boolean, creation_time timestamptz)`

/**
 * The session's settings that the companion does not have, or has for reasons of its own. A join would lose PostgreSQL's order.
 * `reset_val` is told as text, which for numbers with a unit is another form than the view's.
 */
const SETTINGS = `
create or replace view pg_catalog.pg_settings as
  select a.name, coalesce(t.told -> a.name ->> 'setting', a.setting) as setting, a.unit, a.category, a.short_desc,
    a.extra_desc, a.context, a.vartype, coalesce(t.told -> a.name ->> 'source', a.source) as source, a.min_val, a.max_val,
    a.enumvals, a.boot_val,
    case when a.vartype not in ('integer', 'real') then coalesce(t.told -> a.name ->> 'reset_val', t.told -> a.name ->> 'server_val', a.reset_val)
      else coalesce(t.told -> a.name ->> 'server_val', a.reset_val) end as reset_val,
    a.sourcefile, a.sourceline, a.pending_restart
  from (select ${told('spanwire.settings')}::json as told) t, pg_show_all_settings() a`

/** Views about the sessions of this server, and about the session that asks. */
export const SESSION_VIEWS_SQL: string = [ACTIVITY, ENCRYPTION, PREPARED, CURSORS, SETTINGS].join(
  ';\n',
)
