import { setTimeout as delay } from 'node:timers/promises'
import { splitDataRow } from '../wire/data-row.ts'
import type { SessionFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

type Args = readonly (string | null)[]

/** pg_sleep and its relatives, as pg_proc.dat and system_functions.sql of PostgreSQL define them. */
export const SLEEP_FUNCTIONS: readonly (readonly [string, SessionFunction])[] = [
  ['pg_sleep', { type: 'void', run: (state, [seconds]: Args) => sleep(state, seconds) }],
  ['pg_sleep_for', { type: 'void', run: sleepUntil('clock_timestamp() + $1::interval') }],
  ['pg_sleep_until', { type: 'void', run: sleepUntil('$1::timestamptz') }],
]

/** A timer of Node's takes no more. */
const MAX_TIMER_MS = 2_147_483_647

/** NULL sleeps not at all, as in a strict function. */
async function sleep(
  { scope }: SessionState,
  seconds: string | null | undefined,
): Promise<string | null> {
  if (seconds === null || seconds === undefined) return null
  const end = performance.now() + secondsOf(seconds) * 1000
  for (let left = end - performance.now(); left > 0; left = end - performance.now()) {
    await delay(Math.min(left, MAX_TIMER_MS), undefined, { signal: scope.signal })
  }
  return ''
}

function secondsOf(text: string): number {
  return /^inf/i.test(text) ? Number.POSITIVE_INFINITY : Number(text)
}

/** `end`: the moment, computed from the only argument. */
function sleepUntil(end: string): SessionFunction['run'] {
  return async (state, [argument]) => {
    if (argument === null || argument === undefined) return null
    const { rows } = await state.database.companion.read({
      text: `SELECT extract(epoch FROM ${end}) - extract(epoch FROM clock_timestamp())`,
      paramTypes: [],
      paramFormats: [],
      params: [Buffer.from(argument)],
      resultFormats: [],
      session: state.context(),
      signal: state.scope.signal,
    })
    const [row] = rows
    return sleep(state, row === undefined ? null : splitDataRow(row)[0]?.toString())
  }
}
