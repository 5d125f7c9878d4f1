import type { StandIns } from '../companion/companion-types.ts'
import { callInSchema, findCalls } from '../sql/call-sites.ts'
import { isPerformed } from '../sql/performed-functions.ts'
import { parseStatements } from '../sql/statement.ts'
import { CallRecord, MAX_RUNS, type Performer, tooManyRuns } from './call-record.ts'
import { readHeardCall, STAND_IN_SCHEMA, standInsSql } from './call-stand-ins.ts'
import { drawFor, noteDrawn } from './sequence-functions.ts'
import { callFunction } from './session-functions.ts'
import type { SessionState } from './session-state.ts'

/** A statement as it is to be run, and what its calls are. */
export interface StandingIn {
  readonly text: string
  readonly standIns: StandIns
}

/** Whether the text of a query has calls of functions that the proxy performs. */
export function callsPerformed(text: string, node: Parameters<typeof findCalls>[1]): boolean {
  return findCalls(text, node, isPerformed).length > 0
}

/**
 * The result of a statement that calls functions of the session, wherever that is, each as often as PostgreSQL comes to it. `write` gives its text as things
 * are, `run` runs it in the companion. Rejects with the statement's error, and with that of a call.
 */
export async function runCallsAnywhere<T>(
  state: SessionState,
  write: () => string | Promise<string>,
  run: (statement: StandingIn) => Promise<T>,
): Promise<T> {
  const record = new CallRecord(({ name }) => isSeen(name, asksTheTime))
  let asksTheTime = false
  const performer = performerFor(state)
  for (let count = 0; count < MAX_RUNS; count++) {
    const text = await write()
    asksTheTime = CLOCK.test(text)
    record.begin()
    const ended = await attempt(() => run(standingIn(text, record)))
    state.scope.signal.throwIfAborted()
    if (!(await record.settle(performer))) continue
    for (const [sequence, value] of record.lastDrawn()) await noteDrawn(state, sequence, value)
    if ('error' in ended) throw ended.error
    return ended.value
  }
  throw tooManyRuns()
}

const CLOCK = /\b(?:clock_timestamp|timeofday|pg_stat_\w+)\b/i

/** Settings change how everything else is read and shown; time passes while somebody sleeps. */
function isSeen(name: string, asksTheTime: boolean): boolean {
  return name === 'set_config' || (asksTheTime && name.startsWith('pg_sleep'))
}

function standingIn(text: string, record: CallRecord): StandingIn {
  const [statement] = parseStatements(text)
  const sites = statement === undefined ? [] : findCalls(text, statement.node, isPerformed)
  const names = sites.map(({ name }) => name).filter(isPerformed)
  return {
    text: callInSchema(text, sites, STAND_IN_SCHEMA),
    standIns: {
      define: standInsSql(names, record.answers()),
      listen: () => {
        record.begin()
        return (message) => record.hear(readHeardCall(message))
      },
    },
  }
}

function performerFor(state: SessionState): Performer {
  return {
    perform: ({ name, args }) => callFunction(state, name, args),
    draw: (sequence, count) => drawFor(state, sequence, count),
  }
}

type Ended<T> = { readonly value: T } | { readonly error: unknown }

async function attempt<T>(run: () => Promise<T>): Promise<Ended<T>> {
  try {
    return { value: await run() }
  } catch (error) {
    return { error }
  }
}
