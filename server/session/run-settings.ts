import type { CommitResult } from '../backend/backend.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { unreachable } from '../base/unreachable.ts'
import { isHiddenRole } from '../companion/shared-catalogs-sql.ts'
import type { Plan } from '../plan/plan.ts'
import { showCommand } from '../sql/session-commands.ts'
import { type SetCommand, setCommand } from '../sql/set-command.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { type Answer, readyRows, tagOnly } from './answer.ts'
import { mustBe, notSupported } from './client-error.ts'
import { canonicalValue, demandKnownName, findOwnSetting, withoutAlias } from './own-settings.ts'
import { findProxySetting, proxySettings } from './proxy-settings.ts'
import { warnOutsideOfBlock } from './run-transaction.ts'
import type { SessionState } from './session-state.ts'
import { isShownAsTable, showEmulations } from './show-emulations.ts'
import { textField, textRow } from './text-answer.ts'
import { readTexts, textRequest } from './text-request.ts'
import {
  assignTransactionSetting,
  isTransactionSetting,
  onOff,
  setTransactionModes,
} from './transaction-settings.ts'

/** SET, SET LOCAL, RESET, SET TRANSACTION, SET SESSION CHARACTERISTICS. */
export async function runSet(state: SessionState, statement: ParsedStatement): Promise<Answer> {
  await applySet(state, mustBe(setCommand(statement.node)))
  return tagOnly(statement.tag)
}

async function applySet(state: SessionState, command: SetCommand): Promise<void> {
  switch (command.kind) {
    case 'set':
      await assign(state, { ...command, isLocal: false })
      return
    case 'set-local':
      warnOutsideOfBlock(state, 'SET LOCAL')
      await assign(state, { ...command, isLocal: true })
      return
    case 'set-default':
      await assign(state, { name: command.name, value: undefined, isLocal: false })
      return
    case 'set-local-default':
      warnOutsideOfBlock(state, 'SET LOCAL')
      await assign(state, { name: command.name, value: undefined, isLocal: true })
      return
    case 'set-current':
      if (command.isLocal) warnOutsideOfBlock(state, 'SET LOCAL')
      await assign(state, { ...command, value: await currentValue(state, command.name) })
      return
    case 'set-transaction-snapshot':
      throw notSupported('SET TRANSACTION SNAPSHOT', 'Spanner’s snapshots are not shared by name.')
    case 'reset':
      await normalForm(state, withoutAlias(command.name), undefined)
      state.settings.set(withoutAlias(command.name), undefined)
      return
    case 'reset-all':
      state.settings.resetAll()
      return
    case 'set-transaction':
      warnOutsideOfBlock(state, 'SET TRANSACTION')
      setTransactionModes(state, command.modes)
      return
    case 'set-session-characteristics': {
      const { isolation, readOnly, deferrable } = command.modes
      if (isolation !== undefined) state.settings.set('default_transaction_isolation', isolation)
      if (readOnly !== undefined)
        state.settings.set('default_transaction_read_only', onOff(readOnly))
      if (deferrable !== undefined)
        state.settings.set('default_transaction_deferrable', onOff(deferrable))
      return
    }
    default:
      return unreachable(command)
  }
}

export interface Assignment {
  readonly name: string
  /** undefined is DEFAULT. */
  readonly value: string | undefined
  readonly isLocal: boolean
}

/** Sets one setting; PostgreSQL checks and normalises the value. Returns what SHOW will say. */
export async function assign(state: SessionState, assignment: Assignment): Promise<string> {
  const { value, isLocal } = assignment
  const name = withoutAlias(assignment.name)
  if (isTransactionSetting(name)) return assignTransactionSetting(state, name, value)
  if (name.toLowerCase() === 'client_encoding') checkClientEncoding(value)
  const canonical = await normalForm(state, name, value)
  if (await isNewPlaceholder(state, name)) state.settings.addPlaceholder(name)
  if (isLocal) state.settings.setLocal(name, canonical)
  else state.settings.set(name, canonical)
  return canonical ?? currentValue(state, name)
}

/** The value as it is kept: Spanwire checks its own settings, PostgreSQL all others. undefined stays undefined. */
async function normalForm(
  state: SessionState,
  name: string,
  value: string | undefined,
): Promise<string | undefined> {
  const own = findOwnSetting(name.toLowerCase())
  demandKnownName(name)
  if (own !== undefined) return value === undefined ? undefined : canonicalValue(own, value)
  if (name.toLowerCase() === 'role' && value !== undefined && isHiddenRole(value))
    throw new PgError(SQL_STATE.invalidParameterValue, `role "${value}" does not exist`)
  if (value !== undefined) {
    return askCompanion(state, 'SELECT pg_catalog.set_config($1, $2, true)', [name, value])
  }
  // What does not exist or cannot be set is an error for RESET, too; a transaction's modes are the companion's own there.
  const ask = isTransactionSetting(name) ? CURRENT_SETTING : RESET_SETTING
  await askCompanion(state, ask, [name])
  return undefined
}

