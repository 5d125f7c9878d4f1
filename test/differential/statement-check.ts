import { differenceOf, type Outcome } from './outcome.ts'
import type { TestedServer } from './servers.ts'

/** What became of one statement on the server that is held to PostgreSQL. */
export type Verdict =
  | { readonly kind: 'equal' }
  /** 0A000: Spanwire does not push it down, or Spanner refuses it. */
  | { readonly kind: 'unsupported'; readonly message: string }
  /** Both fail; where a statement has several reasons, which one is met first is nobody's promise. */
  | { readonly kind: 'both-failed' }
  /** PostgreSQL fails for a value that the result does not depend on (another argument is NULL): Spanner may not compute it. */
  | { readonly kind: 'postgresql-failed' }
  /** A date before year 1 or after 9999 came up, which Spanner has none of. */
  | { readonly kind: 'beyond-calendar' }
  | { readonly kind: 'different'; readonly difference: string }

/** Errors of data, class 22. */
const DATA = /^22/

/** Runs a statement on both. Throws where the statement itself is wrong. */
export async function checkStatement(
  reference: TestedServer,
  server: TestedServer,
  statement: { readonly sql: string; readonly isOrdered: boolean },
): Promise<Verdict> {
  const { sql, isOrdered } = statement
  const expected = withoutSignsOfZero(await reference.run(sql))
  if (expected.kind === 'error' && !DATA.test(expected.code) && expected.code !== '0A000')
    throw new Error(`PostgreSQL does not take ${sql}: ${expected.code} ${expected.message}`)
  const found = withoutSignsOfZero(await server.run(sql))
  if (found.kind === 'error' && found.code === '0A000')
    return { kind: 'unsupported', message: found.message }
  if (expected.kind === 'error' && found.kind === 'error' && DATA.test(found.code))
    return { kind: 'both-failed' }
  if (expected.kind === 'error' && found.kind === 'rows') return { kind: 'postgresql-failed' }
  if (found.kind === 'error' && /is out of supported range/.test(found.message))
    return { kind: 'beyond-calendar' }
  const difference = differenceOf(expected, found, isOrdered)
  return difference === undefined ? { kind: 'equal' } : { kind: 'different', difference }
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
