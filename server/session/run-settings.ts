import type { CommitResult } from '../backend/backend.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { unreachable } from '../base/unreachable.ts'
import type { Plan } from '../plan/plan.ts'
import { showCommand } from '../sql/session-commands.ts'
import { type SetCommand, setCommand } from '../sql/set-command.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { OID } from '../types/pg-type.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { type Answer, readyRows, tagOnly } from './answer.ts'
import { mustBe, notSupported } from './client-error.ts'
import { canonicalValue, findOwnSetting, withoutAlias } from './own-settings.ts'
import { findProxySetting, proxySettings } from './proxy-settings.ts'
import type { SessionState } from './session-state.ts'
import { isShownAsTable, showEmulations } from './show-emulations.ts'
import { textField, textRow } from './text-answer.ts'
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
    case 'set-local':
      await assign(state, { ...command, isLocal: command.kind === 'set-local' })
      return
    case 'set-default':
    case 'set-local-default':
      await assign(state, {
        name: command.name,
        value: undefined,
        isLocal: command.kind === 'set-local-default',
      })
      return
    case 'set-current':
      await assign(state, { ...command, value: await askCompanion(state, command.name) })
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
      if (state.block.state !== 'explicit') {
        state.notice({
          severity: 'WARNING',
          code: SQL_STATE.noActiveSqlTransaction,
          message: 'SET TRANSACTION can only be used in transaction blocks',
        })
        return
      }
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
  if (!isLocal) state.settings.set(name, canonical)
  else if (state.block.state === 'explicit' || state.block.state === 'failed') {
    state.settings.setLocal(name, canonical)
  } else {
    state.notice({
      severity: 'WARNING',
      code: SQL_STATE.noActiveSqlTransaction,
      message: 'SET LOCAL can only be used in transaction blocks',
    })
  }
  return canonical ?? state.settings.get(name) ?? ''
}

/** The value as it is kept: Spanwire checks its own settings, PostgreSQL all others. undefined stays undefined. */
async function normalForm(
  state: SessionState,
  name: string,
  value: string | undefined,
): Promise<string | undefined> {
  const own = findOwnSetting(name.toLowerCase())
  if (own !== undefined) return value === undefined ? undefined : canonicalValue(own, value)
  if (value !== undefined) return askCompanion(state, name, value)
  // A name that does not exist is an error for RESET too.
  await askCompanion(state, name)
  return undefined
}

/** What PostgreSQL makes of a value: its normal form, or 42704, 22023, 42501. Without a value: the current one. */
async function askCompanion(state: SessionState, name: string, value?: string): Promise<string> {
  const text =
    value === undefined
      ? 'SELECT pg_catalog.current_setting($1)'
      : 'SELECT pg_catalog.set_config($1, $2, true)'
  const answer = await state.database.companion.read({
    text,
    paramTypes: value === undefined ? [OID.text] : [OID.text, OID.text],
    paramFormats: [],
    params: (value === undefined ? [name] : [name, value]).map((param) => Buffer.from(param)),
    resultFormats: [],
    session: state.context(),
    signal: state.scope.signal,
  })
  const [row] = answer.rows
  return (row === undefined ? undefined : splitDataRow(row)[0])?.toString() ?? ''
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
  const { rows } = await state.database.companion.read({
    text: `SELECT s.name, coalesce($1::pg_catalog.json ->> s.name, pg_catalog.current_setting(s.name)), s.short_desc
      FROM pg_catalog.pg_show_all_settings() s`,
    paramTypes: [OID.text],
    paramFormats: [],
    params: [Buffer.from(JSON.stringify(Object.fromEntries(proxySettings(state))))],
    resultFormats: [],
    session: state.context(),
    signal: state.scope.signal,
  })
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
