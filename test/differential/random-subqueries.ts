import { OID } from '../../server/types/pg-type.ts'
import { condition, expression, type Ingredients, SORTABLE } from './random-expression.ts'
import { anything, ordered, type QueryText, rowsOf, sortable, unordered } from './random-query.ts'
import { SAMPLES } from './tables.ts'

const CORRELATIONS = ['s.id < a.id', 's.i2 = a.i2', 's.b = a.b', 's.id = a.id + 1', 's.t > a.t']

/** A query that gives one value, of rows that have to do with the row at hand. */
function scalar(from: Ingredients, type: number): string {
  const { choices } = from
  const inner: Ingredients = { ...from, aliases: ['s'], level: 1 }
  const both: Ingredients = { ...inner, aliases: ['s', 'a'] }
  const where = `s.id <= 20 AND ${choices.pick(CORRELATIONS)}`
  return choices.pick([
    () =>
      `(SELECT ${expression(inner, type, 1)} FROM ${SAMPLES} AS s WHERE ${where} ORDER BY s.id DESC LIMIT 1)`,
    () =>
      `(SELECT ${expression(both, type, 1)} FROM ${SAMPLES} AS s WHERE ${where} ORDER BY ${sortable(inner)} NULLS LAST, s.id OFFSET 1 FETCH FIRST ROW ONLY)`,
    () =>
      `(WITH w AS (SELECT s.*, row_number() OVER (ORDER BY s.id) AS place FROM ${SAMPLES} AS s WHERE ${where}) SELECT ${expression({ ...inner, aliases: ['w'] }, type, 1)} FROM w WHERE w.place = 2)`,
  ])()
}

/** A subquery in each clause that may have one. */
export function scalarSubquery(from: Ingredients): QueryText {
  const { choices } = from
  const type = choices.pick([OID.int8, OID.text, OID.date, OID.numeric, OID.bool])
  const one = scalar(from, type)
  const value = expression(from, type, 1)
  const tail = `FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`
  const count = `(SELECT count(*) FROM ${SAMPLES} AS s WHERE s.id <= 20 AND ${choices.pick(CORRELATIONS)})`
  return choices.pick([
    unordered(`SELECT a.id, ${one} ${tail}`),
    unordered(`SELECT a.id, COALESCE(${one}, ${value}) ${tail}`),
    unordered(`SELECT a.id ${tail} AND ${one} IS DISTINCT FROM ${value}`),
    ordered(`SELECT a.id ${tail} ORDER BY ${one} DESC NULLS LAST, a.id`),
    unordered(`SELECT ${count} AS k, count(*), max(${value}::text) ${tail} GROUP BY 1`),
    unordered(
      `SELECT a.b, count(*) FROM ${SAMPLES} AS a WHERE a.id <= 20 GROUP BY a.b HAVING count(*) > (SELECT min(s.i2) FROM ${SAMPLES} AS s WHERE s.b = a.b)`,
    ),
    unordered(`SELECT a.id, CASE WHEN ${count} > 3 THEN ${one} ELSE ${value} END ${tail}`),
    unordered(`SELECT max(${count}), sum(a.id + ${count}) ${tail}`),
    unordered(`SELECT a.id FROM ${SAMPLES} AS a LIMIT 0 + (SELECT count(*) FROM ${SAMPLES})`),
    unordered(`SELECT a.id, ARRAY[${one}, ${value}] ${tail}`),
    unordered(
      `SELECT a.id, b.id FROM ${SAMPLES} AS a JOIN ${SAMPLES} AS b ON b.id = a.id + 1 AND ${one} IS NOT NULL WHERE a.id < 15`,
    ),
  ])
}

/** EXISTS, IN and the quantifiers, with what Spanner lacks in them. */
export function testedSubquery(from: Ingredients): QueryText {
  const { choices } = from
  const inner: Ingredients = { ...from, aliases: ['s'], level: 1 }
  const type = choices.pick(SORTABLE)
  const [value, other] = [expression(from, type, 1), expression(inner, type, 1)]
  const few = `FROM ${SAMPLES} AS s WHERE s.id <= ${3 + choices.below(9)}`
  const test = choices.pick([
    `${value} IN (SELECT ${other} ${few})`,
    `${value} NOT IN (SELECT ${other} ${few} AND ${other} IS NOT NULL)`,
    `${value} ${choices.pick(['=', '<', '>=', '<>'])} ${choices.pick(['ANY', 'ALL'])} (SELECT ${other} ${few})`,
    `EXISTS (SELECT ${few} AND ${choices.pick(CORRELATIONS)} AND ${condition(inner, 1)})`,
    `NOT EXISTS (SELECT 1 ${few} AND ${choices.pick(CORRELATIONS)} OFFSET 2)`,
    `(a.i4, a.t) IN (SELECT s.i8, s.v ${few})`,
    `(a.b, ${value}) NOT IN (SELECT s.b, ${other} ${few})`,
    `${value} IN (VALUES (${value}), (NULL))`,
    `ROW(a.id, a.i4) > (SELECT s.id, s.i2 ${few} ORDER BY s.id LIMIT 1)`,
    `${value} IN (SELECT ${other} ${few} UNION ALL SELECT ${other} ${few})`,
  ])
  return choices.isOneIn(2)
    ? unordered(`SELECT a.id FROM ${SAMPLES} AS a WHERE a.id <= 25 AND ${test}`)
    : unordered(`SELECT a.id, ${test}, ${anything(from, 1)} FROM ${SAMPLES} AS a WHERE a.id <= 25`)
}

export function lateral(from: Ingredients): QueryText {
  const { choices } = from
  const inner: Ingredients = { ...from, aliases: ['s'], level: 1 }
  const both: Ingredients = { ...inner, aliases: ['s', 'a'] }
  const join = choices.pick([',', 'LEFT JOIN', 'CROSS JOIN', 'JOIN'])
  const on = join === 'LEFT JOIN' || join === 'JOIN' ? ' ON true' : ''
  const item = choices.pick([
    `SELECT s.id, ${sortable(inner)} AS x FROM ${SAMPLES} AS s WHERE s.id < a.id ORDER BY s.id DESC LIMIT ${1 + choices.below(3)}`,
    `SELECT count(*) AS id, max(${expression(inner, OID.text, 1)}) AS x FROM ${SAMPLES} AS s WHERE ${choices.pick(CORRELATIONS)}`,
    `SELECT a.id * 2 AS id, ${sortable(from)} AS x`,
    `SELECT s.id, ${anything(both, 1)} AS x FROM ${SAMPLES} AS s WHERE s.id <= 3 AND ${choices.pick(CORRELATIONS)}`,
    `SELECT s.i2 AS id, count(*) AS x FROM ${SAMPLES} AS s WHERE s.id <= a.id GROUP BY s.i2`,
    `VALUES (a.id, ${expression(from, OID.text, 1)}), (0, 'none')`,
  ])
  return unordered(
    `SELECT a.id, l.* FROM ${SAMPLES} AS a ${join} LATERAL (${item}) AS l(y, x)${on} WHERE ${rowsOf(from)}`,
  )
}
