import type { Expr, Query } from '../sql/query-tree.ts'
import type { Emission } from './emission.ts'
import type { WrittenTable } from './emit-dml.ts'
import { NotPushable } from './not-pushable.ts'
import { outputsOf } from './query-outputs.ts'

type SubLink = Extract<Expr, { readonly kind: 'SubLink' }>

/*
 * PostgreSQL:  UPDATE t SET (a, b) = (SELECT x, y FROM u WHERE u.id = t.id)
 * Spanner:     UPDATE "t" AS t1 SET "a" = (SELECT t2."x" ..), "b" = (SELECT t3."y" ..) WHERE ..
 *
 * The tree has the subquery once, as a column that is not written, and parameters whose number is the subquery's
 * number times 65536 plus the column's.
 */
export function multiExprColumns(
  emission: Emission,
  written: WrittenTable,
): (number: number) => string {
  return (number) => {
    const link = written.query.targetList
      .map((target) => target.expr)
      .find((expr): expr is SubLink => expr.kind === 'SubLink' && expr.id === number >> 16)
    if (link === undefined) throw new NotPushable('a subquery of several columns')
    const query = withOneColumn(link.query, number & 0xffff)
    return `(${emission.select(query, { parent: written.scope }).sql})`
  }
}

function withOneColumn(query: Query, column: number): Query {
  const output = outputsOf(query)[column - 1]
  const isShaped = query.setOperations !== undefined || query.distinctClause.length > 0
  if (output === undefined || isShaped) throw new NotPushable('such a subquery of several columns')
  const targetList = query.targetList.map((target) =>
    target === output ? target : { ...target, junk: true },
  )
  return { ...query, targetList }
}
