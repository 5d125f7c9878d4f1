import { setTimeout as sleep } from 'node:timers/promises'
import type { BackendDatabase, CallOptions } from '../backend/backend.ts'
import { BackendError } from '../backend/backend-error.ts'
import { toPlainPgError } from './backend-words.ts'
import { toDdlPgError } from './ddl-errors.ts'
import type { SpannerDdl } from './emit-spanner-ddl.ts'
import type { StoredObject } from './physical-schema.ts'

const FIRST_PAUSE_MS = 20
const MAX_PAUSE_MS = 1_000

/**
 * Sends a batch to Spanner and then records it. Where either fails, what of the batch is in force and can be taken back is taken
 * back, and the failure comes in PostgreSQL's words; `rows` are those of the schema that was to be.
 */
export async function applyDdl(
  backend: BackendDatabase,
  statements: readonly SpannerDdl[],
  rows: readonly StoredObject[],
  { options, record }: { readonly options: CallOptions; readonly record: () => Promise<void> },
): Promise<void> {
  try {
    await updateWhenFree(
      backend,
      statements.map(({ sql }) => sql),
      options,
    )
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    const applied = error.appliedStatements ?? 0
    await takeBack(backend, statements.slice(0, applied), options)
    throw toDdlPgError(error, rows, statements[applied]?.table)
  }
  try {
    await record()
  } catch (error) {
    await takeBack(backend, statements, options)
    throw error instanceof BackendError ? toPlainPgError(error) : error
  }
}

/** UpdateDatabaseDdl; waits while other changes, or on the emulator other transactions, are in the way. */
export async function updateWhenFree(
  backend: BackendDatabase,
  statements: readonly string[],
  options: CallOptions,
): Promise<void> {
  if (statements.length === 0) return
  const deadlineMs = performance.now() + options.timeoutMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      await backend.updateDdl(statements, options)
      return
    } catch (error) {
      const isBusy = error instanceof BackendError && error.failure.kind === 'ddl-conflict'
      if (!isBusy || (error.appliedStatements ?? 0) > 0) throw error
      if (performance.now() + pauseMs > deadlineMs) throw error
    }
    await sleep(pauseMs, undefined, options.signal === undefined ? {} : { signal: options.signal })
  }
}

/** The last first. What cannot be taken back stays: the schema is read anew after a failure. */
async function takeBack(
  backend: BackendDatabase,
  statements: readonly SpannerDdl[],
  options: CallOptions,
): Promise<void> {
  const undo = statements.flatMap((statement) => statement.undo ?? []).reverse()
  try {
    await updateWhenFree(backend, undo, options)
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
  }
}
