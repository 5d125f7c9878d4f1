import { OID } from '../../server/types/pg-type.ts'
import type { Choices } from './choices.ts'
import type { Makers } from './makers.ts'
import { condition, constant, expression, type Ingredients, SORTABLE } from './random-expression.ts'
import {
  type QueryText,
  type RandomStatement,
  randomStatement,
  withParameters,
} from './random-statement.ts'
import { RANKED, SAMPLES } from './tables.ts'

const DEPTH = 2

/** Any SELECT over the differential tables: mostly of forms that Spanner does not have, by the choices. */
export function randomSelect(choices: Choices, makers: Makers): RandomStatement {
  const forms = [
    computed,
    windowed,
    windowed,
    distinctOn,
    groupingSets,
    overGroups,
    overResult,
    topOfJoin,
    partsOfWindow,
    recursive,
    lateral,
    setReturning,
    orderedAggregate,
    orderedSet,
    withTies,
    overView,
    joinedUsing,
    arrayOfRows,
    commonTable,
  ]
  return choices.isOneIn(4)
    ? randomStatement(choices, makers)
    : withParameters(choices.pick(forms), { choices, makers, aliases: ['a'], need: 'maybe' })
}

function unordered(sql: string): QueryText {
  return { sql, isOrdered: false }
}

function ordered(sql: string): QueryText {
  return { sql, isOrdered: true }
}

function rows(from: Ingredients): string {
  const { choices } = from
  const few = `a.id <= ${4 + choices.below(30)}`
  return choices.isOneIn(2) ? `${few} AND ${condition(from, DEPTH)}` : few
}

function sortable(from: Ingredients): string {
  return expression(from, from.choices.pick(SORTABLE), DEPTH)
}

/** Functions of texts that Spanner does not have. */
const TEXT_FUNCTIONS: readonly ((text: string) => string)[] = [
  (text) => `md5(${text})`,
  (text) => `initcap(${text})`,
  (text) => `quote_literal(${text})`,
  (text) => `translate(${text}, 'abc', 'xy')`,
  (text) => `format('%s-%L', ${text}, ${text})`,
  (text) => `overlay(${text} placing 'zz' from 2 for 1)`,
  (text) => `length(convert_to(${text}, 'UTF8'))`,
  (text) => `(${text} COLLATE "C" < 'b')`,
  (text) => `(${text} SIMILAR TO '%(b|c)%')`,
  (text) => `to_tsvector('simple', ${text})::text`,
]
/** The same of other types. */
const OTHER_FUNCTIONS: readonly (readonly [type: number, call: (value: string) => string])[] = [
  [OID.numeric, (value) => `to_char(${value}, 'FM999999990.099')`],
  [OID.int4, (value) => `to_hex(${value})`],
  [OID.int4, (value) => `(${value} # 5)`],
  [OID.numeric, (value) => `width_bucket(${value}, 0, 100, 7)`],
  [OID.timestamptz, (value) => `to_char(${value}, 'YYYY-MM-DD HH24:MI:SS.US TZ')`],
  [OID.timestamp, (value) => `date_trunc('week', ${value})`],
  [OID.timestamp, (value) => `(${value} - timestamp '2000-01-01')`],
  [OID.date, (value) => `extract(isodow from ${value})`],
  [OID.jsonb, (value) => `jsonb_pretty(${value})`],
  [OID.jsonb, (value) => `jsonb_path_query_array(${value}, 'strict $.**', silent => true)`],
  [OID.bytea, (value) => `encode(${value}, 'base64')`],
  [OID.uuid, (value) => `(${value}::text || 'x')`],
]

function beyondSpanner(from: Ingredients): string {
  const { choices } = from
  if (choices.isOneIn(2)) {
    const [type, call] = choices.pick(OTHER_FUNCTIONS)
    return call(expression(from, type, 1))
  }
  return choices.pick(TEXT_FUNCTIONS)(expression(from, OID.text, 1))
}

