import type {
  BackendTransaction,
  BatchResult,
  ExecuteOptions,
  ResultColumn,
  RowBatch,
  RowStream,
  SpannerStatement,
} from '../backend/backend.ts'
import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'

/** src/backend/tcop/postgres.c, ProcessInterrupts. */
export function lockTimeout(): PgError {
  return new PgError(SQL_STATE.lockNotAvailable, 'canceling statement due to lock timeout')
}

/** What is called of an attempt while it goes on. */
export type ImpatientTransaction = Pick<BackendTransaction, 'execute' | 'executeBatch' | 'commit'>

/**
 * A transaction whose statements are given up with 55P03 when they have had no answer for `timeoutMs` (0: never). Spanner does not
 * say whether a statement waits for locks: until its first answer comes it counts as waiting. Commit is left alone: the locks are
 * its transaction's already.
 */
export function withLockTimeout(
  attempt: BackendTransaction,
  timeoutMs: number,
): ImpatientTransaction {
  if (timeoutMs === 0) return attempt
  return {
    execute: (statement, options) =>
      new ImpatientStream(attempt, statement, { options, timeoutMs }),
    executeBatch: (statements, options) =>
      executeBatch(attempt, statements, { options, timeoutMs }),
    commit: (options) => attempt.commit(options),
  }
}

interface ImpatientCall {
  readonly options: ExecuteOptions
  readonly timeoutMs: number
}

/** The time without an answer to one call. */
class LockWait {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly signal: AbortSignal

  constructor({ timeoutMs, options: { signal } }: ImpatientCall) {
    this.#timer = setTimeout(() => this.#controller.abort(lockTimeout()), timeoutMs)
    const own = this.#controller.signal
    this.signal = signal === undefined ? own : AbortSignal.any([signal, own])
  }

  /** An answer has come, or none is waited for any more. */
  end(): void {
    clearTimeout(this.#timer)
  }

  /** What a failure of the call comes to. */
  explain(error: unknown): unknown {
    this.end()
    return this.#controller.signal.aborted ? this.#controller.signal.reason : error
  }
}

async function executeBatch(
  attempt: BackendTransaction,
  statements: readonly SpannerStatement[],
  call: ImpatientCall,
): Promise<BatchResult> {
  const wait = new LockWait(call)
  try {
    return await attempt.executeBatch(statements, { ...call.options, signal: wait.signal })
  } catch (error) {
    throw wait.explain(error)
  } finally {
    wait.end()
  }
}

class ImpatientStream implements RowStream {
  readonly #wait: LockWait
  readonly #stream: RowStream

  constructor(attempt: BackendTransaction, statement: SpannerStatement, call: ImpatientCall) {
    this.#wait = new LockWait(call)
    this.#stream = attempt.execute(statement, { ...call.options, signal: this.#wait.signal })
  }

  columns(): Promise<readonly ResultColumn[]> {
    return this.#untilAnswer(() => this.#stream.columns())
  }

  next(): Promise<RowBatch | undefined> {
    return this.#untilAnswer(() => this.#stream.next())
  }

  rowCount(): bigint | undefined {
    return this.#stream.rowCount()
  }

  cancel(): void {
    this.#wait.end()
    this.#stream.cancel()
  }

  async #untilAnswer<T>(call: () => Promise<T>): Promise<T> {
    try {
      const answer = await call()
      this.#wait.end()
      return answer
    } catch (error) {
      throw this.#wait.explain(error)
    }
  }
}
