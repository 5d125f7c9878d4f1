/** Numbers that look random and are the same for the same seed: what a failed run did can be done again. */
export interface Random {
  /** From 0 up to but not 1. */
  next(): number
  /** True with the given probability. */
  chance(probability: number): boolean
  /** A whole number from 0 up to but not `limit`. */
  below(limit: number): number
  pick<T>(choices: readonly T[]): T
}

/** The generator mulberry32 (Tommy Ettinger): 32 bits of state, good enough to choose by. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick<T>(choices: readonly T[]): T {
      const [first, ...others] = choices
      if (first === undefined) throw new Error('nothing to choose from')
      return others[below(choices.length) - 1] ?? first
    },
  }
}
