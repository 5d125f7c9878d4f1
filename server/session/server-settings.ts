import type { SessionState } from './session-state.ts'
import type { ProxySetting } from './told-setting.ts'

/** What the server was started with, as far as its settings show it. */
export interface ServerFacts {
  readonly maxConnections: number
  /** Where it listens for TCP connections; host names or addresses. */
  readonly listenAddresses: readonly string[]
}

/**
 * Settings that the companion was started with for reasons of its own. What they stand for is Spanner's affair here, or nobody's: they are shown with
 * PostgreSQL's defaults (src/backend/utils/misc/guc.c), as SHOW and as pg_settings write them.
 */
const DEFAULTS: readonly (readonly [name: string, shown: string, setting?: string])[] = [
  ['autovacuum', 'on'],
  ['bgwriter_lru_maxpages', '100'],
  ['checkpoint_timeout', '5min', '300'],
  ['client_connection_check_interval', '0'],
  ['deadlock_timeout', '1s', '1000'],
  ['dynamic_shared_memory_type', 'posix'],
  ['fsync', 'on'],
  ['full_page_writes', 'on'],
  ['jit', 'on'],
  ['log_min_error_statement', 'error'],
  ['log_min_messages', 'warning'],
  ['max_locks_per_transaction', '64'],
  ['max_logical_replication_workers', '4'],
  ['max_parallel_workers_per_gather', '2'],
  ['max_pred_locks_per_transaction', '64'],
  ['max_wal_senders', '10'],
  ['max_wal_size', '1GB', '1024'],
  ['max_worker_processes', '8'],
  ['min_wal_size', '80MB', '80'],
  ['shared_buffers', '128MB', '16384'],
  ['temp_file_limit', '-1'],
  ['unix_socket_permissions', '0777'],
  ['wal_buffers', '4MB', '512'],
  ['wal_level', 'replica'],
  ['wal_segment_size', '16MB', '16777216'],
  ['wal_writer_delay', '200ms', '200'],
]

/** initdb writes them into postgresql.conf (src/bin/initdb/initdb.c, setup_config). */
const IN_FILE: ReadonlySet<string> = new Set([
  ...['dynamic_shared_memory_type', 'log_timezone', 'max_connections', 'max_wal_size'],
  ...['min_wal_size', 'shared_buffers', 'TimeZone'],
])

/** Given to the companion as they would be anyway. */
const AS_DEFAULT = ['log_destination', 'logging_collector', 'log_timezone', 'TimeZone']

/** PostgreSQL's own port (DEF_PGPORT), for who came by a Unix socket. */
const DEFAULT_PORT = 5432

const told = (name: string, shown: string, setting = shown): ProxySetting => ({
  shown,
  told: { setting, source: sourceOf(name), server_val: setting },
})

/** From the command line. */
const asked = (value: string): ProxySetting => ({
  shown: value,
  told: { setting: value, source: 'command line', server_val: value },
})

const DEFAULTS_TOLD = new Map(DEFAULTS.map((row) => [row[0], told(...row)]))

/** The server's own settings, whatever the session may have set them to, by name. */
export function serverSettings({ directory, io }: SessionState): ReadonlyMap<string, ProxySetting> {
  const { maxConnections, listenAddresses } = directory.facts
  const port = io.ends?.server.port ?? DEFAULT_PORT
  return new Map([
    ...DEFAULTS_TOLD,
    ['max_connections', told('max_connections', String(maxConnections))],
    ['listen_addresses', asked(listenAddresses.join(','))],
    ['port', asked(String(port))],
  ])
}

/** Where the companion says that it got a value from its command line, and has the right one. */
export const SERVER_SOURCES: ReadonlyMap<string, string> = new Map(
  AS_DEFAULT.map((name) => [name, sourceOf(name)]),
)

function sourceOf(name: string): string {
  return IN_FILE.has(name) ? 'configuration file' : 'default'
}