function computed(from: Ingredients): QueryText {
  const values = from.choices.times(1, 2, () => beyondSpanner(from)).join(', ')
  return unordered(
    `SELECT a.id, ${values}, ${sortable(from)} FROM ${SAMPLES} AS a WHERE ${rows(from)}`,
  )
}

const WINDOW_FUNCTIONS: readonly ((value: string) => string)[] = [
  () => 'row_number()',
  () => 'rank()',
  () => 'dense_rank()',
  () => 'percent_rank()',
  () => 'cume_dist()',
  () => 'ntile(3)',
  () => 'count(*)',
  () => 'sum(a.i4)',
  () => 'avg(a.i8)',
  () => 'max(a.t)',
  () => 'count(*) FILTER (WHERE a.id > 5)',
  (value) => `lag(${value})`,
  (value) => `lead(${value}, 2)`,
  (value) => `first_value(${value})`,
  (value) => `last_value(${value})`,
  (value) => `nth_value(${value}, 2)`,
]
const FRAMES = [
  '',
  ' ROWS BETWEEN 1 PRECEDING AND CURRENT ROW',
  ' ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
  ' GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
  ' RANGE UNBOUNDED PRECEDING EXCLUDE TIES',
]

function windowed(from: Ingredients): QueryText {
  const { choices } = from
  const calls = choices.times(1, 2, () => {
    const partition = choices.isOneIn(2) ? `PARTITION BY ${sortable(from)} ` : ''
    const order = `ORDER BY ${sortable(from)}${choices.pick(['', ' DESC', ' NULLS FIRST'])}, a.id`
    const call = choices.pick(WINDOW_FUNCTIONS)(sortable(from))
    return `${call} OVER (${partition}${order}${choices.pick(FRAMES)})`
  })
  return unordered(
    `SELECT a.id, ${calls.join(', ')} FROM ${SAMPLES} AS a WHERE ${rows(from)}${choices.pick(['', ' ORDER BY a.id LIMIT 5'])}`,
  )
}

function distinctOn(from: Ingredients): QueryText {
  const key = sortable(from)
  return ordered(
    `SELECT DISTINCT ON (${key}) ${key} AS k, a.id, ${sortable(from)} FROM ${SAMPLES} AS a WHERE ${rows(from)} ORDER BY ${key}, a.id`,
  )
}

const GROUPING_SETS = [
  'ROLLUP (a.b, a.i2)',
  'CUBE (a.b, a.i2)',
  'GROUPING SETS ((a.b), (a.i2), ())',
  'a.b, ROLLUP (a.i2)',
]
const AGGREGATES = ['count(*)', 'sum(a.i4)', 'max(a.t)', 'bool_and(a.b)', 'min(a.d)', 'avg(a.n)']

function groupingSets(from: Ingredients): QueryText {
  const { choices } = from
  const having = choices.pick(['', ' HAVING count(*) > 1', ' HAVING GROUPING(a.b) = 0'])
  return unordered(
    `SELECT a.b, a.i2, GROUPING(a.b, a.i2), ${choices.pick(AGGREGATES)}, ${choices.pick(AGGREGATES)} FROM ${SAMPLES} AS a WHERE ${rows(from)} GROUP BY ${choices.pick(GROUPING_SETS)}${having}`,
  )
}

const KEYS = ['a.b', 'a.i2', 'a.id % 3', 'length(a.t)', 'a.d', 'a.n', 'a.t']
const OF_GROUPS = [
  'count(*)',
  'count(a.t)',
  'count(DISTINCT a.i2)',
  'sum(a.i4)',
  'sum(a.n)',
  'max(a.t)',
  'min(a.d)',
  'max(a.ts)',
  'bool_and(a.b)',
  'count(*) FILTER (WHERE a.b)',
]

