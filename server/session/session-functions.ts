import { setTimeout as delay } from 'node:timers/promises'
import { Bug, PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import type { SelectedCall } from '../sql/target-list-functions.ts'
import { splitDataRow } from '../wire/data-row.ts'
import { ADVISORY_LOCK_FUNCTIONS } from './advisory-lock-functions.ts'
import { notSupported } from './client-error.ts'
import { findProxySetting } from './proxy-settings.ts'
import { assign } from './run-settings.ts'
import type { SessionState } from './session-state.ts'
import { cancelBackend, terminateBackend } from './signal-functions.ts'

/** The text of the result, and the type that the client sees. */
export interface FunctionResult {
  readonly value: string | null
  readonly type: string
}

type SessionFunction = (
  state: SessionState,
  args: readonly (string | null)[],
) => Promise<FunctionResult>

/**
 * Functions that are about the client's session or reach beyond the companion, by name in pg_catalog. They are evaluated here
 * where they are entries of a select list, after the companion has computed their arguments.
 */
const SESSION_FUNCTIONS: ReadonlyMap<string, SessionFunction> = new Map<string, SessionFunction>([
  ['set_config', setConfig],
  ['pg_sleep', sleep],
  ['nextval', nextval],
  ['pg_notify', notify],
  ...ADVISORY_LOCK_FUNCTIONS,
  ['pg_cancel_backend', cancelBackend],
  ['pg_terminate_backend', terminateBackend],
])

/** Functions that would be wrong if the companion ran them, and that nothing here stands for. */
const REFUSED = new Set(['setval', 'currval', 'lastval', 'pg_listening_channels', 'txid_current'])

/** Whether a call is one that the companion must not see. */
export function isSessionCall({ name }: SelectedCall): boolean {
  const [last = '', schema = 'pg_catalog', ...rest] = [...name].reverse()
  if (schema !== 'pg_catalog' || rest.length > 0) return false
  return isSessionFunction(last)
}

/** Whether a function of pg_catalog is one of them. */
export function isSessionFunction(name: string): boolean {
  return SESSION_FUNCTIONS.has(name) || REFUSED.has(name)
}

/** Evaluates one call; rejects with 0A000 where nothing here stands for the function. */
export function evaluateCall(
  state: SessionState,
  call: SelectedCall,
  args: readonly (string | null)[],
): Promise<FunctionResult> {
  const name = call.name.at(-1) ?? ''
  const run = SESSION_FUNCTIONS.get(name)
  if (run === undefined) throw notSupported(`function ${name}`, 'See docs/limitations.md.')
  return run(state, args)
}

async function setConfig(
  state: SessionState,
  [name, value, isLocal]: readonly (string | null)[],
): Promise<FunctionResult> {
  if (name === null || name === undefined) {
    throw new PgError(SQL_STATE.nullValueNotAllowed, 'SET requires parameter name')
  }
  const canonical = await assign(state, {
    name,
    value: value ?? undefined,
    isLocal: isLocal === 'true',
  })
  return { value: findProxySetting(state, name)?.shown ?? canonical, type: 'pg_catalog.text' }
}

async function notify(
  { notifications }: SessionState,
  [channel, payload]: readonly (string | null)[],
): Promise<FunctionResult> {
  notifications.notify(channel ?? '', payload ?? '')
  return { value: '', type: 'pg_catalog.void' }
}

async function sleep(
  state: SessionState,
  [seconds]: readonly (string | null)[],
): Promise<FunctionResult> {
  await delay(Number(seconds ?? 0) * 1000, undefined, { signal: state.scope.signal })
  return { value: '', type: 'pg_catalog.void' }
}

/** Draws from a sequence at Spanner, in the client's transaction. */
async function nextval(
  state: SessionState,
  [name]: readonly (string | null)[],
): Promise<FunctionResult> {
  const sequence = await findSequence(state, name ?? '')
  const stream = await state.block.execute(
    { sql: `SELECT ${sequence.nextvalSql}`, params: [] },
    {
      command: 'nextval()',
      isDml: false,
      returnsRows: true,
      locksRows: true,
      isOrdered: false,
      drawsValues: true,
      isSole: false,
    },
    state.scope.callOptions(),
  )
  const batch = await stream.next()
  if (batch === undefined || batch.rowCount === 0) throw new Bug('no value from a sequence')
  const value = readString(batch.bytes.subarray(batch.starts[0], batch.ends[0]))
  while ((await stream.next()) !== undefined);
  return { value, type: 'pg_catalog.int8' }
}

async function findSequence(state: SessionState, name: string) {
  const answer = await state.database.companion.read({
    text: 'SELECT $1::pg_catalog.text::pg_catalog.regclass::pg_catalog.oid',
    paramTypes: [25],
    paramFormats: [],
    params: [Buffer.from(name)],
    resultFormats: [],
    session: state.context(),
    signal: state.scope.signal,
  })
  const [row] = answer.rows
  const oid = Number(row === undefined ? 0 : splitDataRow(row)[0]?.toString())
  const sequence = state.database.schema.current.sequences.get(oid)
  if (sequence === undefined) {
    throw new PgError(SQL_STATE.wrongObjectType, `"${name}" is not a sequence`)
  }
  return sequence
}

/** The payload of a string_value (field 3 of google.protobuf.Value). */
function readString(value: Buffer): string {
  return value.subarray(2).toString()
}
