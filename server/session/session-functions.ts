import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { ADVISORY_LOCK_FUNCTIONS } from './advisory-lock-functions.ts'
import { notSupported } from './client-error.ts'
import { findProxySetting } from './proxy-settings.ts'
import { assign } from './run-settings.ts'
import { currval, lastval, nextval, nextvalForRows, setval } from './sequence-functions.ts'
import type { SessionState } from './session-state.ts'
import { isSessionValue } from './session-values.ts'
import { cancelBackend, terminateBackend } from './signal-functions.ts'
import { SLEEP_FUNCTIONS } from './sleep-functions.ts'

/** A function that the proxy stands for. */
export interface SessionFunction {
  /** The type of its result, in pg_catalog. */
  readonly type: 'int8' | 'xid8' | 'bool' | 'text' | 'void'
  /** Gives the text of the result, given those of the arguments. */
  readonly run: (
    state: SessionState,
    args: readonly (string | null)[],
  ) => string | null | Promise<string | null>
  /** As `run`, for some rows at once. */
  readonly runForRows?: (
    state: SessionState,
    rows: readonly (readonly (string | null)[])[],
  ) => Promise<readonly (string | null)[]>
}

const currentXactId: SessionFunction['run'] = async (state) =>
  (await state.xactId.of(state, { assigns: true })) ?? null

const assignedXactId: SessionFunction['run'] = async (state) =>
  (await state.xactId.of(state, { assigns: false })) ?? null

/**
 * Functions that are about the client's session or reach beyond the companion, by name in pg_catalog. They are evaluated here,
 * after the companion has computed their arguments.
 */
const SESSION_FUNCTIONS: ReadonlyMap<string, SessionFunction> = new Map<string, SessionFunction>([
  ['set_config', { type: 'text', run: setConfig }],
  ...SLEEP_FUNCTIONS,
  ['nextval', { type: 'int8', run: nextval, runForRows: nextvalForRows }],
  ['currval', { type: 'int8', run: currval }],
  ['setval', { type: 'int8', run: setval }],
  ['lastval', { type: 'int8', run: lastval }],
  ['txid_current', { type: 'int8', run: currentXactId }],
  ['txid_current_if_assigned', { type: 'int8', run: assignedXactId }],
  ['pg_current_xact_id', { type: 'xid8', run: currentXactId }],
  ['pg_current_xact_id_if_assigned', { type: 'xid8', run: assignedXactId }],
  ['pg_notify', { type: 'void', run: notify }],
  ...ADVISORY_LOCK_FUNCTIONS,
  ['pg_cancel_backend', { type: 'bool', run: cancelBackend }],
  ['pg_terminate_backend', { type: 'bool', run: terminateBackend }],
])

/** Functions that would be wrong if the companion ran them, and that nothing here stands for. */
const REFUSED = new Set(['pg_xact_status', 'txid_status'])

/** Whether a function of pg_catalog is one that the companion must not run. */
export function isSessionFunction(name: string): boolean {
  return SESSION_FUNCTIONS.has(name) || REFUSED.has(name)
}

/** Whether it does more than tell of the session. */
export function doesSomething(name: string): boolean {
  return isSessionFunction(name) && !isSessionValue(name)
}

/** What stands for the function here. Throws 0A000 where nothing does. */
export function mustFindFunction(name: string): SessionFunction {
  const found = SESSION_FUNCTIONS.get(name)
  if (found === undefined) throw notSupported(`function ${name}`, 'See docs/limitations.md.')
  return found
}

/**
 * The text of what a call gives. What it did is done: where Spanner aborts an implicit transaction after it, the transaction's log is run again, not the statement.
 * Values of sequences are drawn anew.
 */
export async function callFunction(
  state: SessionState,
  name: string,
  args: readonly (string | null)[],
): Promise<string | null> {
  const value = await mustFindFunction(name).run(state, args)
  if (doesSomething(name) && name !== 'nextval') state.block.answerSent()
  return value
}

async function setConfig(
  state: SessionState,
  [name, value, isLocal]: readonly (string | null)[],
): Promise<string | null> {
  if (name === null || name === undefined) {
    throw new PgError(SQL_STATE.nullValueNotAllowed, 'SET requires parameter name')
  }
  const canonical = await assign(state, {
    name,
    value: value ?? undefined,
    isLocal: isLocal === 'true',
  })
  return findProxySetting(state, name)?.shown ?? canonical
}

async function notify(
  { notifications }: SessionState,
  [channel, payload]: readonly (string | null)[],
): Promise<string | null> {
  notifications.notify(channel ?? '', payload ?? '')
  return ''
}