/** What is made of groups that Spanner can make. */
function overGroups(from: Ingredients): QueryText {
  const { choices } = from
  const key = choices.pick(KEYS)
  const [one, two] = [choices.pick(OF_GROUPS), choices.pick(OF_GROUPS)]
  const having = choices.pick(['', '', ' HAVING count(*) > 1'])
  const where = choices.isOneIn(2) ? rows(from) : 'true'
  const group = `FROM ${SAMPLES} AS a WHERE ${where} GROUP BY ${key}${having}`
  const rank = `rank() OVER (ORDER BY ${one} DESC, ${key})`
  return choices.pick([
    unordered(`SELECT ${key} AS k, ${one}, ${rank}, lag(${two}) OVER (ORDER BY ${key}) ${group}`),
    unordered(`SELECT md5((${key})::text), ${one} AS x, ${two} ${group} ORDER BY ${key} LIMIT 5`),
    unordered(`SELECT ${two}, rank() OVER (ORDER BY ${one}) FROM ${SAMPLES} AS a WHERE ${where}`),
    unordered(`SELECT DISTINCT ON (${one}) ${one}, ${key} ${group} ORDER BY ${one}, ${key}`),
    unordered(
      `SELECT ${key}, ${one} ${group} ORDER BY ${one} NULLS FIRST FETCH FIRST 3 ROWS WITH TIES`,
    ),
  ])
}

/** A result that Spanner can make, within what it cannot. */
function overResult(from: Ingredients): QueryText {
  const { choices } = from
  const where = choices.isOneIn(2) ? rows(from) : 'true'
  const query = choices.pick([
    `SELECT ${choices.pick(KEYS)} AS k, ${choices.pick(OF_GROUPS)} AS x FROM ${SAMPLES} AS a WHERE ${where} GROUP BY 1`,
    `SELECT DISTINCT ${choices.pick(KEYS)} AS k, a.b AS x FROM ${SAMPLES} AS a WHERE ${where}`,
    `SELECT a.id AS k, a.t AS x FROM ${SAMPLES} AS a WHERE ${where} ORDER BY a.id LIMIT ${1 + choices.below(9)}`,
  ])
  const test = choices.pick(['true', 'q.k IS NOT NULL', 'q.x IS NOT NULL', `md5(q.k::text) > '8'`])
  const outer = `SELECT q.k, q.x, count(*) OVER (PARTITION BY q.x) FROM`
  return choices.pick([
    unordered(`${outer} (${query}) AS q WHERE ${test}`),
    unordered(`WITH q AS (${query}) ${outer} q WHERE ${test}`),
    unordered(`WITH q AS (${query}) ${outer} q LEFT JOIN q AS o ON o.k = q.k WHERE ${test}`),
    unordered(
      `SELECT a.id, rank() OVER (ORDER BY a.id) FROM ${SAMPLES} AS a WHERE a.id > (SELECT count(q.x) FROM (${query}) AS q)`,
    ),
  ])
}

function star(choices: Choices): string {
  return choices.pick(['*', 'a.*', 's.*, a.id', 'a.*, s.t, s.*'])
}

function topOfJoin(from: Ingredients): QueryText {
  const { choices } = from
  const join = choices.pick(['JOIN', 'LEFT JOIN'])
  const key = choices.pick(KEYS)
  const direction = choices.pick(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])
  const where = choices.isOneIn(2) ? rows(from) : 'true'
  const body = `FROM ${SAMPLES} AS a ${join} ${SAMPLES} AS s ON s.id = a.id + 1 WHERE ${where} ORDER BY ${key}${direction}`
  const count = 1 + choices.below(6)
  return choices.pick([
    unordered(`SELECT a.id, s.t, ${beyondSpanner(from)} ${body}, a.id LIMIT ${count} OFFSET 2`),
    unordered(`SELECT ${star(choices)}, ${beyondSpanner(from)} ${body}, a.id LIMIT ${count}`),
    unordered(`SELECT a.id, ${beyondSpanner(from)} ${body} FETCH FIRST ${count} ROWS WITH TIES`),
  ])
}

