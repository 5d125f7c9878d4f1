import type { CallOptions } from '../backend/backend.ts'
import type { Capabilities } from '../backend/capabilities.ts'
import { toBackendError } from './status.ts'

/** What stands at the other end, as the name of the instance's configuration tells. */
export type ServerKind = 'google' | 'emulator' | 'embedded'

/**
 * One statement each that is planned, not run. All of them fail cleanly where they are not supported: the official emulator
 * dies of other statements that look as harmless.
 */
const PROBES = {
  uuidType: 'SELECT gen_random_uuid()',
  interval: "SELECT interval '1 day'",
  distinctFrom: 'SELECT 1 IS DISTINCT FROM 2',
  generateSeries: 'SELECT 1 FROM generate_series(1, 1)',
  jsonbFunctions: 'SELECT jsonb_build_array(1)',
  aggregateOrderBy: 'SELECT array_agg(x ORDER BY x) FROM unnest(ARRAY[1]) x',
} as const satisfies Partial<Record<keyof Capabilities, string>>

/** Plans a statement without running it. Rejects with a BackendError. */
export type Plan = (sql: string, options: CallOptions) => Promise<void>

/**
 * What the server can do: probed where a statement tells, else known from its kind. Rejects where a probe fails for another
 * reason than that the server refuses it.
 */
export async function probeCapabilities(
  kind: ServerKind,
  plan: Plan,
  options: CallOptions,
): Promise<Capabilities> {
  const probe = async (sql: string): Promise<boolean> => {
    try {
      await plan(sql, options)
      return true
    } catch (error) {
      const failure = toBackendError(error)
      if (failure.failure.kind === 'unsupported' || failure.failure.kind === 'sql') return false
      throw failure
    }
  }
  const names = Object.keys(PROBES) as (keyof typeof PROBES)[]
  const answers = await Promise.all(names.map((name) => probe(PROBES[name])))
  const probed = Object.fromEntries(names.map((name, index) => [name, answers[index] === true]))
  const isEmulator = kind === 'emulator'
  return {
    ...(probed as Record<keyof typeof PROBES, boolean>),
    concurrentWrites: !isEmulator,
    // Spanner's pages contradict each other; until it has been tried there, a failed statement counts as fatal.
    survivesStatementError: kind === 'embedded',
    forUpdate: !isEmulator,
    safeNumericKeysAndNullFloats: !isEmulator,
    partitionedDml: !isEmulator,
    sequenceStateIsNext: isEmulator,
    repeatableRead: !isEmulator,
  }
}
