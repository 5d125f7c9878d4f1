import { isAborted } from '../backend/backend-error.ts'
import { backOff, MAX_ATTEMPTS, MAX_ELAPSED_MS } from '../transaction/backoff.ts'
import type { SessionState } from './session-state.ts'

/** Answers that may wait for their transaction's end, so that it can be run again unseen. */
const MAX_HELD_BYTES = 1024 * 1024

interface Step {
  /** Where its answer lies in the output, relative to the start of the unit. */
  readonly start: number
  readonly end: number
  readonly run: () => Promise<void>
}

/**
 * The statements of one query string, or of one pipeline up to Sync. Outside BEGIN they form a transaction, and as long as none
 * of its answers has left, an ABORTED from Spanner is nobody's business but ours: the steps are run again, their answers written again
 * between the same other messages.
 */
export class ImplicitUnit {
  readonly #state: SessionState
  #mark: number
  #transactionNumber = 0
  #steps: Step[] = []

  constructor(state: SessionState) {
    this.#state = state
    this.#mark = state.io.output.length
  }

  /** Steps of the transaction so far. */
  get size(): number {
    return this.#isFollowing ? this.#steps.length : 0
  }

  get #isFollowing(): boolean {
    return this.#transactionNumber === this.#state.block.transactionNumber
  }

  /** Runs one statement; where Spanner aborts, everything since the start. */
  async run(step: () => Promise<void>): Promise<void> {
    this.#followTransaction()
    const start = this.#position()
    try {
      await step()
      this.#steps.push({ start, end: this.#position(), run: step })
    } catch (error) {
      if (!this.#mayRunAgain(error)) throw error
      this.#state.io.output.truncate(this.#mark + start)
      this.#steps.push({ start, end: start, run: step })
      await this.#runAgain(error)
    }
  }

  /** Ends the implicit transaction, if this is one; where Spanner aborts, after running all of it again. */
  async commit(): Promise<void> {
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

  /** Lets bytes leave when many have gathered: then the client has seen them, and nothing can be run again. */
  async relieve(): Promise<void> {
    const { block, io } = this.#state
    const limit = block.state === 'implicit' && block.hasWritten ? MAX_HELD_BYTES : 65_536
    if (io.output.length >= limit) await this.flush()
  }

  async flush(): Promise<void> {
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
    const { block, scope } = this.#state
    const deadline = performance.now() + MAX_ELAPSED_MS
    let aborted = first
    for (let attempt = 1; attempt < MAX_ATTEMPTS && performance.now() < deadline; attempt++) {
      await block.restart()
      await backOff(aborted, attempt, scope.signal)
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
        await step.run()
        renewed.push({ start, end: this.#position(), run: step.run })
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
