import type { Backend, BackendDatabase } from '../../server/backend/backend.ts'
import { BackendError, type BackendFailure } from '../../server/backend/backend-error.ts'
import {
  createSpannerBackend,
  type SpannerBackendOptions,
} from '../../server/spanner/spanner-backend.ts'
import { FakeSpanner } from './fake-spanner.ts'

/** A database whose server is scripted. */
export interface FakeDatabase {
  readonly fake: FakeSpanner
  readonly backend: Backend
  readonly database: BackendDatabase
}

/** Opens a database on a fake Spanner of its own; both end with the test. Calls made by opening are forgotten. */
export async function openFakeDatabase(
  teardown: (end: () => Promise<void>) => void,
  options: Partial<SpannerBackendOptions> = {},
): Promise<FakeDatabase> {
  const fake = await FakeSpanner.start()
  const backend = await createSpannerBackend({
    project: 'p',
    instance: 'i',
    endpoint: { kind: 'emulator', address: fake.address },
    channels: 1,
    ensureInstance: false,
    ...options,
  })
  const database = await backend.openDatabase('d', { timeoutMs: 10_000 })
  fake.calls.length = 0
  teardown(async () => {
    await backend.close()
    fake.stop()
  })
  return { fake, backend, database }
}

/** The failure that a promise rejects with; throws where it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<BackendFailure> {
  try {
    await promise
  } catch (error) {
    if (error instanceof BackendError) return error.failure
    throw error
  }
  throw new Error('it succeeded')
}
