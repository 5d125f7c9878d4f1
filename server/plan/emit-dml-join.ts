import type { Expr, FromNode, Query } from '../sql/query-tree.ts'
import type { Emission } from './emission.ts'
import type { WrittenTable } from './emit-dml.ts'
import { emitFrom } from './emit-from.ts'
import { someExpr } from './expression-tree.ts'
import { NotPushable } from './not-pushable.ts'

/** How the other tables of UPDATE .. FROM and DELETE .. USING come into the statement. */
export interface JoinedTables {
  /** The condition behind WHERE, over the written table. */
  readonly where: () => string
  /** A new value, as it is or looked up in the other tables. */
  readonly wrap: (expr: Expr, sql: string) => string
}

/*
 * PostgreSQL:  DELETE FROM t USING u WHERE u.id = t.uid
 * Spanner:     DELETE FROM "t" AS t1 WHERE EXISTS (SELECT 1 FROM "u" AS t2 WHERE t2."id" = t1."uid")
 *
 * PostgreSQL:  UPDATE t SET a = u.x FROM u WHERE u.id = t.uid
 * Spanner:     UPDATE "t" AS t1 SET "a" = (SELECT t2."x" FROM "u" AS t2 WHERE t2."id" = t1."uid")
 *              WHERE EXISTS (SELECT 1 FROM "u" AS t2 WHERE t2."id" = t1."uid")
 *
 * Where several rows of u belong to one of t, PostgreSQL takes any of them. One new value may then be any as well (LIMIT 1);
 * of several new values, which have to come from one row, Spanner refuses the statement (21000).
 */
export function openJoinedTables(emission: Emission, written: WrittenTable): JoinedTables {
  const { query } = written
  const others = query.from.filter((node) => !isTarget(query, node))
  if (others.length === 0) {
    return { where: () => emitCondition(emission, written), wrap: (_expr, sql) => sql }
  }
  if (others.length === query.from.length)
    throw new NotPushable('a join of the written table in FROM')
  if (query.returningList.some((target) => namesOthers(query, target.expr))) {
    throw new NotPushable('RETURNING columns of another table')
  }
  const looked = query.targetList.filter(
    (target) => !target.junk && namesOthers(query, target.expr),
  )
  const rows = () =>
    `${emitFrom(emission, written.scope, others)} WHERE ${emitCondition(emission, written)}`
  const one = looked.length === 1 ? ' LIMIT 1' : ''
  return {
    where: () => `EXISTS (SELECT 1${rows()})`,
    wrap: (expr, sql) => (namesOthers(query, expr) ? `(SELECT ${sql}${rows()}${one})` : sql),
  }
}

function emitCondition(emission: Emission, { query, scope }: WrittenTable): string {
  return query.where === undefined
    ? 'true'
    : emission.expression(query.where, { scope, isFilter: true })
}

function isTarget(query: Query, node: FromNode): boolean {
  return node.kind === 'RangeTableRef' && node.rtindex === query.resultRelation
}

function namesOthers(query: Query, expr: Expr): boolean {
  return someExpr(
    expr,
    (part) =>
      (part.kind === 'Var' && part.levelsUp === 0 && part.rtindex !== query.resultRelation) ||
      part.kind === 'SubLink',
  )
}
