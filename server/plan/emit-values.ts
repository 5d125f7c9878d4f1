import type { Emission } from './emission.ts'
import type { Rows } from './rows-of-query.ts'
import type { Scope } from './scope.ts'

/*
 * PostgreSQL:  (VALUES (1, 'a'), (2, 'b')) AS v (x, y)
 * Spanner:     (SELECT 1 AS c1, 'a' AS c2 UNION ALL SELECT 2, 'b') AS t1
 */

/** A list of rows as a query whose columns are c1, c2 ... */
export function emitValueRows(emission: Emission, scope: Scope, rows: Rows): string {
  return rows
    .map((row, i) => {
      const cells = row.map((cell, column) => {
        const sql = emission.expression(cell, { scope, isOnce: true })
        return i === 0 ? `${sql} AS c${column + 1}` : sql
      })
      return `SELECT ${cells.join(', ')}`
    })
    .join(' UNION ALL ')
}
