import type { PgNotice } from '../base/pg-error.ts'
import type { SessionContext } from './companion-types.ts'
import { SESSION_SETTINGS } from './session-views-sql.ts'

/** What the borrowed connection is for: that decides which of the session's settings it gets. */
export type Purpose =
  /** Parse and Describe under the analyst's role. */
  | 'analyse'
  /** Parse and Describe on the client's own pinned connection. */
  | 'analyse-pinned'
  /** A statement that is executed. */
  | 'execute'

/** How long a shared connection may wait for the locks of somebody's open DDL before the statement moves to the slow lane. */
export const FAST_LANE_LOCK_TIMEOUT = '50ms'

/** PostgreSQL's default (src/backend/utils/misc/guc.c). Our own connections start with `pg_catalog`, so that it must always be said. */
const DEFAULT_SEARCH_PATH = '"$user", public'

/**
 * Settings of the session that never go to the companion: bytes are UTF8 there; transactions and roles are the proxy's own affair there; and the
 * proxy, not the companion, ends idle sessions and long transactions.
 */
const NOT_CARRIED = new Set([
  'client_encoding',
  'session_authorization',
  'is_superuser',
  'transaction_isolation',
  'transaction_read_only',
  'transaction_deferrable',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
  'debug_print_parse',
  'debug_print_rewritten',
  'debug_print_plan',
  // It would start random() anew with every statement; and its text is never shown.
  'seed',
  ...Object.values(SESSION_SETTINGS),
])

/** Settings as the two text[] parameters of the statement that sets them. */
export interface SettingArrays {
  readonly names: string
  readonly values: string
}

/** Every setting that a statement of `session` needs on a connection that starts with our own defaults. */
export function settingsFor(
  session: SessionContext,
  purpose: Purpose,
  lane: 'fast' | 'slow',
): ReadonlyMap<string, string> {
  const settings = new Map<string, string>([['search_path', DEFAULT_SEARCH_PATH]])
  for (const [name, value] of session.settings) {
    const key = name.toLowerCase()
    if (!NOT_CARRIED.has(key)) settings.set(key, value)
  }
  for (const [name, value] of toldSettings(session)) settings.set(name, value)
  if (lane === 'fast') settings.set('lock_timeout', FAST_LANE_LOCK_TIMEOUT)
  if (purpose === 'execute') return settings
  // The tree comes as a LOG message; what the client itself would not get is left out afterwards.
  const messages = settings.get('client_min_messages')
  if (messages?.toLowerCase().startsWith('debug') !== true)
    settings.set('client_min_messages', 'log')
  // Lines are broken within the bytes of constants.
  settings.set('debug_pretty_print', 'off')
  if (purpose === 'analyse-pinned') settings.set('debug_print_rewritten', 'on')
  if (purpose === 'analyse') {
    const role = settings.get('role') ?? 'none'
    const user = role === 'none' ? session.user : role
    settings.delete('role')
    settings.set('search_path', resolveUser(settings.get('search_path') ?? '', user))
  }
  return settings
}

/** Packs settings for `set_config(..) from unnest($1::text[], $2::text[])`. */
export function packSettings(settings: ReadonlyMap<string, string>): SettingArrays {
  return { names: textArray(settings.keys()), values: textArray(settings.values()) }
}

/** The text form of a text[] (manual, section 8.15.6): every element quoted. */
function textArray(items: Iterable<string>): string {
  return `{${Array.from(items, (item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

/** `$user` in a search path means the analyst on its connections, so that it is resolved before. */
function resolveUser(searchPath: string, user: string): string {
  const quoted = `"${user.replaceAll('"', '""')}"`
  return searchPath.replace(
    /(^|,)(\s*)(?:"\$user"|\$user)(?=\s*(?:,|$))/gi,
    (_, comma: string, space: string) => `${comma}${space}${quoted}`,
  )
}

/** What the functions and views of session-views-sql.ts read. */
function* toldSettings(session: SessionContext): Iterable<readonly [string, string]> {
  const { clientEnd, serverEnd, views } = session
  yield [SESSION_SETTINGS.backendPid, String(session.backendPid)]
  if (clientEnd !== undefined) {
    yield [SESSION_SETTINGS.clientAddress, clientEnd.address]
    yield [SESSION_SETTINGS.clientPort, String(clientEnd.port)]
  }
  if (serverEnd !== undefined) {
    yield [SESSION_SETTINGS.serverAddress, serverEnd.address]
    yield [SESSION_SETTINGS.serverPort, String(serverEnd.port)]
  }
  for (const [view, json] of views ?? []) yield [SESSION_SETTINGS[view], json]
}

/** Ranks of client_min_messages' values and of severities; INFO is always sent (src/backend/utils/error/elog.c). */
const RANKS: readonly string[] = ['DEBUG', 'LOG', 'NOTICE', 'WARNING', 'ERROR']

/** Whether the session's own client_min_messages (default `notice`) lets a notice through. */
export function isWanted(notice: PgNotice, session: SessionContext): boolean {
  if (notice.severity === 'INFO') return true
  const setting = (session.settings.get('client_min_messages') ?? 'notice').toUpperCase()
  const threshold = RANKS.indexOf(setting.startsWith('DEBUG') ? 'DEBUG' : setting)
  return RANKS.indexOf(notice.severity) >= threshold
}
