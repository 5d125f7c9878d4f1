import { differenceOf, type Outcome } from './outcome.ts'
import type { RandomStatement } from './random-statement.ts'
import type { TestedServer } from './servers.ts'

/** What became of one statement on the server that is held to PostgreSQL. */
export type Verdict =
  | { readonly kind: 'equal' }
  /** 0A000: Spanwire does not push it down. */
  | { readonly kind: 'unsupported'; readonly message: string }
  /** Both fail; where a statement has several reasons, which one is met first is nobody's promise. */
  | { readonly kind: 'both-failed' }
  /** PostgreSQL fails for a value that the result does not depend on (another argument is NULL): Spanner may not compute it. */
  | { readonly kind: 'postgresql-failed' }
  /** A value came up that Spanner has none of, and emulation is off: a date before year 1 or after 9999, an infinite numeric. */
  | { readonly kind: 'beyond-spanner' }
  | { readonly kind: 'different'; readonly difference: string }

/** Errors of data: a subquery of several rows, a CHECK of a domain, class 22, and what numeric_int4 and its like say of NaN. */
const DATA = /^22|^21000|^23514|^0A000 cannot convert /

/** Emulation is off: SELECTs with such values are emulated. */
const BEYOND_SPANNER = /^22008 |^22003 Cannot cast (?:infinity to PG\.NUMERIC|to double from)/

/** Runs a statement on both. Throws where the statement itself is wrong. */
export async function checkStatement(
  reference: TestedServer,
  server: TestedServer,
  { sql, isOrdered, parameters }: RandomStatement,
): Promise<Verdict> {
  const expected = withoutSignsOfZero(await reference.run(sql, parameters))
  if (expected.kind === 'error' && !isOfData(expected) && expected.code !== '0A000')
    throw new Error(`PostgreSQL does not take ${sql}: ${expected.code} ${expected.message}`)
  const found = withoutSignsOfZero(await server.run(sql, parameters))
  if (expected.kind === 'error' && found.kind === 'error' && isOfData(found))
    return { kind: 'both-failed' }
  if (expected.kind === 'error' && found.kind === 'error' && expected.code === found.code)
    return { kind: 'both-failed' }
  if (found.kind === 'error' && found.code === '0A000') return unsupported(found.message)
  if (expected.kind === 'error' && found.kind === 'rows') return { kind: 'postgresql-failed' }
  const isBeyond =
    server.emulation === 'off' &&
    found.kind === 'error' &&
    BEYOND_SPANNER.test(`${found.code} ${found.message}`)
  if (isBeyond) return { kind: 'beyond-spanner' }
  const difference = differenceOf(expected, found, isOrdered)
  return difference === undefined ? { kind: 'equal' } : { kind: 'different', difference }
}

/** What Spanwire itself refuses begins so; everything else is a refusal of Spanner's, which must not be asked for what it does not have. */
function unsupported(message: string): Verdict {
  return message.startsWith('Spanner cannot run this: ')
    ? { kind: 'unsupported', message }
    : { kind: 'different', difference: `refused by Spanner: ${message}` }
}

function isOfData({ code, message }: Extract<Outcome, { kind: 'error' }>): boolean {
  return DATA.test(`${code} ${message}`)
}

const FLOATS = [700, 701]

/** 0 and -0 are equal: which of them stands for both in a group, or is the greatest, is nobody's promise. */
function withoutSignsOfZero(outcome: Outcome): Outcome {
  if (outcome.kind !== 'rows' || !outcome.types.some((type) => FLOATS.includes(type)))
    return outcome
  const rows = outcome.rows.map((row) =>
    row.map((cell, i) => (cell === '-0' && FLOATS.includes(outcome.types[i] ?? 0) ? '0' : cell)),
  )
  return { ...outcome, rows }
}
