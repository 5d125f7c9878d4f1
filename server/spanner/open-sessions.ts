import type { CallOptions } from '../backend/backend.ts'
import type { BackendFailureKind } from '../backend/backend-error.ts'
import { beginTransaction, rollbackTransaction } from './begin-and-rollback.ts'
import type { ServerKind } from './capabilities.ts'
import { type MultiplexedSessionOptions, MultiplexedSessions } from './multiplexed-sessions.ts'
import type { Sessions } from './session.ts'
import type { SessionClient } from './session-client.ts'
import { SessionPool } from './session-pool.ts'
import { toBackendError } from './status.ts'
import { readWriteOptions } from './transaction-options.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How many sessions a database gets, and for how long. What is left out has a default. */
export interface SessionSettings {
  /** Regular sessions that are kept when nobody needs them: 1. */
  readonly min?: number | undefined
  /** Regular sessions at a time: 400. */
  readonly max?: number | undefined
  /** How long a session is waited for at most: 60 s. */
  readonly acquireTimeoutMs?: number | undefined
  /** Regular sessions beyond the minimum go after so long without use: 10 min. */
  readonly idleReleaseMs?: number | undefined
  /** Whether a multiplexed session is used where the server has them: true. */
  readonly multiplexed?: boolean | undefined
}

/**
 * The sessions of a database: one multiplexed session where the server can run concurrent read-write transactions on it, else a
 * pool of regular ones. Rejects with a BackendError, of kind `database-not-found` for instance.
 */
export async function openSessions(
  client: SessionClient,
  kind: ServerKind,
  settings: SessionSettings,
  options: CallOptions,
): Promise<Sessions> {
  const shared = {
    acquireTimeoutMs: settings.acquireTimeoutMs ?? MINUTE_MS,
    maxAgeMs: 7 * DAY_MS,
    leakAfterMs: HOUR_MS,
    housekeepingMs: MINUTE_MS,
  }
  // The emulator makes multiplexed sessions, and runs one transaction at a time on them.
  if (kind !== 'emulator' && settings.multiplexed !== false) {
    const multiplexed = await openMultiplexed(client, shared, options)
    if (multiplexed !== undefined) return multiplexed
  }
  const pool = new SessionPool(client, {
    ...shared,
    minSessions: settings.min ?? 1,
    maxSessions: settings.max ?? 400,
    idleReleaseMs: settings.idleReleaseMs ?? 10 * MINUTE_MS,
    keepAliveMs: 30 * MINUTE_MS,
  })
  try {
    await pool.warmUp(options)
  } catch (error) {
    await pool.close()
    throw toBackendError(error)
  }
  return pool
}

/** Failures that regular sessions would meet as well. */
const SAYS_NOTHING_OF_SESSIONS: ReadonlySet<BackendFailureKind> = new Set<BackendFailureKind>([
  'cancelled',
  'database-not-found',
  'deadline-exceeded',
  'unauthenticated',
  'unavailable',
])

/** Undefined where the server has none, or none that read-write transactions can share. */
async function openMultiplexed(
  client: SessionClient,
  settings: MultiplexedSessionOptions,
  options: CallOptions,
): Promise<Sessions | undefined> {
  const sessions = new MultiplexedSessions(client, settings)
  try {
    await sessions.warmUp(options)
    if (await givesTokens(client, sessions, options)) return sessions
  } catch (error) {
    const failure = toBackendError(error)
    if (SAYS_NOTHING_OF_SESSIONS.has(failure.failure.kind)) {
      await sessions.close()
      throw failure
    }
  }
  await sessions.close()
  return undefined
}

/** A server that knows precommit tokens gives one with the begin of a read-write transaction. */
async function givesTokens(
  client: SessionClient,
  sessions: Sessions,
  options: CallOptions,
): Promise<boolean> {
  const session = await sessions.acquire(options)
  try {
    const begin = readWriteOptions({ isolation: 'serializable' })
    const { id, precommitToken } = await beginTransaction(client, session, begin, options)
    await rollbackTransaction(client, session, id)
    return precommitToken !== undefined
  } finally {
    sessions.release(session)
  }
}
