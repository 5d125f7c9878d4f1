import { isAborted } from '../backend/backend-error.ts'
import { backOff, MAX_ATTEMPTS, MAX_ELAPSED_MS } from '../transaction/backoff.ts'
import { writeCommandComplete } from '../wire/backend-messages.ts'
import type { RunnableStatement } from './bound-statement.ts'
import {
  type BatchOutcome,
  DmlBatch,
  failureInClientBatch,
  runDmlBatch,
  type WaitingStatement,
} from './dml-batch.ts'
import type { SessionState } from './session-state.ts'
import { publishStatement } from './statement-events.ts'

/** Answers that may wait for their transaction's end, so that it can be run again unseen. */
const MAX_HELD_BYTES = 1024 * 1024

interface Step {
  /** Where its answer lies in the output, relative to the start of the unit. */
  readonly start: number
  readonly end: number
  readonly run: () => Promise<void>
  /** What nothing was sent to Spanner for is done once: PREPARE, SET, a lock of the session. */
  readonly usesSpanner: boolean
}

interface BatchEnd {
  /** Nothing follows in the unit. */
  readonly isLast?: boolean
  /** The last tag is not written, but kept as {@link ImplicitUnit.heldTag}. */
  readonly holdsTag?: boolean
}

interface SentBatch {
  readonly waiting: readonly WaitingStatement[]
  /** What was written since the first of them was executed. */
  readonly between: Buffer
  readonly holdsTag: boolean
}

/**
 * The statements of one query string, or of one pipeline up to Sync. Outside BEGIN they form a transaction, and as long as none
 * of its answers has left, an ABORTED from Spanner is nobody's business but ours: the steps are run again, their answers written again
 * between the same other messages.
 */
export class ImplicitUnit {
  readonly #state: SessionState
  readonly #batch = new DmlBatch()
  #mark: number
  #transactionNumber = 0
  #heldTag = ''
  #steps: Step[] = []

  constructor(state: SessionState) {
    this.#state = state
    this.#mark = state.io.output.length
  }

  /** The tag that was not written. */
  get heldTag(): string {
    return this.#heldTag
  }

  /** Steps of the transaction so far. */
  get size(): number {
    return this.#isFollowing ? this.#steps.length : 0
  }

