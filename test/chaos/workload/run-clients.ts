import { setTimeout as delay } from 'node:timers/promises'
import type { FaultKind, FaultPlan } from '../fault-plan.ts'
import type { FaultySpanwire } from '../faulty-spanwire.ts'
import { ChaosClient } from './chaos-client.ts'

export interface RunOptions {
  readonly clients: number
  readonly seconds: number
  readonly faults: FaultPlan
  /** kill -9 and a new process after so many seconds, again and again; never if absent. */
  readonly killEverySeconds?: number | undefined
}

export interface RunReport {
  readonly faults: Readonly<Record<FaultKind, number>>
  readonly kills: number
  readonly elapsedMs: number
}

/** What every kind of fault at once looks like. */
export const MIXED_FAULTS = {
  aborted: 0.1,
  unavailable: 0.01,
  answerLost: 0.01,
  cut: 0.01,
  commitDeadline: 0.02,
  sessionDeleted: 0.01,
} as const satisfies Partial<FaultPlan>

/** Makes a database; workloads keep their tables in one of their own. */
export async function createDatabase(faulty: FaultySpanwire, name: string): Promise<void> {
  const admin = new ChaosClient(() => faulty.spanwire, 'postgres')
  await admin.read(`create database ${name}`)
  await admin.end()
}

/** A client of the server as it is now, and after each restart. */
export function clientOf(faulty: FaultySpanwire, database: string): ChaosClient {
  return new ChaosClient(() => faulty.spanwire, database)
}

/**
 * Lets clients do one step after the other until the time is over, under faults and kills; then everything is quiet again. A step that
 * rejects ends the run.
 */
export async function runClients(
  faulty: FaultySpanwire,
  options: RunOptions,
  step: (process: number) => Promise<void>,
): Promise<RunReport> {
  const startedMs = performance.now()
  const run = { endMs: startedMs + options.seconds * 1000, stop: new AbortController() }
  faulty.injector.start(options.faults)
  const loops = Array.from({ length: options.clients }, async (_, process) => {
    while (performance.now() < run.endMs) await step(process)
  })
  const killing = killAgainAndAgain(faulty, run, options.killEverySeconds)
  try {
    await Promise.all(loops)
    return {
      kills: await killing,
      faults: faulty.injector.counts,
      elapsedMs: performance.now() - startedMs,
    }
  } finally {
    run.stop.abort()
    await killing
    faulty.injector.stop()
  }
}

async function killAgainAndAgain(
  faulty: FaultySpanwire,
  run: { readonly endMs: number; readonly stop: AbortController },
  everySeconds: number | undefined,
): Promise<number> {
  if (everySeconds === undefined) return 0
  let kills = 0
  const { signal } = run.stop
  while (performance.now() + everySeconds * 1000 < run.endMs) {
    await delay(everySeconds * 1000, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    await faulty.restart()
    kills++
  }
  return kills
}