function partsOfWindow(from: Ingredients): QueryText {
  const { choices } = from
  const type = choices.pick([OID.int8, OID.text, OID.date, OID.int4])
  const query = `SELECT a.id, ${expression(from, type, 1)} AS p, a.i2 FROM ${SAMPLES} AS a`
  const test = choices.pick(['q.p IS NULL', `q.p < ${constant(choices, type)}`, 'q.i2 > 3'])
  const over = choices.pick(['PARTITION BY r.p, r.i2', 'PARTITION BY r.p'])
  return unordered(
    `SELECT * FROM (SELECT r.*, count(*) OVER (${over}), rank() OVER (${over} ORDER BY r.id) FROM (${query}) AS r) AS q WHERE ${test}`,
  )
}

function recursive(from: Ingredients): QueryText {
  const { choices } = from
  const first = 1 + choices.below(10)
  const union = choices.pick(['UNION ALL', 'UNION'])
  return unordered(
    `WITH RECURSIVE r(n, x) AS (SELECT a.id, a.t FROM ${SAMPLES} AS a WHERE a.id = ${first} ${union} SELECT a.id, coalesce(a.t, r.x) FROM r JOIN ${SAMPLES} AS a ON a.id = r.n + ${1 + choices.below(3)} WHERE a.id < 30) SELECT r.n, r.x, ${sortable(from)} FROM r JOIN ${SAMPLES} AS a ON a.id = r.n`,
  )
}

function lateral(from: Ingredients): QueryText {
  const { choices } = from
  const inner: Ingredients = { ...from, aliases: ['s'], level: 1 }
  const join = choices.pick([',', 'LEFT JOIN', 'CROSS JOIN'])
  const on = join === 'LEFT JOIN' ? ' ON true' : ''
  return unordered(
    `SELECT a.id, l.id, l.x FROM ${SAMPLES} AS a ${join} LATERAL (SELECT s.id, ${sortable(inner)} AS x FROM ${SAMPLES} AS s WHERE s.id < a.id ORDER BY s.id DESC LIMIT ${1 + choices.below(3)}) AS l${on} WHERE ${rows(from)}`,
  )
}

const SETS = [
  'unnest(a.i8s)',
  'unnest(a.txs)',
  'generate_series(1, (a.id % 4)::int)',
  `regexp_split_to_table(a.t, 'b')`,
  `string_to_table(a.t, ',')`,
  'generate_subscripts(a.i8s, 1)',
]

function setReturning(from: Ingredients): QueryText {
  const { choices } = from
  const where = rows(from)
  return choices.isOneIn(2)
    ? unordered(`SELECT a.id, ${choices.pick(SETS)} FROM ${SAMPLES} AS a WHERE ${where}`)
    : unordered(
        `SELECT a.id, x FROM ${SAMPLES} AS a, ${choices.pick(SETS)} WITH ORDINALITY AS s(x, place) WHERE place < 3 AND ${where}`,
      )
}

function orderedAggregate(from: Ingredients): QueryText {
  const { choices } = from
  const value = sortable(from)
  const calls = [
    `array_agg(${value} ORDER BY a.id DESC)`,
    `string_agg(a.t, ',' ORDER BY a.t DESC NULLS LAST, a.id)`,
    `jsonb_agg(a.t ORDER BY a.id)`,
    `jsonb_object_agg(a.id, a.t)`,
    `array_agg(DISTINCT a.i2 ORDER BY a.i2)`,
  ]
  const group = choices.pick(['a.b', 'a.i2', 'a.id % 3'])
  return unordered(
    `SELECT ${group} AS k, ${choices.pick(calls)}, ${choices.pick(AGGREGATES)} FROM ${SAMPLES} AS a WHERE ${rows(from)} GROUP BY 1`,
  )
}

const ORDERED_SETS = [
  'percentile_cont(0.5) WITHIN GROUP (ORDER BY a.i8)',
  'percentile_disc(0.25) WITHIN GROUP (ORDER BY a.t)',
  'percentile_disc(ARRAY[0, 0.9]) WITHIN GROUP (ORDER BY a.d)',
  'mode() WITHIN GROUP (ORDER BY a.b)',
  'rank(3) WITHIN GROUP (ORDER BY a.i4)',
  'every(a.b)',
  'regr_count(a.i4, a.i2)',
]

