import { OID } from '../../server/types/pg-type.ts'
import { condition, expression, type Ingredients } from './random-expression.ts'
import {
  anything,
  groupable,
  ordered,
  type QueryText,
  rowsOf,
  sortable,
  unordered,
} from './random-query.ts'
import { SAMPLES } from './tables.ts'

const GROUPING_SETS = [
  'ROLLUP (a.b, a.i2)',
  'CUBE (a.b, a.i2)',
  'GROUPING SETS ((a.b), (a.i2), ())',
  'a.b, ROLLUP (a.i2)',
  'GROUPING SETS ((a.b, a.i2), ROLLUP (a.b), ())',
  'DISTINCT ROLLUP (a.b, a.i2), ROLLUP (a.b)',
  'CUBE ((a.b, a.i2), a.i2)',
]
const AGGREGATES = ['count(*)', 'sum(a.i4)', 'max(a.t)', 'bool_and(a.b)', 'min(a.d)', 'avg(a.n)']

export function groupingSets(from: Ingredients): QueryText {
  const { choices } = from
  const having = choices.pick([
    '',
    ' HAVING count(*) > 1',
    ' HAVING GROUPING(a.b) = 0',
    ' HAVING GROUPING(a.b, a.i2) IN (1, 3) OR max(a.id) > 9',
  ])
  const [one, two] = [choices.pick(AGGREGATES), choices.pick(AGGREGATES)]
  const sort = choices.pick([
    '',
    ' ORDER BY GROUPING(a.b) DESC, a.b, a.i2 NULLS FIRST, GROUPING(a.i2), count(*) LIMIT 6',
  ])
  return unordered(
    `SELECT a.b, a.i2, GROUPING(a.b, a.i2), CASE GROUPING(a.i2) WHEN 1 THEN 'all' ELSE a.i2::text END, ${one}, ${two} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)} GROUP BY ${choices.pick(GROUPING_SETS)}${having}${sort}`,
  )
}

/** Aggregates of expressions: with DISTINCT, FILTER, ORDER BY, and what is made of them. */
export function aggregated(from: Ingredients): QueryText {
  const { choices } = from
  const value = sortable(from)
  const number = expression(from, choices.pick([OID.int4, OID.int2, OID.numeric]), 2)
  const test = condition(from, 1)
  const calls = [
    `array_agg(${value} ORDER BY a.id DESC)`,
    `array_agg(DISTINCT ${groupable(from)})`,
    `string_agg(a.t, ',' ORDER BY a.t DESC NULLS LAST, a.id)`,
    `string_agg(DISTINCT ${expression(from, OID.text, 1)}, '|')`,
    `string_agg(a.t, a.v ORDER BY a.id)`,
    `jsonb_agg(${value} ORDER BY a.id)`,
    `json_agg(a.t ORDER BY a.id) FILTER (WHERE ${test})`,
    `jsonb_object_agg(a.id, ${value})`,
    `json_object_agg(a.id, a.i4 ORDER BY a.id)`,
    `array_agg(DISTINCT a.i2 ORDER BY a.i2 DESC NULLS LAST)`,
    `count(DISTINCT ${value}) FILTER (WHERE ${test})`,
    `count((a.i4, a.t))`,
    `count(DISTINCT (a.b, a.i2))`,
    `sum(${number})`,
    `sum(DISTINCT ${number})`,
    `avg(${number})`,
    `max(${value}::text)`,
    `min(${expression(from, OID.text, 2)})`,
    `max(${expression(from, OID.interval, 1)})`,
    `sum(${expression(from, OID.interval, 1)})`,
    `max(a.md)::text`,
    `min(a.am)`,
    `sum(a.mo)`,
    `max(a.ip)`,
    `max(${expression(from, OID.int8Array, 1)})`,
    `every(${test})`,
    `bool_or(${test}) FILTER (WHERE a.id > 3)`,
    `bit_and(a.i4)`,
    `bit_or(a.b3)`,
    `variance(a.i2)`,
    `stddev_pop(a.i2)`,
    `range_agg(int8range(a.id, a.id + 1))::text`,
    `array_agg(a.id || ':' ORDER BY a.id)`,
    `COALESCE(sum(a.i2) FILTER (WHERE ${test}), 0) * 100.0 / NULLIF(count(*), 0)`,
  ]
  const list = choices.times(1, 2, () => choices.pick(calls)).join(', ')
  const group = choices.pick(['a.b', 'a.i2', 'a.id % 3', 'a.md', groupable(from)])
  return choices.isOneIn(4)
    ? unordered(`SELECT ${list} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`)
    : unordered(
        `SELECT ${group} AS k, ${list}, ${choices.pick(AGGREGATES)} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)} GROUP BY 1${choices.pick(['', ' HAVING count(*) > 1'])}`,
      )
}

