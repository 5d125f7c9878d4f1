import type { Expr, Query } from '../sql/query-tree.ts'
import { OID } from '../types/pg-type.ts'
import type { Emission, Place } from './emission.ts'
import { plainOperator } from './emit-call.ts'
import { isFloat } from './emulator-guards.ts'
import { typeOf } from './expression-type.ts'
import { NotPushable } from './not-pushable.ts'
import { operand } from './operand.ts'

type SubLink = Extract<Expr, { readonly kind: 'SubLink' }>

/** A subquery in an expression. */
export function emitSubLink(emission: Emission, link: SubLink, place: Place): string {
  const { location } = link
  switch (link.linkType) {
    case 'exists':
      return `EXISTS (${emission.select(link.query, { parent: place.scope, onlyExists: true }).sql})`
    case 'expr':
      return `(${oneColumn(emission, link.query, place)})`
    case 'array':
      return `ARRAY(${oneColumn(emission, link.query, place)})`
    case 'any':
    case 'all':
      return emitQuantified(emission, link, place)
    case 'rowcompare':
      throw new NotPushable('a comparison of a row with a subquery', { location })
    case 'multiexpr':
    case 'cte':
      throw new NotPushable('a subquery of several columns', { location })
  }
}

/** A subquery that ORDER BY adds nothing to but order: what it is sorted by does not come out. */
function oneColumn(emission: Emission, query: Query, place: Place): string {
  return emission.select(query, { parent: place.scope }).sql
}

/** `a = ANY (SELECT ..)`, `a NOT IN (SELECT ..)`, `(a, b) IN (SELECT ..)`, `a > ALL (SELECT ..)`. */
function emitQuantified(emission: Emission, link: SubLink, place: Place): string {
  return emitIn(emission, link, place) ?? emitByCases(emission, link, place)
}

/** `a IN (SELECT ..)`: where PostgreSQL's equality is Spanner's and nothing is cast on the subquery's side. */
function emitIn(emission: Emission, link: SubLink, place: Place): string | undefined {
  const { test } = link
  if (test?.kind !== 'OpExpr' || test.args.length !== 2) return undefined
  const [left, right] = test.args
  const operator = plainOperator(emission.context, test.operator)
  if (operator !== (link.linkType === 'any' ? '=' : '<>')) return undefined
  if (left === undefined || right === undefined || !isFirstColumn(right)) return undefined
  if (!emission.context.capabilities.safeNumericKeysAndNullFloats && isDeadly(typeOf(left)))
    return undefined
  const value = operand(emission.expression(left, { ...place, noticesRange: false }))
  const word = link.linkType === 'any' ? 'IN' : 'NOT IN'
  return `${value} ${word} (${oneColumn(emission, link.query, place)})`
}

function isDeadly(typeOid: number): boolean {
  return isFloat(typeOid) || typeOid === OID.numeric
}

function isFirstColumn(expr: Expr): boolean {
  if (expr.kind === 'RelabelType') return isFirstColumn(expr.arg)
  return expr.kind === 'Param' && expr.paramKind === 'sublink' && expr.number === 1
}

/*
 * PostgreSQL:  (a, b) IN (SELECT x, y FROM q)
 * Spanner:     CASE WHEN EXISTS (SELECT 1 FROM (SELECT x AS c1, y AS c2 FROM q) AS t WHERE a = t.c1 AND b = t.c2) THEN true
 *                   WHEN EXISTS (.. WHERE (a = t.c1 AND b = t.c2) IS NULL) THEN NULL ELSE false END
 *
 * PostgreSQL:  a > ALL (SELECT x FROM q)
 * Spanner:     CASE WHEN EXISTS (.. WHERE (a > t.c1) IS FALSE) THEN false WHEN EXISTS (.. IS NULL) THEN NULL ELSE true END
 *
 * As a filter, where NULL is as good as false: EXISTS (.. WHERE a = t.c1 AND ..), NOT EXISTS (.. WHERE (a > t.c1) IS NOT TRUE)
 */
function emitByCases(emission: Emission, link: SubLink, place: Place): string {
  const { test, query, location } = link
  if (test === undefined) throw new NotPushable('a comparison with a subquery', { location })
  const inner = emission.select(query, { parent: place.scope, namesColumns: true })
  const alias = emission.newAlias()
  const sublinkColumns = inner.columns.map((_column, i) => `${alias}.c${i + 1}`)
  const condition = emission.expression(test, { ...place, noticesRange: false, sublinkColumns })
  const exists = (where: string) =>
    `EXISTS (SELECT 1 FROM (${inner.sql}) AS ${alias} WHERE ${where})`
  const isAny = link.linkType === 'any'
  if (place.isFilter === true) {
    return isAny ? exists(condition) : `NOT ${exists(`${operand(condition)} IS NOT TRUE`)}`
  }
  const decided = exists(isAny ? condition : `${operand(condition)} IS FALSE`)
  const unknown = exists(`${operand(condition)} IS NULL`)
  return `CASE WHEN ${decided} THEN ${isAny} WHEN ${unknown} THEN NULL ELSE ${!isAny} END`
}