function orderedSet(from: Ingredients): QueryText {
  const { choices } = from
  const group = choices.pick(['', ' GROUP BY a.b'])
  return unordered(
    `SELECT ${choices.pick(ORDERED_SETS)}, ${choices.pick(AGGREGATES)} FROM ${SAMPLES} AS a WHERE ${rows(from)}${group}`,
  )
}

function withTies(from: Ingredients): QueryText {
  const { choices } = from
  const key = choices.pick(['a.b', 'a.i2', 'a.id % 5', 'length(a.t)'])
  return unordered(
    `SELECT ${key} AS k, a.id FROM ${SAMPLES} AS a WHERE ${rows(from)} ORDER BY 1 ${choices.pick(['', 'DESC '])}FETCH FIRST ${1 + choices.below(6)} ROWS WITH TIES`,
  )
}

/** A view that Spanner could not have. */
function overView(from: Ingredients): QueryText {
  const { choices } = from
  const value = expression(from, choices.pick(SORTABLE), 1)
  return choices.isOneIn(2)
    ? unordered(`SELECT v.r, count(*), max(v.t) FROM ${RANKED} AS v GROUP BY v.r`)
    : unordered(
        `SELECT v.r, ${value} FROM ${RANKED} AS v JOIN ${SAMPLES} AS a ON a.id = v.id WHERE v.r < ${2 + choices.below(30)} AND ${rows(from)}`,
      )
}

function joinedUsing(from: Ingredients): QueryText {
  const { choices } = from
  const join = choices.pick(['JOIN', 'LEFT JOIN', 'FULL JOIN', 'RIGHT JOIN'])
  const columns = choices.pick(['id', 'b, i2', 'i4', 't'])
  const side = (alias: string) =>
    `(SELECT * FROM ${SAMPLES} WHERE id <= ${4 + choices.below(12)}) AS ${alias}`
  const value = beyondSpanner(from)
  return unordered(
    `SELECT ${columns}, ${value}, b2.id FROM ${side('a')} ${join} ${side('b2')} USING (${columns})`,
  )
}

function arrayOfRows(from: Ingredients): QueryText {
  const { choices } = from
  const inner: Ingredients = { ...from, aliases: ['s'], level: 1 }
  const array = `ARRAY(SELECT ${sortable(inner)} FROM ${SAMPLES} AS s WHERE s.id < a.id ORDER BY s.id LIMIT 4)`
  const row = choices.pick([
    `row_to_json((SELECT q FROM (SELECT a.id, a.t) AS q))::text`,
    'ROW(a.id, a.t) < ROW(5, NULL)',
    `(a.id, a.b) IN (SELECT s.id, s.b FROM ${SAMPLES} AS s WHERE s.i4 > 1)`,
  ])
  return unordered(`SELECT a.id, ${array}, ${row} FROM ${SAMPLES} AS a WHERE ${rows(from)}`)
}

function commonTable(from: Ingredients): QueryText {
  const { choices } = from
  const type = choices.pick([OID.int8, OID.text, OID.date, OID.int4])
  const materialized = choices.pick(['', ' MATERIALIZED', ' NOT MATERIALIZED'])
  const inner = `SELECT a.id, ${expression(from, type, DEPTH)} AS x, ${beyondSpanner(from)} AS y FROM ${SAMPLES} AS a WHERE ${rows(from)}`
  const where = choices.pick(['p.x IS NOT NULL', `p.x < ${constant(choices, type)}`, 'p.id > 3'])
  return unordered(
    `WITH q AS${materialized} (${inner}) SELECT p.id, o.x, p.y FROM q AS p LEFT JOIN q AS o ON o.id = p.id + 1 WHERE ${where}`,
  )
}
