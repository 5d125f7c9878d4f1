import { differenceOf, type Outcome } from './outcome.ts'
import type { Rule } from './rules.ts'
import type { TestedServer } from './servers.ts'
import { planSweep, type SweepPlan } from './sweep-plan.ts'
import { expressionsOf, selectOf, tuplesBut } from './swept-expression.ts'

/*
 * A sweep holds the rows of the allow-list to PostgreSQL over the values of their argument types: all tuples of values for which
 * PostgreSQL has an answer, and one for each SQLSTATE with which it refuses others. Expressions over the same columns that never fail share a
 * statement; where it is not answered as it should be, each is asked by itself.
 */

/** What a row came to on one server. */
export interface SweepResult {
  readonly rule: Rule
  readonly differences: string[]
  /** Statements that the server answered with 0A000. */
  readonly unsupported: string[]
  /** Expressions that were answered at least once. */
  answered: number
}

interface Swept {
  readonly plan: SweepPlan
  readonly result: SweepResult
}

const MOST_IN_ONE = 12

/** Sweeps operators, functions and casts. */
export async function sweepRules(
  reference: TestedServer,
  server: TestedServer,
  rules: readonly Rule[],
): Promise<readonly SweepResult[]> {
  const results: SweepResult[] = []
  const batches = new Map<string, Swept[]>()
  for (const rule of rules) {
    const result: SweepResult = { rule, differences: [], unsupported: [], answered: 0 }
    results.push(result)
    for (const expression of expressionsOf(rule)) {
      const swept = { plan: await planSweep(reference, expression), result }
      // Nobody shares a statement with an expression that is not for this server.
      const isShared = swept.plan.left.length === 0 && isExpected(rule, server)
      const names = expression.columns.map(({ name }) => name).join()
      if (!isShared) await sweepAlone(server, swept)
      else batches.set(names, [...(batches.get(names) ?? []), swept])
    }
  }
  for (const batch of batches.values()) {
    for (let at = 0; at < batch.length; at += MOST_IN_ONE)
      await sweepTogether(server, batch.slice(at, at + MOST_IN_ONE))
  }
  return results
}

/** Whether the server has what a row needs. */
export function isExpected(rule: Rule, server: TestedServer): boolean {
  return rule.needs === undefined || server.capabilities[rule.needs]
}

async function sweepTogether(server: TestedServer, batch: readonly Swept[]): Promise<void> {
  const [first, ...rest] = batch
  if (first === undefined) return
  const { expression } = first.plan
  const sql = selectOf(
    [expression, ...rest.map(({ plan }) => plan.expression)],
    tuplesBut(expression, []),
  )
  const found = await server.run(sql)
  const isAnswered =
    found.kind === 'rows' && batch.every((swept, i) => isRight(swept.plan, found, i + 1))
  if (isAnswered) for (const { result } of batch) result.answered += 1
  else for (const swept of batch) await sweepAlone(server, swept)
}

/** Whether a column of the rows is what PostgreSQL says. */
function isRight(
  plan: SweepPlan,
  found: Extract<Outcome, { kind: 'rows' }>,
  column: number,
): boolean {
  return (
    found.types[column] === plan.typeOid &&
    found.rows.length === plan.values.size &&
    found.rows.every((row) => plan.values.get(row[0] ?? '') === row[column])
  )
}

async function sweepAlone(server: TestedServer, { plan, result }: Swept): Promise<void> {
  const { expression, left, refusals, typeOid, values } = plan
  const expected: Outcome = { kind: 'rows', types: [20, typeOid], rows: [...values] }
  await compare(server, result, {
    sql: selectOf([expression], tuplesBut(expression, left)),
    expected,
  })
  for (const { sql, code } of refusals)
    await compare(server, result, { sql, expected: { kind: 'error', code, message: '' } })
}

async function compare(
  server: TestedServer,
  result: SweepResult,
  { sql, expected }: { readonly sql: string; readonly expected: Outcome },
): Promise<void> {
  const found = await server.run(sql)
  const isAlike = expected.kind === 'error' && expected.code === '0A000'
  if (found.kind === 'error' && found.code === '0A000' && !isAlike) {
    result.unsupported.push(`${sql}: ${found.message}`)
    return
  }
  const difference = differenceOf(expected, found, false)
  if (difference === undefined) result.answered += 1
  else result.differences.push(`${sql}\n${difference}`)
}
