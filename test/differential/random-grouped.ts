import { OID } from '../../server/types/pg-type.ts'
import { condition, expression, type Ingredients, SCALARS, SORTABLE } from './random-expression.ts'
import type { QueryText } from './random-query.ts'
import { SAMPLES } from './tables.ts'

/** Aggregates whose value does not depend on the order of the rows. */
const AGGREGATES = [
  'count(*)',
  'count(a.t)',
  'count(DISTINCT a.i8)',
  'sum(a.i4)',
  'sum(a.i2)',
  'avg(a.i8)',
  'max(a.n)',
  'min(a.f8)',
  'max(a.tz)',
  'sum(a.n2)',
  'bool_or(a.b)',
  'max(lower(a.t))',
  'bit_or(a.i4)',
  'count(*) FILTER (WHERE a.id > 5)',
]

export function grouped(from: Ingredients): QueryText {
  const { choices } = from
  const key = expression({ ...from, need: 'maybe' }, choices.pick(SORTABLE), 2)
  const values = choices.times(1, 3, () => choices.pick(AGGREGATES))
  const having = choices.pick(['', ' HAVING count(*) > 1', ' HAVING max(a.id) > 3'])
  return {
    sql: `SELECT ${key} AS k, ${values.join(', ')} FROM ${SAMPLES} AS a WHERE a.id <= 25 GROUP BY ${choices.pick(['1', key])}${having}`,
    isOrdered: false,
  }
}

/**
 * Groups of the primary key: columns and expressions of them stand in the select list, HAVING and ORDER BY as they are (manual, section 7.2.3:
 * they depend on the key).
 */
export function groupedByKey(from: Ingredients): QueryText {
  const { choices } = from
  const safe: Ingredients = { ...from, need: 'maybe' }
  const keys = choices.isOneIn(4) ? `a.id, ${expression(safe, OID.text, 1)}` : 'a.id'
  return {
    sql: `SELECT a.id, ${ofGroups(safe)} FROM ${SAMPLES} AS a WHERE a.id <= 25 GROUP BY ${keys}${having(safe)} ${orderBy(safe)}`,
    isOrdered: true,
  }
}

/** The same over a join: the rows of the other table are many, and aggregated. */
export function groupedByJoinedKey(from: Ingredients): QueryText {
  const { choices } = from
  const safe: Ingredients = { ...from, need: 'maybe' }
  const join = choices.pick(['JOIN', 'LEFT JOIN'])
  const on = choices.pick(['b.id < a.id', 'b.i2 = a.i2', 'b.b = a.b', 'b.id % 3 = a.id % 3'])
  const both = choices.pick(AGGREGATES).replaceAll('a.', 'b.')
  return {
    sql: `SELECT a.id, ${both}, ${ofGroups(safe)} FROM ${SAMPLES} AS a ${join} ${SAMPLES} AS b ON ${on} AND b.id <= 20 WHERE a.id <= 20 GROUP BY a.id${having(safe)} ${orderBy(safe)}`,
    isOrdered: true,
  }
}

/** What a row of a group may say: what depends on its key, and aggregates. */
function ofGroups(from: Ingredients): string {
  const { choices } = from
  const forms = [
    () => expression(from, choices.pick(SCALARS), 2),
    () => choices.pick(AGGREGATES),
    () => `(${expression(from, OID.int8, 1)} IS DISTINCT FROM count(*))`,
    () => `max(${expression(from, OID.text, 1)})`,
  ]
  return choices.times(1, 3, () => choices.pick(forms)()).join(', ')
}

function having(from: Ingredients): string {
  const { choices } = from
  const forms = [
    () => '',
    () => ` HAVING ${condition(from, 2)}`,
    () => ` HAVING count(*) > 0 AND ${condition(from, 1)}`,
    () => ` HAVING max(a.i8) >= ${expression(from, OID.int8, 1)}`,
  ]
  return choices.pick(forms)()
}

function orderBy(from: Ingredients): string {
  const { choices } = from
  const key = () => expression(from, choices.pick(SORTABLE), 1)
  const forms = [
    () => 'ORDER BY a.id',
    () => `ORDER BY ${key()}, a.id`,
    () => `ORDER BY count(*), ${key()}, a.id`,
  ]
  return choices.pick(forms)()
}
