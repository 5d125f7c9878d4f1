import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { TransactionModes } from '../sql/transaction-command.ts'
import type { TransactionCharacteristics } from '../transaction/characteristics.ts'
import { findIsolationLevel } from './session-defaults.ts'
import type { SessionState } from './session-state.ts'

/** transaction_isolation, transaction_read_only and transaction_deferrable: they are about the transaction under way alone. */
export function isTransactionSetting(name: string): boolean {
  return /^transaction_(isolation|read_only|deferrable)$/i.test(name)
}

/** SET TRANSACTION. Throws 25001 where it is too late. */
export function setTransactionModes(state: SessionState, modes: TransactionModes): void {
  checkMayChange(state, modes)
  state.block.setCharacteristics(withOptions(state.block.characteristics, modes))
}

/** SET transaction_isolation and its siblings; `value` undefined is DEFAULT. Returns what SHOW will say. */
export function assignTransactionSetting(
  state: SessionState,
  name: string,
  value: string | undefined,
): string {
  setTransactionModes(state, modesOf(name, value))
  return transactionSetting(state, name) ?? ''
}

/** What SHOW answers without the companion: the client's transaction is not the companion's. */
export function transactionSetting(state: SessionState, name: string): string | undefined {
  const { isolation, readOnly, deferrable } = state.block.characteristics
  switch (name.toLowerCase()) {
    case 'transaction_isolation':
      return isolation
    case 'transaction_read_only':
      return onOff(readOnly)
    case 'transaction_deferrable':
      return onOff(deferrable)
    default:
      return undefined
  }
}

export function onOff(value: boolean): string {
  return value ? 'on' : 'off'
}

function modesOf(name: string, value: string | undefined): TransactionModes {
  switch (name.toLowerCase()) {
    case 'transaction_isolation': {
      const isolation = findIsolationLevel(value)
      if (isolation === undefined) throw invalidValue(name, value)
      return { isolation }
    }
    case 'transaction_read_only':
      return { readOnly: mustBoolean(name, value) }
    default:
      return { deferrable: mustBoolean(name, value) }
  }
}

/** src/backend/commands/variable.c: check_XactIsoLevel, check_XactReadOnly, check_transaction_deferrable. */
function checkMayChange({ block }: SessionState, modes: TransactionModes): void {
  const { isolation, readOnly, deferrable } = modes
  const { characteristics } = block
  if (isolation !== undefined && isolation !== characteristics.isolation) checkIsolation(block)
  if (readOnly === false && characteristics.readOnly) checkReadWrite(block)
  if (deferrable !== undefined) checkDeferrable(block)
}

type Block = Pick<SessionState['block'], 'hasRun' | 'savepointLevel' | 'isReadOnlyOutside'>

function checkIsolation({ hasRun, savepointLevel }: Block): void {
  if (hasRun) throw tooLate('SET TRANSACTION ISOLATION LEVEL must be called before any query')
  if (savepointLevel > 0)
    throw tooLate('SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction')
}

function checkReadWrite({ hasRun, savepointLevel, isReadOnlyOutside }: Block): void {
  if (savepointLevel > 0 && isReadOnlyOutside)
    throw tooLate('cannot set transaction read-write mode inside a read-only transaction')
  if (hasRun) throw tooLate('transaction read-write mode must be set before any query')
}

function checkDeferrable({ hasRun, savepointLevel }: Block): void {
  if (savepointLevel > 0)
    throw tooLate('SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction')
  if (hasRun) throw tooLate('SET TRANSACTION [NOT] DEFERRABLE must be called before any query')
}

function withOptions(
  base: TransactionCharacteristics,
  options: TransactionModes,
): TransactionCharacteristics {
  return {
    isolation: options.isolation ?? base.isolation,
    readOnly: options.readOnly ?? base.readOnly,
    deferrable: options.deferrable ?? base.deferrable,
  }
}

function tooLate(message: string): PgError {
  return new PgError(SQL_STATE.activeSqlTransaction, message)
}

function mustBoolean(name: string, value: string | undefined): boolean {
  if (value !== undefined && /^(on|t|tr|tru|true|y|ye|yes|1)$/i.test(value)) return true
  if (value === undefined || /^(off|of|f|fa|fal|fals|false|n|no|0)$/i.test(value)) return false
  throw new PgError(SQL_STATE.invalidParameterValue, `parameter "${name}" requires a Boolean value`)
}

function invalidValue(name: string, value: string | undefined): PgError {
  return new PgError(
    SQL_STATE.invalidParameterValue,
    `invalid value for parameter "${name}": "${value ?? ''}"`,
  )
}
