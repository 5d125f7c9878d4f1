import type { RangeTableEntry } from '../sql/query-tree.ts'
import type { Emission } from './emission.ts'
import { NotPushable } from './not-pushable.ts'
import type { Scope } from './scope.ts'

const UNNEST = 2331

/*
 * PostgreSQL:  unnest(a, b) AS x (p, q)          the shorter array is filled with NULLs
 * Spanner:     (SELECT t2.c1 AS c1, t3.c1 AS c2 FROM unnest(a) WITH ORDINALITY AS t2(c1, c2)
 *               FULL JOIN unnest(b) WITH ORDINALITY AS t3(c1, c2) ON t2.c2 = t3.c2) AS t1
 */

/** Several arrays side by side, which Spanner's unnest does not take, as a query whose columns are c1, c2 ... */
export function emitUnnests(
  emission: Emission,
  scope: Scope,
  entry: Extract<RangeTableEntry, { readonly kind: 'function' }>,
): string {
  if (entry.lateral) throw new NotPushable('unnest of several columns of another table')
  const items = entry.functions.map((call) => {
    if (call.kind !== 'FuncExpr' || call.function !== UNNEST) throw new NotPushable('ROWS FROM')
    const array = call.args.map((arg) => emission.expression(arg, { scope, isOnce: true }))
    const alias = emission.newAlias()
    return { alias, sql: `unnest(${array.join(', ')}) WITH ORDINALITY AS ${alias}(c1, c2)` }
  })
  const numbers = items.map(({ alias }) => `${alias}.c2`)
  const joins = items.map(({ sql }, i) =>
    i === 0 ? sql : ` FULL JOIN ${sql} ON ${firstOf(numbers.slice(0, i))} = ${numbers[i]}`,
  )
  const columns = items.map(({ alias }, i) => `${alias}.c1 AS c${i + 1}`)
  if (entry.withOrdinality) columns.push(`${firstOf(numbers)} AS c${items.length + 1}`)
  return `SELECT ${columns.join(', ')} FROM ${joins.join('')}`
}

function firstOf(values: readonly string[]): string {
  return values.length === 1 ? values.join('') : `COALESCE(${values.join(', ')})`
}