/** Whether nobody has defined a setting that has just been named for the first time. */
async function isNewPlaceholder(state: SessionState, name: string): Promise<boolean> {
  if (!name.includes('.') || findOwnSetting(name.toLowerCase()) !== undefined) return false
  if (state.settings.isPlaceholder(name)) return false
  return (await askCompanion(state, IS_UNDEFINED, [name])) === 't'
}

/** Placeholders are not among them. */
const IS_UNDEFINED =
  'SELECT pg_catalog.count(*) = 0 FROM pg_catalog.pg_show_all_settings() s WHERE pg_catalog.lower(s.name) = pg_catalog.lower($1)'
const CURRENT_SETTING = 'SELECT pg_catalog.current_setting($1)'
const RESET_SETTING = 'SELECT pg_catalog.set_config($1, NULL, true)'

/** As SHOW gives it. */
async function currentValue(state: SessionState, name: string): Promise<string> {
  return shownByProxy(state, name) ?? askCompanion(state, CURRENT_SETTING, [name])
}

/** What PostgreSQL answers about a setting: a value in its normal form, or 42704, 22023, 42501, 55P02. */
async function askCompanion(
  state: SessionState,
  text: string,
  params: readonly string[],
): Promise<string> {
  const [row] = await readTexts(state, text, params, state.database.companion)
  return row?.[0] ?? ''
}

/** Spanwire speaks UTF-8 alone; `SQL_ASCII` would mean that nothing is checked. */
function checkClientEncoding(value: string | undefined): void {
  if (value === undefined || /^(utf-?8|unicode)$/i.test(value)) return
  throw new PgError(
    SQL_STATE.invalidParameterValue,
    `invalid value for parameter "client_encoding": "${value}"`,
    { hint: 'Spanwire speaks UTF8 only.' },
  )
}

/** SHOW of what only the session knows, and of everything; undefined where the companion's answer is right. */
export async function runShow(
  state: SessionState,
  statement: ParsedStatement,
  plan: Plan | undefined,
): Promise<Answer | undefined> {
  const { name } = mustBe(showCommand(statement.node))
  if (isShownAsTable(name)) return showEmulations(state)
  if (name === 'all') return showAll(state, plan)
  const value = shownByProxy(state, name)
  return value === undefined ? undefined : oneTextRow(name, value, 'SHOW')
}

/** What SHOW and current_setting() answer without the companion; undefined where the companion knows. */
export function shownByProxy(state: SessionState, name: string): string | undefined {
  return findProxySetting(state, name)?.shown ?? ownSettingValue(state, name.toLowerCase())
}

/** src/backend/utils/misc/guc.c, ShowAllGUCConfig. */
async function showAll(state: SessionState, plan: Plan | undefined): Promise<Answer> {
  const request = textRequest(
    state,
    `SELECT s.name, coalesce($1::pg_catalog.json ->> s.name, pg_catalog.current_setting(s.name)), s.short_desc
      FROM pg_catalog.pg_show_all_settings() s`,
    [JSON.stringify(Object.fromEntries(proxySettings(state)))],
  )
  const { rows } = await state.database.companion.read(request)
  return { fields: plan?.fields, rows: readyRows(rows), tag: () => 'SHOW' }
}

function ownSettingValue(state: SessionState, name: string): string | undefined {
  const { readTimestamp, lastCommit } = state.block
  switch (name) {
    case 'spanner.read_timestamp':
      return readTimestamp ?? ''
    case 'spanner.commit_timestamp':
      return lastCommit?.commitTimestamp ?? ''
    case 'spanner.commit_response':
      return lastCommit === undefined ? '' : describeCommit(lastCommit)
    case 'spanner.readonly':
      return state.settings.get('default_transaction_read_only') ?? 'off'
    case 'spanner.isolation_level':
      return state.settings.get('default_transaction_isolation') ?? 'read committed'
    default: {
      const own = findOwnSetting(withoutAlias(name))
      return own === undefined ? undefined : (state.settings.get(own.name) ?? own.defaultValue)
    }
  }
}

function describeCommit({ commitTimestamp, mutationCount }: CommitResult): string {
  return mutationCount === undefined
    ? `${commitTimestamp}`
    : `${commitTimestamp} ${mutationCount} mutations`
}

function oneTextRow(column: string, value: string, tag: string): Answer {
  return { fields: [textField(column)], rows: readyRows([textRow([value])]), tag: () => tag }
}
