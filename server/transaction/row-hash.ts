import type { RowBatch } from '../backend/backend.ts'

/**
 * A hash of one row over its encoded cells: an integer below 2^53. Two lanes of multiply and xor, finished as MurmurHash3 is; not
 * against an adversary, only against chance (two different rows agree once in 2^53 times).
 */
export function hashRow(batch: RowBatch, row: number): number {
  const { bytes, starts, ends, columnCount } = batch
  let high = 0x9e3779b9
  let low = 0x85ebca6b
  for (let cell = row * columnCount; cell < (row + 1) * columnCount; cell++) {
    const end = ends[cell] ?? 0
    for (let at = starts[cell] ?? 0; at < end; at++) {
      const byte = bytes[at] ?? 0
      high = Math.imul(high ^ byte, 2654435761)
      low = Math.imul(low ^ byte, 1597334677)
    }
    // Where a cell ends is part of the row: ('a', 'bc') is not ('ab', 'c').
    high = Math.imul(high ^ 0x100, 2654435761)
    low = Math.imul(low ^ 0x1ff, 1597334677)
  }
  return combine(mix(high ^ (low >>> 13)), mix(low ^ (high >>> 16)))
}

/** The hash of a sequence that ended in `chain` and goes on with `hash`. */
export function chainHash(chain: number, hash: number): number {
  const high = Math.imul(upper(chain) ^ upper(hash), 2654435761)
  const low = Math.imul(chain ^ hash ^ (high >>> 7), 1597334677)
  return combine(mix(high), mix(low))
}

/** The hash of a multiset: sums of its members' halves, so that order does not count. */
export function addHash(sum: number, hash: number): number {
  return combine(upper(sum) + upper(hash), (sum >>> 0) + (hash >>> 0))
}

function upper(hash: number): number {
  return Math.floor(hash / 2 ** 32)
}

function combine(high: number, low: number): number {
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0)
}

function mix(half: number): number {
  const once = Math.imul(half ^ (half >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return twice ^ (twice >>> 16)
}
