import type { Query, RangeTableEntry } from '../sql/query-tree.ts'
import type { Emission } from './emission.ts'
import { subqueriesOf } from './expression-tree.ts'
import { NotPushable } from './not-pushable.ts'
import type { Scope } from './scope.ts'

type CteEntry = Extract<RangeTableEntry, { readonly kind: 'cte' }>

/*
 * PostgreSQL:  WITH x AS (SELECT ..) SELECT .. FROM x             Spanner:  the same
 * PostgreSQL:  WITH x AS (SELECT ..) UPDATE ..; in a subquery     Spanner:  (SELECT ..) AS t1 wherever x is named
 *
 * Spanner takes WITH before a SELECT statement alone. A statement reads one snapshot, so that a query that is written out
 * twice gives the same rows twice.
 */

/** `WITH w1 AS (..), ` for the CTEs of a statement; those that nothing names are not evaluated, as in PostgreSQL. */
export function emitWith(emission: Emission, scope: Scope): string {
  const used = scope.query.ctes.filter((cte) => isNamed(scope.query, cte.name, 0))
  if (used.length === 0) return ''
  const items = used.map((cte) => {
    const { sql } = emission.select(cte.query, { parent: scope, namesColumns: true })
    return `${scope.cteAlias(cte.name)} AS (${sql})`
  })
  return `WITH ${items.join(', ')} `
}

/** A CTE in FROM: by its name where the statement has one for it, else written out. */
export function emitCteReference(
  emission: Emission,
  scope: Scope,
  { entry, alias }: { readonly entry: CteEntry; readonly alias: string },
): string {
  if (entry.selfReference) throw new NotPushable('a recursive query')
  const { cte, scope: home } = scope.cte(entry.name, entry.levelsUp)
  if (cte.recursive) throw new NotPushable('a recursive query')
  if (home.namesCtes) return `${home.cteAlias(cte.name)} AS ${alias}`
  const { sql } = emission.select(cte.query, { parent: home, namesColumns: true })
  return `(${sql}) AS ${alias}`
}

/** Whether a query, so many levels below the one that declares the CTE, names it anywhere. */
function isNamed(query: Query, name: string, levels: number): boolean {
  return (
    query.rangeTable.some(
      (entry) => entry.kind === 'cte' && entry.name === name && entry.levelsUp === levels,
    ) || subqueriesOf(query).some((subquery) => isNamed(subquery, name, levels + 1))
  )
}
