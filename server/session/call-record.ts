import { PgError } from '../base/pg-error.ts'
import { SQL_STATE } from '../base/sql-state.ts'
import { unreachable } from '../base/unreachable.ts'
import type { PerformedFunction } from '../sql/performed-functions.ts'
import { notSupported } from './client-error.ts'
import { PERFORMED_SIGNATURES } from './performed-signatures.ts'

/*
 * PostgreSQL:  SELECT id FROM jobs WHERE pg_try_advisory_lock(id) LIMIT 1       jobs 1, 2, 3; somebody holds 1
 * first run:   calls (1), told true: it is the first row                         performed: (1) is false
 * second run:  calls (1), told false; (2), (3), told false: no row               performed: (2) is true
 * third run:   calls (1), told false; (2), told true: row 2                      nothing new was told: this is the answer
 *
 * A statement with calls of the session's functions runs in the companion with stand-ins in their place. A stand-in gives what is known of its call, in the order
 * of the calls, and a guess where nothing is; the run says what was called. Then the calls that nobody has answered yet are performed, in that order, up
 * to the first whose answer was guessed wrong: of what came behind it nobody knows whether PostgreSQL would call it. The statement is run again until
 * nothing is told but answers. Whatever was performed stays performed, and is told again.
 *
 * Values of sequences may have gaps: they are told in the order of each sequence's calls, and drawn for all calls of a run at once.
 */

/** A call as its stand-in tells of it. */
export interface HeardCall {
  readonly name: PerformedFunction
  readonly args: readonly (string | null)[]
}

/** Does what calls are for. */
export interface Performer {
  /** Gives the text of the result. */
  perform(call: HeardCall): Promise<string | null>
  /** Gives the next values of a sequence. */
  draw(sequence: string, count: number): Promise<readonly string[]>
}

/** What stand-ins tell in one run. */
export interface Answers {
  /** From where random() begins in each run, so that it makes the same calls: 0 to 1. */
  readonly seed: number
  /** In the order of the calls of all functions but nextval. */
  readonly performed: readonly (string | null)[]
  /** Of nextval, by the sequence's name as a regclass prints it. */
  readonly drawn: ReadonlyMap<string, readonly string[]>
  /** What functions are thought to give that give true or false. */
  readonly guesses: ReadonlyMap<PerformedFunction, 't' | 'f'>
}

/** What nextval is thought to give: within the bounds of all sequences. */
export const ANY_VALUE = '1'

/** Functions after whose calls the statement is run again although the answers are known: what else it says may depend on what they do. */
export type IsSeen = (call: HeardCall) => boolean

/** The calls of one statement. */
export class CallRecord {
  readonly #isSeen: IsSeen
  readonly #seed = Math.random()
  readonly #performed: { readonly call: HeardCall; readonly answer: string | null }[] = []
  readonly #drawn = new Map<string, string[]>()
  #guesses: Answers['guesses'] = new Map()
  #heard: HeardCall[] = []

  constructor(isSeen: IsSeen) {
    this.#isSeen = isSeen
  }

  answers(): Answers {
    return {
      seed: this.#seed,
      performed: this.#performed.map(({ answer }) => answer),
      drawn: this.#drawn,
      guesses: this.#guesses,
    }
  }

  /** A run begins. */
  begin(): void {
    this.#heard = []
  }

  hear(call: HeardCall): void {
    this.#heard.push(call)
  }

  /**
   * Performs what the run called first, and says whether its result is the statement's. Rejects with what `performer` rejects with, and with 0A000 where the
   * calls are others than before.
   */
  async settle(performer: Performer): Promise<boolean> {
    const { told, wanted } = this.#compare()
    const wasTrue = await this.#perform(performer, told)
    for (const [sequence, count] of wanted)
      this.#drawnFrom(sequence).push(...(await performer.draw(sequence, count)))
    return wasTrue && wanted.size === 0
  }

  /** The sequences that the last run drew from, with what it was told last of each; the one that it drew from last is the last. */
  lastDrawn(): ReadonlyMap<string, string> {
    const counts = new Map<string, number>()
    for (const call of this.#heard) {
      const sequence = sequenceOf(call)
      if (sequence === undefined) continue
      const count = counts.get(sequence) ?? 0
      counts.delete(sequence)
      counts.set(sequence, count + 1)
    }
    const last = new Map<string, string>()
    for (const [sequence, count] of counts) {
      const value = this.#drawn.get(sequence)?.[count - 1]
      if (value !== undefined) last.set(sequence, value)
    }
    return last
  }

  #drawnFrom(sequence: string): string[] {
    const drawn = this.#drawn.get(sequence) ?? []
    this.#drawn.set(sequence, drawn)
    return drawn
  }

  /** `told`: calls that nobody has answered, before the first draw of a value that was guessed. `wanted`: values that were guessed. */
  #compare(): { told: readonly HeardCall[]; wanted: ReadonlyMap<string, number> } {
    const told: HeardCall[] = []
    const wanted = new Map<string, number>()
    const draws = new Map<string, number>()
    let count = 0
    for (const call of this.#heard) {
      const sequence = sequenceOf(call)
      if (sequence === undefined) {
        const known = this.#performed[count++]
        if (known !== undefined) this.#demandSame(known.call, call)
        else if (wanted.size === 0) told.push(call)
        continue
      }
      const draw = draws.get(sequence) ?? 0
      draws.set(sequence, draw + 1)
      if (draw >= (this.#drawn.get(sequence)?.length ?? 0))
        wanted.set(sequence, (wanted.get(sequence) ?? 0) + 1)
    }
    return { told, wanted }
  }

  /** A setting may change how an argument is written. */
  #demandSame(known: HeardCall, call: HeardCall): void {
    const isSame =
      known.name === call.name &&
      (known.args.join('\0') === call.args.join('\0') ||
        this.#performed.some((performed) => performed.call.name === 'set_config'))
    if (!isSame) {
      throw notSupported(
        `function ${call.name} whose calls depend on the clock or on random values`,
        'Select the values first.',
      )
    }
  }

  /** Whether the answers were those that the run was told, and nothing else of it may depend on what was done. */
  async #perform({ perform }: Performer, calls: readonly HeardCall[]): Promise<boolean> {
    const guesses = new Map(this.#guesses)
    let isSettled = true
    for (const call of calls) {
      const answer = await perform(call)
      this.#performed.push({ call, answer })
      if (answer === 't' || answer === 'f') guesses.set(call.name, answer)
      if (this.#isSeen(call)) isSettled = false
      if (answer !== guessOf(call, this.#guesses)) {
        isSettled = false
        break
      }
    }
    this.#guesses = guesses
    return isSettled
  }
}

/** What a stand-in tells where the answer is not known. */
function guessOf({ name, args }: HeardCall, guesses: Answers['guesses']): string | null {
  const { guess } = PERFORMED_SIGNATURES[name]
  switch (guess) {
    case 'nothing':
      return ''
    case 'boolean':
      return guesses.get(name) ?? 't'
    case 'second argument':
      return args[1] ?? null
    case 'any value':
      return ANY_VALUE
    default:
      return unreachable(guess)
  }
}

function sequenceOf({ name, args }: HeardCall): string | undefined {
  return name === 'nextval' ? (args[0] ?? '') : undefined
}

/** Runs of one statement. */
export const MAX_RUNS = 1_000

/** 54000: the answers did not come to an end. */
export function tooManyRuns(): PgError {
  return new PgError(
    SQL_STATE.programLimitExceeded,
    `functions of the session were answered ${MAX_RUNS} times otherwise than expected`,
    { hint: 'Call them for fewer rows.' },
  )
}