  get #isFollowing(): boolean {
    return this.#transactionNumber === this.#state.block.transactionNumber
  }

  /** Keeps DML without RETURNING back, to be sent with what follows it; its CommandComplete belongs where the output ends now. */
  async defer(bound: RunnableStatement, batchNumber?: number): Promise<void> {
    this.#followTransaction()
    if (!this.#batch.hasRoomFor(bound)) await this.runBatch()
    this.#batch.add({ bound, at: this.#position(), batchNumber })
  }

  /** Sends what was kept back. */
  async runBatch({ isLast = false, holdsTag = false }: BatchEnd = {}): Promise<void> {
    const waiting = this.#batch.take()
    const [first] = waiting
    if (first === undefined) return
    const { output } = this.#state.io
    const between = output.copyFrom(this.#mark + first.at)
    output.truncate(this.#mark + first.at)
    const isSole = isLast && this.#steps.length === 0 && this.#state.block.state === 'implicit'
    await this.#runStep(async () => {
      const outcome = await this.#sendBatch(waiting, isSole)
      this.#writeBatch({ waiting, between, holdsTag }, outcome)
    })
  }

  /** Runs one statement; where Spanner aborts, everything since the start. */
  async run(step: () => Promise<void>): Promise<void> {
    await this.runBatch()
    this.#followTransaction()
    await this.#runStep(step)
  }

  async #sendBatch(waiting: readonly WaitingStatement[], isSole: boolean): Promise<BatchOutcome> {
    const startedAt = performance.now()
    const statements = waiting.map(({ bound }) => bound)
    const outcome = await runDmlBatch(this.#state, statements, isSole)
    for (const [index, bound] of statements.slice(0, outcome.tags.length + 1).entries()) {
      const error = index < outcome.tags.length ? undefined : outcome.error
      publishStatement(this.#state, bound, { startedAt, error })
    }
    return outcome
  }

  /** Each tag goes where its statement was executed, between what was written meanwhile. */
  #writeBatch(batch: SentBatch, { tags, error }: BatchOutcome): void {
    const { output } = this.#state.io
    const { waiting, between } = batch
    const start = waiting[0]?.at ?? 0
    let taken = 0
    for (const [index, statement] of waiting.entries()) {
      const { at, batchNumber } = statement
      output.bytes(between.subarray(taken, at - start))
      taken = at - start
      const tag = tags[index]
      if (tag === undefined) throw failureInClientBatch(this.#state, statement, error)
      if (batchNumber !== undefined) continue
      if (batch.holdsTag && index === waiting.length - 1) this.#heldTag = tag
      else writeCommandComplete(output, tag)
    }
    output.bytes(between.subarray(taken))
  }

  async #runStep(step: () => Promise<void>): Promise<void> {
    const start = this.#position()
    const { block } = this.#state
    const sent = block.statementsSent
    try {
      await step()
      const usesSpanner = block.statementsSent > sent
      this.#steps.push({ start, end: this.#position(), run: step, usesSpanner })
    } catch (error) {
      if (!this.#mayRunAgain(error)) throw error
      this.#state.io.output.truncate(this.#mark + start)
      this.#steps.push({ start, end: start, run: step, usesSpanner: true })
      await this.#runAgain(error)
    }
  }

  /** Ends the implicit transaction, if this is one; where Spanner aborts, after running all of it again. */
  async commit({ holdsTag = false } = {}): Promise<void> {
    await this.runBatch({ isLast: true, holdsTag })
    const { block, scope } = this.#state
    if (block.state !== 'implicit') return
    for (;;) {
      try {
        await block.commit(scope.callOptions())
        return
      } catch (error) {
        if (!this.#mayRunAgain(error)) throw error
        await this.#runAgain(error)
      }
    }
  }

  /**
   * Lets bytes leave when many have gathered: then the client has seen them, and nothing can be run again. Undefined where there
   * is nothing to wait for, as after most rows.
   */
  relieve(): Promise<void> | undefined {
    const { block, io } = this.#state
    const limit = block.state === 'implicit' && block.hasWritten ? MAX_HELD_BYTES : 65_536
    return io.output.length >= limit ? this.flush() : undefined
  }

  async flush(): Promise<void> {
    await this.runBatch()
    if (this.#position() > 0) this.#state.block.answerSent()
    await this.#state.io.flush()
    this.#mark = 0
  }

  /** What ran in a transaction that is over is never run again with a later one. */
  #followTransaction(): void {
    if (this.#isFollowing) return
    this.#transactionNumber = this.#state.block.transactionNumber
    this.#steps = []
    this.#mark = this.#state.io.output.length
  }

  #position(): number {
    return this.#state.io.output.length - this.#mark
  }

  #mayRunAgain(error: unknown): boolean {
    return isAborted(error) && this.#state.block.mayRestart
  }

  async #runAgain(first: unknown): Promise<void> {
    const { block, scope, database } = this.#state
    const deadline = performance.now() + MAX_ELAPSED_MS
    let aborted = first
    for (let attempt = 1; attempt < MAX_ATTEMPTS && performance.now() < deadline; attempt++) {
      await block.restart()
      await backOff(aborted, attempt, database.backend, scope.signal)
      try {
        await this.#replaySteps()
        return
      } catch (error) {
        if (!isAborted(error)) throw error
        aborted = error
      }
    }
    throw aborted
  }

  /** Writes the output of the unit anew: what stood between the steps as it was, the steps' own answers as they come. */
  async #replaySteps(): Promise<void> {
    const { output } = this.#state.io
    const old = output.copyFrom(this.#mark)
    const steps = this.#steps
    const renewed: Step[] = []
    output.truncate(this.#mark)
    let taken = 0
    try {
      for (const step of steps) {
        output.bytes(old.subarray(taken, step.start))
        const start = this.#position()
        if (step.usesSpanner) await step.run()
        else output.bytes(old.subarray(step.start, step.end))
        renewed.push({ ...step, start, end: this.#position() })
        taken = step.end
      }
    } catch (error) {
      if (isAborted(error)) {
        output.truncate(this.#mark)
        output.bytes(old)
      }
      throw error
    }
    output.bytes(old.subarray(taken))
    this.#steps = renewed
  }
}
