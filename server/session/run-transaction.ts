import type { PgNotice } from '../base/pg-error.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { unreachable } from '../base/unreachable.ts'
import type { ParsedStatement } from '../sql/statement.ts'
import { type TransactionModes, transactionCommand } from '../sql/transaction-command.ts'
import { type Answer, tagOnly } from './answer.ts'
import { mustBe, notSupported } from './client-error.ts'
import type { SessionState } from './session-state.ts'
import { setTransactionModes } from './transaction-settings.ts'

/** BEGIN, COMMIT, ROLLBACK and their relatives (src/backend/access/transam/xact.c). */
export async function runTransaction(
  state: SessionState,
  statement: ParsedStatement,
): Promise<Answer> {
  const command = mustBe(transactionCommand(statement.node))
  switch (command.kind) {
    case 'begin':
    case 'start':
      begin(state, command.options)
      return tagOnly(statement.tag)
    case 'commit':
      return commit(state, command.chain)
    case 'rollback':
      return rollback(state, command.chain)
    case 'savepoint':
    case 'release':
    case 'rollback-to':
      requireBegin(state, SAVEPOINT_WORDS[command.kind])
      await runSavepoint(state, command.kind, command.savepointName ?? '')
      return tagOnly(statement.tag)
    case 'prepare-transaction':
    case 'commit-prepared':
    case 'rollback-prepared':
      throw notSupported('two-phase commit', 'Spanner has no prepared transactions.')
    default:
      return unreachable(command.kind)
  }
}

const SAVEPOINT_WORDS = {
  savepoint: 'SAVEPOINT',
  release: 'RELEASE SAVEPOINT',
  'rollback-to': 'ROLLBACK TO SAVEPOINT',
} as const

async function runSavepoint(
  { block }: SessionState,
  kind: keyof typeof SAVEPOINT_WORDS,
  name: string,
): Promise<void> {
  switch (kind) {
    case 'savepoint':
      return block.savepoint(name)
    case 'release':
      return block.release(name)
    case 'rollback-to':
      return block.rollbackTo(name)
  }
}

/** Whether it was begun, or the statements of one query string form it (IsTransactionBlock). */
function isBlock({ block }: SessionState): boolean {
  return block.implicitForm === undefined || block.implicitForm === 'query-string'
}

/** Refuses with 25P01 what makes sense in a transaction block only (RequireTransactionBlock). */
export function requireBlock(state: SessionState, command: string): void {
  if (!isBlock(state)) throw new PgError(SQL_STATE.noActiveSqlTransaction, onlyInBlock(command))
}

/** Warns with 25P01 that there is no transaction block which this would be about (WarnNoTransactionBlock). */
export function warnOutsideOfBlock(state: SessionState, command: string): void {
  if (!isBlock(state)) {
    state.notice(warning(SQL_STATE.noActiveSqlTransaction, onlyInBlock(command)))
  }
}

/** Refuses with 25P01 what only a transaction that was begun has. */
function requireBegin(state: SessionState, command: string): void {
  if (state.block.state !== 'implicit') return
  throw new PgError(SQL_STATE.noActiveSqlTransaction, onlyInBlock(command))
}

function onlyInBlock(command: string): string {
  return `${command} can only be used in transaction blocks`
}

/** Refuses with 25001 what cannot be rolled back (PreventInTransactionBlock). */
export function preventInBlock(state: SessionState, command: string): void {
  if (isBlock(state)) {
    throw new PgError(
      SQL_STATE.activeSqlTransaction,
      `${command} cannot run inside a transaction block`,
    )
  }
  if (state.block.implicitForm === 'pipeline') {
    throw new PgError(
      SQL_STATE.activeSqlTransaction,
      `${command} cannot be executed within a pipeline`,
    )
  }
}

/** The options are a SET TRANSACTION of their own, also where the transaction was begun before (src/backend/tcop/utility.c). */
function begin(state: SessionState, options: TransactionModes): void {
  if (state.block.state === 'explicit') {
    state.notice(
      warning(SQL_STATE.activeSqlTransaction, 'there is already a transaction in progress'),
    )
    setTransactionModes(state, options)
    return
  }
  setTransactionModes(state, options)
  state.block.begin(state.block.characteristics)
}

async function commit(state: SessionState, chain: boolean): Promise<Answer> {
  const { characteristics } = state.block
  if (state.block.state === 'failed') {
    await state.block.rollback()
    if (chain) state.block.begin(characteristics)
    return tagOnly('ROLLBACK')
  }
  warnOutsideBlock(state, chain, 'COMMIT')
  await state.block.commit(state.scope.callOptions())
  if (chain) state.block.begin(characteristics)
  return tagOnly('COMMIT')
}

async function rollback(state: SessionState, chain: boolean): Promise<Answer> {
  const { characteristics } = state.block
  if (state.block.state !== 'failed') warnOutsideBlock(state, chain, 'ROLLBACK')
  await state.block.rollback()
  if (chain) state.block.begin(characteristics)
  return tagOnly('ROLLBACK')
}

function warnOutsideBlock(state: SessionState, chain: boolean, command: string): void {
  if (state.block.state === 'explicit') return
  if (chain) requireBegin(state, `${command} AND CHAIN`)
  state.notice(warning(SQL_STATE.noActiveSqlTransaction, 'there is no transaction in progress'))
}

function warning(code: string, message: string): PgNotice {
  return { severity: 'WARNING', code, message }
}
