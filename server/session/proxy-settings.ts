import { SERVER_SOURCES, serverSettings } from './server-settings.ts'
import { durationMs } from './session-defaults.ts'
import type { SessionState } from './session-state.ts'
import { canonicalName } from './settings.ts'
import type { ProxySetting, ToldSetting } from './told-setting.ts'
import { transactionSetting } from './transaction-settings.ts'

/** The client's transaction is not the companion's, nor is its patience; and the companion prints trees for us. */
const PROXY_SETTINGS: ReadonlyMap<string, (state: SessionState) => ProxySetting> = new Map([
  ...['lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout'].map(
    (name) => [name, timeout(name)] as const,
  ),
  ...['debug_print_parse', 'debug_print_rewritten', 'debug_print_plan'].map(
    (name) => [name, switchedOff(name)] as const,
  ),
  ['transaction_isolation', ofTransaction('transaction_isolation', 'read committed')],
  ['transaction_read_only', ofTransaction('transaction_read_only', 'off')],
  ['transaction_deferrable', ofTransaction('transaction_deferrable', 'off')],
])

/** What SHOW and its like answer without the companion; undefined: the companion knows. */
export function findProxySetting(state: SessionState, name: string): ProxySetting | undefined {
  const key = canonicalName(name)
  const own = PROXY_SETTINGS.get(key)
  if (own !== undefined) return own(state)
  return state.settings.get(key) === undefined ? serverSettings(state).get(key) : undefined
}

/** What SHOW answers without the companion, by setting. */
export function proxySettings(state: SessionState): ReadonlyMap<string, string> {
  const names = [...PROXY_SETTINGS.keys(), ...serverSettings(state).keys()]
  return new Map(
    names.flatMap((name) => {
      const found = findProxySetting(state, name)
      return found === undefined ? [] : [[name, found.shown] as const]
    }),
  )
}

/** The companion's connections start with these. */
const STARTED_WITH: readonly (readonly [string, ToldSetting])[] = [
  ['search_path', { source: 'default', reset_val: '"$user", public' }],
  ['client_encoding', { source: 'default' }],
]

/** The rows of pg_settings that the companion has otherwise: what it cannot know, and where the session's values come from. */
export function toldSettings(state: SessionState): ReadonlyMap<string, ToldSetting> {
  const told = new Map<string, ToldSetting>(STARTED_WITH)
  for (const [name, source] of SERVER_SOURCES) told.set(name, { source })
  for (const [name, { told: row }] of serverSettings(state)) {
    const isSet = state.settings.get(name) !== undefined
    told.set(name, isSet ? { server_val: row.server_val ?? '' } : row)
  }
  for (const name of state.settings.effective().keys()) {
    const { source, startValue } = state.settings.originOf(name)
    const reset = startValue === undefined ? {} : { reset_val: startValue }
    told.set(name, { ...told.get(name), source, ...reset })
  }
  for (const [name, find] of PROXY_SETTINGS) told.set(name, find(state).told)
  return told
}

function timeout(name: string): (state: SessionState) => ProxySetting {
  return ({ settings }) => {
    const shown = settings.get(name) ?? '0'
    const { source, startValue } = settings.originOf(name)
    const told = { setting: milliseconds(shown), source, server_val: milliseconds(startValue) }
    return { shown, told }
  }
}

function milliseconds(shown: string | undefined): string {
  return String(Math.round(durationMs(shown)))
}

/** Off where the session says nothing. */
function switchedOff(name: string): (state: SessionState) => ProxySetting {
  return ({ settings }) => {
    const shown = settings.get(name) ?? 'off'
    const { source, startValue } = settings.originOf(name)
    return { shown, told: { setting: shown, source, reset_val: startValue ?? 'off' } }
  }
}

/** PostgreSQL gives these their initial values by itself (InitPostgres: `override`), BEGIN and SET TRANSACTION others. */
function ofTransaction(name: string, initial: string): (state: SessionState) => ProxySetting {
  return (state) => {
    const setting = transactionSetting(state, name) ?? initial
    const source = setting === initial ? 'override' : 'session'
    return { shown: setting, told: { setting, source, reset_val: initial } }
  }
}