const ORDERED_SETS = [
  'percentile_cont(0.5) WITHIN GROUP (ORDER BY a.i8)',
  'percentile_cont(0.25) WITHIN GROUP (ORDER BY a.iv)',
  'percentile_cont(ARRAY[0.1, NULL, 1]) WITHIN GROUP (ORDER BY a.i4 DESC)',
  'percentile_disc(0.25) WITHIN GROUP (ORDER BY a.t)',
  'percentile_disc(ARRAY[0, 0.9]) WITHIN GROUP (ORDER BY a.d)',
  'mode() WITHIN GROUP (ORDER BY a.b)',
  'mode() WITHIN GROUP (ORDER BY a.i2 DESC)',
  'rank(3) WITHIN GROUP (ORDER BY a.i4)',
  `dense_rank('b', 2) WITHIN GROUP (ORDER BY a.t DESC, a.i2)`,
  'percent_rank(0) WITHIN GROUP (ORDER BY a.i2 NULLS FIRST)',
  'cume_dist(1.5) WITHIN GROUP (ORDER BY a.n) FILTER (WHERE a.b)',
  'every(a.b)',
  'regr_count(a.i4, a.i2)',
]

export function orderedSet(from: Ingredients): QueryText {
  const { choices } = from
  const group = choices.pick(['', ' GROUP BY a.b', ' GROUP BY ROLLUP (a.b)'])
  return unordered(
    `SELECT ${choices.pick(ORDERED_SETS)}, ${choices.pick(AGGREGATES)} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}${group}`,
  )
}

export function distinctOn(from: Ingredients): QueryText {
  const { choices } = from
  const key = sortable(from)
  const second = choices.pick(['', ', a.b', ', a.i2 DESC'])
  const on = second === '' ? key : `${key}${second.replace(' DESC', '')}`
  return ordered(
    `SELECT DISTINCT ON (${on}) ${key} AS k, a.id, ${anything(from)} FROM ${SAMPLES} AS a WHERE ${rowsOf(from)} ORDER BY ${key}${second}, a.id${choices.pick(['', ' DESC', ' LIMIT 4', ' OFFSET 1'])}`,
  )
}

export function withTies(from: Ingredients): QueryText {
  const { choices } = from
  const key = choices.pick(['a.b', 'a.i2', 'a.id % 5', 'length(a.t)', 'a.md', 'a.iv'])
  return unordered(
    `SELECT ${key} AS k, a.id FROM ${SAMPLES} AS a WHERE ${rowsOf(from)} ORDER BY 1 ${choices.pick(['', 'DESC ', 'NULLS FIRST '])}FETCH FIRST ${1 + choices.below(6)} ROWS WITH TIES`,
  )
}

/** DISTINCT and GROUP BY of any values with an order. */
export function distinctRows(from: Ingredients): QueryText {
  const { choices } = from
  const arrays = [OID.int8Array, OID.textArray]
  const value = () =>
    choices.isOneIn(5) ? expression(from, choices.pick(arrays), 1) : groupable(from, 1)
  const [one, two] = [value(), value()]
  const tail = `FROM ${SAMPLES} AS a WHERE ${rowsOf(from)}`
  return choices.pick([
    unordered(`SELECT DISTINCT ${one}, a.b ${tail}`),
    unordered(`SELECT count(DISTINCT ${one}), count(DISTINCT (${one}, ${two})) ${tail}`),
    unordered(`SELECT ${one} AS k1, ${two} AS k2, count(*) ${tail} GROUP BY k1, k2`),
    ordered(`SELECT DISTINCT ${one} AS x ${tail} ORDER BY x DESC`),
    ordered(`SELECT DISTINCT ${one} AS x ${tail} ORDER BY x NULLS FIRST LIMIT 5`),
    unordered(
      `SELECT x, count(*) FROM (SELECT DISTINCT ${one} AS x, ${two} ${tail}) AS q GROUP BY x`,
    ),
  ])
}
