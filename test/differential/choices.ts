/**
 * Decisions of a generator, drawn from a list of numbers: the same numbers make the same statement, and where fast-check makes the
 * numbers fewer and smaller, the statement becomes simpler, because every list of alternatives begins with its simplest one.
 */
export class Choices {
  readonly #numbers: readonly number[]
  #next = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** A number from 0; 0 where no decisions are left. */
  below(count: number): number {
    const number = this.#numbers[this.#next] ?? 0
    this.#next += 1
    return count === 0 ? 0 : number % count
  }

  pick<T>(alternatives: readonly T[]): T {
    const found = alternatives[this.below(alternatives.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }

  /** One time in so many; never where no decisions are left. */
  isOneIn(count: number): boolean {
    return this.below(count) === count - 1
  }

  /** Between the two, both included. */
  times<T>(least: number, most: number, make: () => T): readonly T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make)
  }
}
