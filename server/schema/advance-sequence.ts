import type { BackendDatabase, CallOptions } from '../backend/backend.ts'
import { updateWhenFree } from './ddl-apply.ts'
import { quotePhysical, type Sequence } from './logical-schema.ts'
import { readTextRows } from './spanner-query.ts'

/*
 * setval() is asked for after rows came with ids of their own, so that the sequence gives none of them again. A bit-reversed sequence counts 1, 2, 3 ...
 * and gives the counter's bits in reverse, so that its values have no order; what is due then depends on where the ids came from.
 */

/** Draws that a sequence may make before one of them could be among ids that were given it without any change at Spanner. */
const SAFE_DRAWS = 1n << 32n

/** A sequence that is set to the last value of all can only be left with its last draw. */
const MAX_COUNTER = (1n << 63n) - 1n

/** Makes a sequence pass over all values up to `last`, whichever it gives then. Changes nothing where it cannot come to one of them. */
export async function advanceSequence(
  backend: BackendDatabase,
  sequence: Sequence,
  last: bigint,
  options: CallOptions,
): Promise<void> {
  const name = sequence.physicalName.replaceAll("'", "''")
  const [row] = await readTextRows(
    backend,
    `SELECT spanner.get_internal_sequence_state('${name}')::text`,
    options,
  )
  const change = changeFor(sequence, last, BigInt(row?.[0] ?? 0))
  if (change === undefined) return
  await updateWhenFree(
    backend,
    [`ALTER SEQUENCE ${quotePhysical(sequence.physicalName)} ${change}`],
    options,
  )
}

/** What ALTER SEQUENCE has to say, given the counter of the last draw; undefined: nothing. */
export function changeFor(
  { values, declared, nextvalSql }: Pick<Sequence, 'values' | 'declared' | 'nextvalSql'>,
  last: bigint,
  counter: bigint,
): string | undefined {
  if (values === 'ascending')
    return `RESTART COUNTER WITH ${within(ascendingCounter(declared, last + 1n))}`
  const shift = BigInt(/>> (\d+)\)$/.exec(nextvalSql)?.[1] ?? 0)
  const bits = 63 - Number(shift)
  if (last < 1n) return undefined
  const firstToCome = 1n << BigInt(bits - bitLength(last))
  if (firstToCome > counter + SAFE_DRAWS) return undefined
  const lastCounter = reverseBits(last, bits)
  // Its own: it gives nothing twice.
  if (lastCounter <= counter) return undefined
  // Ids that were counted up from 1 do not come that far; the first that another such sequence gives does.
  if (last < 1n << BigInt(bits - 1)) return `SKIP RANGE 1 ${((last + 1n) << shift) - 1n}`
  return `RESTART COUNTER WITH ${within(1n << BigInt(bitLength(lastCounter)))}`
}

function within(counter: bigint): bigint {
  return counter > MAX_COUNTER ? MAX_COUNTER : counter
}

/** The counter that gives `value`, or the next above it. Stepping sequences compute theirs from a counter that begins at one. */
function ascendingCounter({ start, increment }: Sequence['declared'], value: bigint): bigint {
  const [first, step] = [BigInt(start), BigInt(increment)]
  const isPlain = step === 1n && first >= 1n
  const counter = isPlain ? value : (value - first + step - 1n) / step + 1n
  return counter < 1n ? 1n : counter
}

function bitLength(value: bigint): number {
  return value.toString(2).length
}

function reverseBits(value: bigint, bits: number): bigint {
  return BigInt(`0b${[...value.toString(2).padStart(bits, '0')].reverse().join('')}`)
}
