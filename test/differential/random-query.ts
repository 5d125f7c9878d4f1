import { OID } from '../../server/types/pg-type.ts'
import { condition, expression, type Ingredients, SCALARS, SORTABLE } from './random-expression.ts'

/** What a form makes: the parameters are where its ingredients say. */
export interface QueryText {
  readonly sql: string
  /** Its ORDER BY leaves no two rows where they like. */
  readonly isOrdered: boolean
}

export function unordered(sql: string): QueryText {
  return { sql, isOrdered: false }
}

export function ordered(sql: string): QueryText {
  return { sql, isOrdered: true }
}

/** Levels of an expression. */
export const DEPTH = 2

/** A condition that leaves some rows. */
export function rowsOf(from: Ingredients): string {
  const { choices } = from
  const few = `a.id <= ${4 + choices.below(30)}`
  return choices.isOneIn(2) ? `${few} AND ${condition(from, DEPTH)}` : few
}

/** An expression with an order. */
export function sortable(from: Ingredients): string {
  return expression(from, from.choices.pick(SORTABLE), DEPTH)
}

/** An expression of any type, interval and arrays among them. */
export function anything(from: Ingredients, depth = DEPTH): string {
  const types = [...SCALARS, OID.interval, OID.time, OID.int8Array, OID.textArray, OID.int4Array]
  return expression(from, from.choices.pick(types), depth)
}

const WITHOUT_TWINS = SORTABLE.filter(
  (type) => type !== OID.numeric && type !== OID.float8 && type !== OID.float4,
)

/** The same of a type whose equal values look alike: which of 1 and 1.0 stands for both in a group is nobody's promise. */
export function groupable(from: Ingredients, depth = DEPTH): string {
  return expression(from, from.choices.pick(WITHOUT_TWINS), depth)
}
