import type { CallRule } from '../sql/dialect.ts'
import { operand } from './operand.ts'

/*
 * PostgreSQL:  a + b            of integers: 22003 where the sum leaves the range of integer
 * Spanner:     (a + b) * 4294967296 / 4294967296
 *
 * Spanner computes in 64 bits. A value within 32 bits times 2^32 fits into 64 bits exactly, and the division gives it back; a value
 * outside of them overflows, which is 22003 as well.
 */
const FACTORS = { int2: 2n ** 48n, int4: 2n ** 32n } as const

/** Whether it is a literal that needs no check. */
function isWithin(sql: string, range: NonNullable<CallRule['resultRange']>): boolean {
  const digits = /^\(?(-?\d+)\)?$/.exec(sql)?.[1]
  if (digits === undefined || range === 'float4') return false
  const limit = range === 'int4' ? 2n ** 31n : 2n ** 15n
  return BigInt(digits) >= -limit && BigInt(digits) < limit
}

/** The call's SQL so that it fails where PostgreSQL's would have left the range of its type. */
export function checkedRange(sql: string, range: NonNullable<CallRule['resultRange']>): string {
  if (isWithin(sql, range)) return sql
  if (range === 'float4') return `${operand(sql)}::float4`
  const factor = FACTORS[range]
  return `${operand(sql)} * ${factor} / ${factor}`
}
