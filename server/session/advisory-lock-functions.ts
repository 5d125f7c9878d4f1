import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { LockStrength } from './advisory-lock-table.ts'
import { durationMs } from './session-defaults.ts'
import type { SessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

type LockFunction = SessionFunction['run']

/** The functions of the manual's table "Advisory Lock Functions", by name. */
export const ADVISORY_LOCK_FUNCTIONS: readonly (readonly [string, SessionFunction])[] = [
  ...(['exclusive', 'shared'] as const).flatMap((strength) => {
    const suffix = strength === 'shared' ? '_shared' : ''
    return [
      [`pg_advisory_lock${suffix}`, { type: 'void', run: wait('session', strength) }],
      [`pg_advisory_xact_lock${suffix}`, { type: 'void', run: wait('transaction', strength) }],
      [`pg_try_advisory_lock${suffix}`, { type: 'bool', run: attempt('session', strength) }],
      [
        `pg_try_advisory_xact_lock${suffix}`,
        { type: 'bool', run: attempt('transaction', strength) },
      ],
      [`pg_advisory_unlock${suffix}`, { type: 'bool', run: unlock(strength) }],
    ] as const
  }),
  ['pg_advisory_unlock_all', { type: 'void', run: unlockAll }],
]

function wait(scope: 'session' | 'transaction', strength: LockStrength): LockFunction {
  return async (state, args) => {
    const key = keyOf(args)
    if (key === undefined) return null
    await state.locks.acquire({ key, strength }, scope, {
      timeoutMs: durationMs(state.settings.get('lock_timeout')),
      signal: state.scope.signal,
    })
    return ''
  }
}

function attempt(scope: 'session' | 'transaction', strength: LockStrength): LockFunction {
  return async (state, args) => {
    const key = keyOf(args)
    if (key === undefined) return boolean(undefined)
    return boolean(await state.locks.tryAcquire({ key, strength }, scope, state.scope.signal))
  }
}

function unlock(strength: LockStrength): LockFunction {
  return async (state, args) => {
    const key = keyOf(args)
    if (key === undefined) return boolean(undefined)
    const wasHeld = state.locks.release({ key, strength })
    // src/backend/storage/lmgr/lock.c, LockRelease.
    if (!wasHeld) {
      const mode = strength === 'shared' ? 'ShareLock' : 'ExclusiveLock'
      state.notice({
        severity: 'WARNING',
        code: SQL_STATE.warning,
        message: `you don't own a lock of type ${mode}`,
      })
    }
    return boolean(wasHeld)
  }
}

function unlockAll(state: SessionState): string {
  state.locks.releaseAll()
  return ''
}

function boolean(value: boolean | undefined): string | null {
  if (value === undefined) return null
  return value ? 't' : 'f'
}

/** One bigint, or two integers: the two spaces of keys do not overlap. NULL locks nothing, as in a strict function. */
function keyOf(args: readonly (string | null)[]): string | undefined {
  if (args.includes(null)) return undefined
  if (args.length === 2) for (const arg of args) demandInteger(arg ?? '')
  return args.join(',')
}

function demandInteger(text: string): void {
  const value = Number(text)
  if (value >= -2_147_483_648 && value <= 2_147_483_647) return
  throw new PgError(SQL_STATE.numericValueOutOfRange, 'integer out of range')
}
