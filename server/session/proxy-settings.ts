import { durationMs } from './session-defaults.ts'
import type { SessionState } from './session-state.ts'
import { transactionSetting } from './transaction-settings.ts'

/** A setting that only the proxy knows: the client's transaction is not the companion's, nor is its patience with locks. */
export interface ProxySetting {
  /** As SHOW writes it. */
  readonly shown: string
  /** What its row of pg_settings says. */
  readonly told: ToldSetting
}

/** Columns of one row of pg_settings; `setting` and `reset_val` are in the setting's own unit. */
export type ToldSetting = Readonly<Partial<Record<'setting' | 'source' | 'reset_val', string>>>

const PROXY_SETTINGS: ReadonlyMap<string, (state: SessionState) => ProxySetting> = new Map([
  ['lock_timeout', lockTimeout],
  ['transaction_isolation', ofTransaction('transaction_isolation', 'read committed')],
  ['transaction_read_only', ofTransaction('transaction_read_only', 'off')],
  ['transaction_deferrable', ofTransaction('transaction_deferrable', 'off')],
])

/** What SHOW and its like answer without the companion; undefined: the companion knows. */
export function findProxySetting(state: SessionState, name: string): ProxySetting | undefined {
  return PROXY_SETTINGS.get(name.toLowerCase())?.(state)
}

/** What SHOW answers without the companion, by setting. */
export function proxySettings(state: SessionState): ReadonlyMap<string, string> {
  return new Map([...PROXY_SETTINGS].map(([name, find]) => [name, find(state).shown]))
}

/** The companion's connections start with a search path of their own. */
const SEARCH_PATH: ToldSetting = { source: 'default', reset_val: '"$user", public' }

/** The rows of pg_settings that the companion has otherwise: what it cannot know, and where the session's values come from. */
export function toldSettings(state: SessionState): ReadonlyMap<string, ToldSetting> {
  const told = new Map<string, ToldSetting>([['search_path', SEARCH_PATH]])
  for (const name of state.settings.effective().keys()) {
    const { source, startValue } = state.settings.originOf(name)
    const reset = startValue === undefined ? {} : { reset_val: startValue }
    told.set(name, { ...told.get(name), source, ...reset })
  }
  for (const [name, find] of PROXY_SETTINGS) told.set(name, find(state).told)
  return told
}

function lockTimeout({ settings }: SessionState): ProxySetting {
  const shown = settings.get('lock_timeout') ?? '0'
  const { source } = settings.originOf('lock_timeout')
  return { shown, told: { setting: String(Math.round(durationMs(shown))), source } }
}

/** PostgreSQL gives these their initial values by itself (InitPostgres: `override`), BEGIN and SET TRANSACTION others. */
function ofTransaction(name: string, initial: string): (state: SessionState) => ProxySetting {
  return (state) => {
    const setting = transactionSetting(state, name) ?? initial
    const source = setting === initial ? 'override' : 'session'
    return { shown: setting, told: { setting, source, reset_val: initial } }
  }
}
